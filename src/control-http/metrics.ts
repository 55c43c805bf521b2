/** What a control-side server counts of itself. */
import type http from 'node:http';
import type { Socket } from 'node:net';
import type { MetricScope } from '../metrics/registry.ts';

/** Counts the connections and requests of a server from now on. */
export function countRequests(server: http.Server, scope: MetricScope): void {
  const requests = scope.counter('requests');
  const success = scope.counter('success');
  const failures = scope.counter('failures');
  const pending = scope.gauge('pending');
  const latency = scope.stat('request_latency_ms');
  const connects = scope.counter('connects');
  const closes = scope.counter('closes');
  const connections = scope.gauge('connections');
  const received = scope.counter('received_bytes');
  const sent = scope.counter('sent_bytes');

  server.on('connection', (socket: Socket) => {
    connects.increment();
    connections.increment();
    socket.once('close', () => {
      closes.increment();
      connections.decrement();
      received.add(socket.bytesRead);
      sent.add(socket.bytesWritten);
    });
  });
  server.on('request', (_request, response) => {
    const startMs = performance.now();
    requests.increment();
    pending.increment();
    response.once('close', () => {
      pending.decrement();
      latency.record(performance.now() - startMs);
      (response.writableFinished && response.statusCode < 500 ? success : failures).increment();
    });
  });
}
