import { connect } from 'node:net';
import { test } from 'tap';
import { shareOf } from '../../src/router/worker-share.ts';
import { send } from '../support/http-client.ts';
import { header } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { type Arrived, answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

/** A backend that answers when it is told to, but /probe at once. */
async function slow(t: Parameters<typeof socketBackend>[0]) {
  const waiting: Arrived[] = [];
  const backend = await socketBackend(t, (arrived) => {
    if (arrived.target === '/probe') answer(arrived.socket);
    else waiting.push(arrived);
  });
  return { ...backend, waiting, next: () => answer((waiting.shift() as Arrived).socket) };
}

test('maxSize limits connections, and the others wait for one', async (t) => {
  const backend = await slow(t);
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 2}}'],
  });
  const replies = Promise.all(Array.from({ length: 6 }, () => send(port())));
  for (let answered = 0; answered < 6; answered++) {
    await until(() => backend.waiting.length > 0);
    t.ok(backend.waiting.length <= 2);
    backend.next();
  }
  t.strictSame(new Set((await replies).map((reply) => reply?.start)), new Set(['HTTP/1.1 200 OK']));
  t.equal(backend.connections(), 2);
});

test('maxSize is that of the process: each worker has its share', async (t) => {
  const backend = await slow(t);
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 7}}'],
    workers: 3,
  });
  const replies = Promise.all(Array.from({ length: 60 }, () => send(port())));
  for (let answered = 0; answered < 60; answered++) {
    await until(() => backend.waiting.length > 0);
    t.ok(backend.waiting.length <= 7);
    backend.next();
  }
  t.strictSame(new Set((await replies).map((reply) => reply?.start)), new Set(['HTTP/1.1 200 OK']));
  t.ok(backend.connections() > 3 && backend.connections() <= 7, `${backend.connections()} connections`);
});

test('each thread has its part of a limit, and all together have the whole', (t) => {
  const parts = (total: number, workers: number) =>
    Array.from({ length: workers }, (_, worker) => shareOf(total, { worker, workers }));
  t.strictSame(parts(7, 3), [3, 2, 2]);
  t.strictSame(parts(1, 2), [1, 0]);
  t.strictSame(parts(Number.POSITIVE_INFINITY, 2), [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  t.end();
});

test('more than maxWaiters are refused with 503, and may be sent again', async (t) => {
  const backend = await slow(t);
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 1, maxWaiters: 2}}'],
  });
  const replies = Promise.all(Array.from({ length: 3 }, () => send(port())));
  await until(() => backend.waiting.length === 1);
  let refused = await send(port());
  // The waiters may not all have come yet.
  while (refused === undefined) refused = await send(port());
  t.match(refused.start, 'HTTP/1.1 503 Service Unavailable');
  t.match(refused.body, /^More than 2 requests wait for a connection to 127\.0\.0\.1:\d+\./);
  t.equal(header(refused.headers, 'l5d-retryable'), 'true');
  t.equal(header(refused.headers, 'retry-after'), '1');
  for (let answered = 0; answered < 3; answered++) {
    await until(() => backend.waiting.length > 0);
    backend.next();
  }
  t.equal((await replies).filter((reply) => reply?.start === 'HTTP/1.1 200 OK').length, 3);
});

test('one that gives up leaves the queue', async (t) => {
  const backend = await slow(t);
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 1}}'],
  });
  const first = send(port());
  await until(() => backend.waiting.length === 1);
  const quitter = await RawConnection.open(port());
  await quitter.send('GET /quit HTTP/1.1\r\nHost: web\r\n\r\n');
  quitter.destroy();
  const last = send(port(), { target: '/last' });
  backend.next();
  await first;
  // Whether the quitter's request was sent before it was given up is chance.
  await until(() => backend.waiting.at(-1)?.target === '/last');
  while (backend.waiting.length > 0) backend.next();
  t.match(await last, { start: 'HTTP/1.1 200 OK' });
});

test('idle connections are closed after idleTimeMs, but for minSize of them', async (t) => {
  const backend = await slow(t);
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {minSize: 1, idleTimeMs: 100}}'],
  });
  const replies = Promise.all([send(port()), send(port()), send(port())]);
  await until(() => backend.waiting.length === 3);
  for (let i = 0; i < 3; i++) backend.next();
  await replies;
  t.equal(backend.sockets.size, 3);
  await until(() => backend.sockets.size === 1);
  const again = send(port());
  await until(() => backend.waiting.length === 1);
  backend.next();
  await again;
  t.equal(backend.connections(), 3, 'the one that is left is used');
});

test('a connection is not used beyond lifeTimeMs', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {clientSession: {lifeTimeMs: 200}}'],
  });
  await send(port());
  await send(port());
  t.equal(backend.connections(), 1);
  await until(() => backend.sockets.size === 0, { timeoutMs: 5000 });
  await send(port());
  t.equal(backend.connections(), 2);
});

test('bytes on an idle connection end it; they answer nobody', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  await send(port());
  for (const socket of backend.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  await until(() => backend.sockets.size === 0);
  t.match(await send(port()), { body: 'ok' });
});

test('bytes behind an answer end the connection too', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  for (let i = 0; i < 3; i++) t.match(await send(port()), { body: 'ok' });
  t.equal(backend.connections(), 3);
});

test('endpoints that are no longer discovered are left: at once when idle, else after the answer', async (t) => {
  const old = await slow(t);
  const fresh = await socketBackend(t, ({ socket }) => answer(socket, 'fresh'));
  const { port, name } = await startWorld(t, { names: { web: [old.port] } });
  const replies = Promise.all([send(port()), send(port())]);
  await until(() => old.waiting.length === 2);
  old.next();
  name('web', fresh.port);
  await until(async () => (await send(port(), { target: '/probe' }))?.body === 'fresh');
  await until(() => old.sockets.size === 1);
  old.next();
  t.strictSame(
    (await replies).map((reply) => reply?.body),
    ['ok', 'ok'],
  );
  await until(() => old.sockets.size === 0);
});

test('an answer that its reader takes slowly stays whole while its connection serves others', async (t) => {
  const size = 60_000;
  const backend = await socketBackend(t, ({ socket, target }) => answer(socket, (target[1] as string).repeat(size)));
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 1}}'],
  });
  // Reads nothing until all has been asked for.
  const reader = connect({ port: port(), host: '127.0.0.1' });
  t.teardown(() => reader.destroy());
  let received = '';
  const rounds = 150;
  reader.write('GET /a HTTP/1.1\r\nHost: web\r\n\r\n'.repeat(rounds));
  await until(() => backend.requests.length > 20);
  let done = false;
  const others = (async () => {
    while (!done) t.match((await send(port(), { target: '/b' }))?.body === 'b'.repeat(size), true);
  })();
  reader.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  await until(() => received.split('HTTP/1.1 200').length === rounds + 1 && received.endsWith('a'.repeat(size)), {
    timeoutMs: 60_000,
  });
  done = true;
  await others;
  t.notOk(/bbbb/.test(received));
  t.equal(received.match(/a{60000}/g)?.length, rounds);
});
