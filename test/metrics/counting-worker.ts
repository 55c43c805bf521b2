/**
 * A worker thread with metrics, for collector.test.ts: announces over its port, counts what it is told to, and stops.
 * Not a test itself.
 */
import { parentPort } from 'node:worker_threads';
import { MetricRegistry } from '../../src/metrics/registry.ts';

export interface Order {
  readonly service: string;
  readonly requests?: number;
  readonly pending?: number;
  readonly latencies?: readonly number[];
  /** Ends the scope of the service after that. */
  readonly close?: boolean;
}

const registry = new MetricRegistry();
registry.onAnnounce((announcement) => parentPort?.postMessage({ announcement }));
const scopes = new Map<string, ReturnType<MetricRegistry['scope']>>();

parentPort?.on('message', ({ service, requests = 0, pending = 0, latencies = [], close = false }: Order) => {
  const scope = scopes.get(service) ?? registry.scope(['rt', 'out', 'service', service]);
  scopes.set(service, scope);
  scope.counter('requests').add(requests);
  scope.gauge('pending').add(pending);
  for (const latency of latencies) scope.stat('request_latency_ms').record(latency);
  if (close) {
    scope.close();
    scopes.delete(service);
  }
  // After what this order announces.
  setImmediate(() => setImmediate(() => parentPort?.postMessage({ done: true })));
});
