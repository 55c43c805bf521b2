// How long connections live: serverSession, clientSession, and the timeouts of socketOptions.
import { connect } from 'node:net';
import { test } from 'tap';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { ownCell } from '../../src/port/cells.ts';
import { processMs } from '../../src/port/process-clock.ts';
import { type ConnectionWaiter, Endpoint } from '../../src/router/client/endpoint.ts';
import { createAccrual } from '../../src/router/client/failure-accrual/index.ts';
import { ClientMetrics } from '../../src/router/client/metrics.ts';
import type { Http1ClientConnection } from '../../src/wire/http1/client-connection.ts';
import { TimerWheel } from '../../src/wire/timer-wheel.ts';
import { lastResponse, requestText, send } from '../support/http-client.ts';
import { header } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

type Test = Parameters<typeof startWorld>[0];

async function open(t: Test, port: number): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  t.teardown(() => connection.destroy());
  return connection;
}

async function ask(connection: RawConnection, target = '/') {
  connection.received = '';
  await connection.send(requestText({ target }));
  return lastResponse(connection);
}

test('serverSession.idleTimeMs closes a connection that nobody uses', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => setTimeout(() => answer(socket), 300));
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'serverSession: {idleTimeMs: 200}' });
  const unused = await open(t, port());
  const used = await open(t, port());
  t.match(await ask(used), { start: 'HTTP/1.1 200 OK' }, 'an answer may take longer');
  t.equal(used.closed, false);
  await until(() => unused.closed && used.closed);
});

test('serverSession.lifeTimeMs: the last answer says so; an idle connection is just closed', async (t) => {
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target === '/begin') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    setTimeout(() => (target === '/begin' ? socket.write('k') : answer(socket)), target === '/' ? 0 : 1500);
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'serverSession: {lifeTimeMs: 1000}' });
  const [idle, busy, begun] = [await open(t, port()), await open(t, port()), await open(t, port())];
  const first = await ask(idle);
  t.equal(header(first?.headers ?? [], 'connection'), undefined);
  const [last, whole] = await Promise.all([ask(busy, '/slow'), ask(begun, '/begin')]);
  t.equal(header(last?.headers ?? [], 'connection'), 'close');
  t.match(whole, { start: 'HTTP/1.1 200 OK', body: 'ok' });
  await until(() => idle.closed && busy.closed && begun.closed);
});

test('a connection that was opened for a request that left is idle from then on', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const wheel = new TimerWheel();
  t.teardown(() => wheel.close());
  const headLimits = { startLineBytes: 1000, headerBytes: 1000, fields: 10, chunkExtensionBytes: 10 };
  const options = { limits: headLimits, wheel, connectTimeoutMs: 1000, noDelay: true, keepAlive: false };
  const pool = { minSize: 0, maxSize: 1, maxWaiters: 1, idleTimeMs: 300, lifeTimeMs: Number.POSITIVE_INFINITY };
  const metrics = new ClientMetrics(new MetricRegistry(), 'http', '/#/web', {
    balancer: 'p2c_least_loaded',
    failFast: false,
  });
  const address = { host: '127.0.0.1', port: backend.port, weight: 1, cell: ownCell() };
  const health = {
    accrual: createAccrual({ kind: 'none' }, Math.random),
    failFast: null,
    metrics: metrics.accrual,
    now: () => processMs(),
    mayEject: () => false,
    changed: () => {},
  };
  const endpoint = new Endpoint(address, options, pool, metrics, health);
  t.teardown(() => endpoint.close());
  // As long as a router that has run for a while.
  await until(() => wheel.nowMs >= 500);
  const waiter: ConnectionWaiter = {
    wantsFresh: false,
    onConnection: () => t.fail('nobody waits'),
    onConnectFailed: () => t.fail('nobody waits'),
  };
  t.ok(endpoint.wait(waiter));
  endpoint.withdraw(waiter);
  await until(() => backend.sockets.size === 1);
  let taken: Http1ClientConnection | null = null;
  await until(() => {
    endpoint.sweep();
    taken = endpoint.take();
    return taken !== null;
  });
  t.equal(endpoint.state(0).connections, 1);
  const connection = taken as unknown as Http1ClientConnection;
  endpoint.reusable(connection);
  connection.destroy();
  t.equal(endpoint.take(), null, 'one that was ended a moment ago is no longer given out');
});

test('clientSession.idleTimeMs closes connections that nobody uses', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {clientSession: {idleTimeMs: 400}}'],
  });
  await send(port());
  t.equal(backend.sockets.size, 1);
  await until(() => backend.sockets.size === 0);
});

test('readTimeoutMs of a server: a silent client is closed, in the middle of a request with a word', async (t) => {
  const backend = await socketBackend(t, ({ socket, target }) =>
    setTimeout(() => answer(socket), target === '/slow' ? 800 : 0),
  );
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    server: 'socketOptions: {readTimeoutMs: 300}',
  });
  const [idle, partial, body, waiting] = await Promise.all([1, 2, 3, 4].map(() => open(t, port())));
  if (idle === undefined || partial === undefined || body === undefined || waiting === undefined) throw new Error();
  await partial.send('GET / HT');
  await body.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\nhalf');
  t.match(await ask(waiting, '/slow'), { start: 'HTTP/1.1 200 OK' }, 'who waits for an answer has nothing to say');
  await until(() => idle.closed && partial.closed && body.closed);
  t.equal(idle.received, '');
  for (const connection of [partial, body]) {
    t.match(connection.received, /^HTTP\/1\.1 408 Request Timeout[\s\S]*nothing was received for 300 ms$/);
  }
});

test('readTimeoutMs of a server: a body that keeps coming is read', async (t) => {
  const backend = await socketBackend(t, ({ socket, message }) => answer(socket, message.body));
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    server: 'socketOptions: {readTimeoutMs: 1000}',
  });
  const connection = await open(t, port());
  await connection.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 13\r\n\r\n');
  for (let i = 0; i < 13; i++) await connection.send('<<sleep 0.1s>>x');
  t.match(await lastResponse(connection, 'POST'), { body: 'x'.repeat(13) });
});

test('writeTimeoutMs of a server: who takes nothing is cut off', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket, 'x'.repeat(40_000_000)));
  const { port, metrics } = await startWorld(t, {
    names: { web: [backend.port] },
    server: 'socketOptions: {writeTimeoutMs: 300}',
  });
  const deaf = connect({ port: port(), host: '127.0.0.1' });
  t.teardown(() => deaf.destroy());
  deaf.on('error', () => {});
  deaf.pause();
  deaf.write(requestText({}));
  await until(() => backend.requests.length === 1);
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/connections`] === 0);
  t.match(await metrics(), { [`rt/http/server/127.0.0.1/${port()}/failures`]: 1 });
  t.equal((await send(port(), { target: '/' }))?.body.length, 40_000_000, 'who reads gets all of it');
});

test('readTimeoutMs of a client: an endpoint that says nothing is given up, and asked once', async (t) => {
  const backend = await socketBackend(t, ({ socket, nth }) => {
    if (nth === 1) answer(socket);
  });
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {socketOptions: {readTimeoutMs: 300}}'],
  });
  t.match(await send(port()), { start: 'HTTP/1.1 200 OK' });
  const silent = await send(port());
  t.equal(silent?.start, 'HTTP/1.1 502 Bad Gateway');
  t.match(silent?.body, /^No complete response from 127\.0\.0\.1:\d+: nothing was received for 300 ms\.\n/);
  t.equal(backend.requests.length, 2);
  t.match(await send(port()), { start: 'HTTP/1.1 200 OK' }, 'on a new connection');
  await until(() => backend.sockets.size === 0, { timeoutMs: 5000 });
});

test('writeTimeoutMs of a client: an endpoint that takes nothing is given up', async (t) => {
  const backend = await socketBackend(t, () => {});
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {socketOptions: {writeTimeoutMs: 300}}'],
  });
  const connection = await open(t, port());
  await connection.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 60000000\r\n\r\n');
  await until(() => backend.sockets.size === 1);
  for (const socket of backend.sockets) socket.pause();
  await connection.send('x'.repeat(60_000_000));
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 502 Bad Gateway', body: /nothing could be sent/ });
});

test('a tunnel lives while bytes pass either way', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    for (let i = 1; i <= 13; i++) setTimeout(() => socket.write(`${i}.`), 100 * i);
  });
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    server: 'socketOptions: {readTimeoutMs: 1000}',
    router: ['client: {socketOptions: {readTimeoutMs: 1000}}'],
  });
  const connection = await open(t, port());
  await connection.send('GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await until(() => connection.received.endsWith('.13.'));
  await until(() => connection.closed && backend.sockets.size === 0);
});
