/** An exchange between a stream that isn't HTTP/1 and a real HTTP/1 backend: the router learns no protocol. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { MessageChannel } from 'node:worker_threads';
import { type Test, test } from 'tap';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { CellPool, NO_CELL } from '../../src/port/cells.ts';
import { DataEnd } from '../../src/port/data-end.ts';
import type { ToControl, ToData } from '../../src/port/protocol.ts';
import { Router } from '../../src/router/router.ts';
import { HttpServer } from '../../src/router/server/http-server.ts';
import { TimerWheel } from '../../src/wire/timer-wheel.ts';
import { portOf } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { MemoryStream } from './memory-stream.ts';

/** A server of a router whose every name is bound to `port` of loopback; `/svc/nowhere` is bound to nothing. */
function serverOf(t: Test, port: number): HttpServer {
  const { port1, port2 } = new MessageChannel();
  port2.on('message', (message: ToControl) => {
    const answer = (reply: ToData) => port2.postMessage(reply);
    if (message.type !== 'bind') return;
    const { binding, path } = message;
    if (path === '/svc/nowhere') {
      answer({ type: 'bound', binding, tree: { type: 'neg' }, cell: NO_CELL });
      return;
    }
    const tree = { type: 'leaf', leaf: 1, id: '/#/memory/web', residual: '/', cell: NO_CELL, marks: NO_CELL } as const;
    answer({ type: 'bound', binding, tree, cell: NO_CELL });
    answer({
      type: 'addrs',
      leaf: 1,
      version: 1,
      state: 'bound',
      added: `127.0.0.1 ${port} 1 ${NO_CELL}`,
      removed: '',
      more: false,
    });
  });
  port2.unref();
  const wheel = new TimerWheel();
  const metrics = new MetricRegistry();
  const data = new DataEnd(port1, new CellPool().memory, () => null);
  const router = new Router({ protocol: 'http', servers: [{}] }, data, wheel, metrics);
  const unlimited = { enter: () => 1, leave: () => {}, isShortOfMemory: false };
  t.teardown(() => {
    router.close();
    wheel.close();
    data.close();
    port2.close();
  });
  return new HttpServer(router, {}, '127.0.0.1/0', unlimited, wheel, metrics);
}

async function backend(t: Test, serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

const sha = (...chunks: Buffer[]) =>
  chunks.reduce((hash, chunk) => hash.update(chunk), createHash('sha256')).digest('hex');

test('a request without a body, and what each side is told', async (t) => {
  let seen: IncomingMessage | undefined;
  const port = await backend(t, (request, response) => {
    seen = request;
    response.writeEarlyHints({ link: '</a>' });
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end('hello');
  });
  const stream = new MemoryStream(serverOf(t, port), {
    method: 'GET',
    target: '/path?q',
    fields: [
      ['host', 'web'],
      ['x-a', '1'],
      ['te', 'trailers'],
      ['l5d-reqid', 'mine'],
    ],
  });
  await until(() => stream.isComplete);
  t.equal(stream.status, 200);
  t.equal(stream.body.toString(), 'hello');
  t.strictSame(stream.interim, [103]);
  t.strictSame(
    stream.fields.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  );
  t.match(seen, { method: 'GET', url: '/path?q', httpVersion: '1.1' });
  t.match(seen?.headers, { host: 'web', 'x-a': '1', 'l5d-dst-service': '/svc/web', 'l5d-dst-client': '/#/memory/web' });
  t.equal(seen?.headers['te'], undefined);
  t.not(seen?.headers['l5d-reqid'], 'mine');
  t.ok(stream.head.isReleased, 'the head was given back');
});

test('bodies both ways, taken late here and there', async (t) => {
  const port = await backend(t, (request, response) => {
    response.writeHead(200, request.url === '/length' ? { 'Content-Length': request.headers['content-length'] } : {});
    request.pipe(response);
  });
  const server = serverOf(t, port);
  const streams = Array.from({ length: 12 }, (_, index) => {
    const body = Array.from({ length: 40 }, () => randomBytes(1 + Math.floor(Math.random() * 40_000)));
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const sized = index % 2 === 0;
    const stream = new MemoryStream(server, {
      method: 'POST',
      target: sized ? '/length' : '/chunks',
      fields: sized
        ? [
            ['host', 'web'],
            ['content-length', String(length)],
          ]
        : [['host', 'web']],
      body,
    });
    return { stream, expected: sha(...body), length };
  });
  await until(() => streams.every(({ stream }) => stream.isComplete));
  for (const { stream, expected, length } of streams) {
    t.equal(stream.status, 200);
    t.equal(stream.body.length, length);
    t.equal(sha(stream.body), expected);
    t.ok(stream.takenLate > 0, 'some bytes were taken late');
  }
});

test('trailers both ways', async (t) => {
  let sum: string | undefined;
  const port = await backend(t, (request, response) => {
    request.resume().on('end', () => {
      sum = request.trailers['x-sum'];
      response.writeHead(200, { Trailer: 'X-Done' });
      response.write('part');
      response.addTrailers({ 'X-Done': 'yes' });
      response.end();
    });
  });
  const stream = new MemoryStream(serverOf(t, port), {
    method: 'POST',
    target: '/',
    fields: [['host', 'web']],
    body: [Buffer.from('a'), Buffer.from('b')],
    trailers: [
      ['x-sum', '7'],
      ['content-length', '9'],
    ],
  });
  await until(() => stream.isComplete);
  t.equal(sum, '7');
  t.equal(stream.body.toString(), 'part');
  t.strictSame(stream.trailers, [['X-Done', 'yes']]);
});

test('errors, cuts and cancelling', async (t) => {
  let aborted = 0;
  const port = await backend(t, (request, response) => {
    response.on('close', () => {
      if (!response.writableEnded) aborted++;
    });
    if (request.url === '/cut') {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('part', () => response.destroy());
    }
  });
  const server = serverOf(t, port);
  const unbound = new MemoryStream(server, { method: 'GET', target: '/', fields: [['host', 'nowhere']] });
  await until(() => unbound.isComplete);
  t.equal(unbound.status, 502);
  t.ok(unbound.fields.some(([name]) => name === 'l5d-err'));

  const cut = new MemoryStream(server, { method: 'GET', target: '/cut', fields: [['host', 'web']] });
  await until(() => cut.wasReset);
  t.equal(cut.status, 200);
  t.notOk(cut.ended);

  const before = aborted;
  const cancelled = new MemoryStream(server, { method: 'GET', target: '/hang', fields: [['host', 'web']] });
  setTimeout(() => cancelled.cancel(), 30);
  await until(() => aborted > before);
  t.equal(cancelled.status, 0);
  t.ok(cancelled.head.isReleased);
});
