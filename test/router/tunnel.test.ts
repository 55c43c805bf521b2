import { createServer, type Socket } from 'node:net';
import { test } from 'tap';
import { blackHole } from '../support/black-hole.ts';
import { lastResponse, send } from '../support/http-client.ts';
import { header } from '../support/http-message.ts';
import { freePorts, portOf } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

/** Sends every byte back, and its end. */
async function echo(t: { teardown(fn: () => void): void }) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: portOf(server), sockets };
}

const connectTo = (authority: string) => `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;

async function opened(t: { teardown(fn: () => void): void }, port: number, script: string) {
  const connection = await RawConnection.open(port);
  t.teardown(() => connection.destroy());
  await connection.send(script);
  return connection;
}

test('CONNECT is named by its authority and tunnels to the endpoint, both ways, until both have ended', async (t) => {
  const backend = await echo(t);
  const { port, metrics } = await startWorld(t, { names: { 'db:5432': [backend.port] } });
  const connection = await opened(t, port(), `${connectTo('DB:5432')}early`);
  await until(() => connection.received.endsWith('early'));
  t.match(connection.received, /^HTTP\/1\.1 200 [^\r]*\r\n/);
  t.notMatch(connection.received, /content-length|transfer-encoding/i);
  const big = 'x'.repeat(300_000);
  await connection.send(big);
  await until(() => connection.received.endsWith(big));
  connection.end();
  await until(() => connection.closed && backend.sockets.size === 0);
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
  t.match(await metrics(), { 'rt/http/service/svc/db:5432/success': 1 });
});

test('an endpoint that ends first still gets what the client sends after that', async (t) => {
  let got = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.end('bye');
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port, metrics } = await startWorld(t, { names: { 'db:1': [portOf(server)] } });
  const connection = await opened(t, port(), connectTo('db:1'));
  await until(() => connection.received.endsWith('bye') && connection.closed);
  await connection.send('last words');
  connection.end();
  await until(() => got === 'last words');
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
});

test('a CONNECT that is bound nowhere is 502; the authority is never dialled', async (t) => {
  const backend = await echo(t);
  const { port } = await startWorld(t);
  const response = await send(port(), { method: 'CONNECT', target: `127.0.0.1:${backend.port}` });
  t.match(response, { start: 'HTTP/1.1 502 Bad Gateway' });
  t.ok(header(response?.headers ?? [], 'l5d-err'));
  t.equal(backend.sockets.size, 0);
  t.match(await send(port(), { method: 'CONNECT', target: '/path' }), { start: /400/ });
  t.match(await send(port(), { method: 'CONNECT', target: 'noport' }), { start: /400/ });
});

test('a refused CONNECT is tried elsewhere; one that nobody takes is 502', async (t) => {
  const backend = await echo(t);
  const [refused = 0] = await freePorts(1);
  const hole = await blackHole(t);
  const { port, name } = await startWorld(t, {
    names: { 'db:1': [refused, backend.port] },
    router: ['client: {connectTimeoutMs: 100}'],
  });
  for (let i = 0; i < 5; i++) {
    const connection = await opened(t, port(), `${connectTo('db:1')}hi`);
    await until(() => connection.received.endsWith('hi'));
  }
  name('db:2', hole);
  t.match(await send(port(), { method: 'CONNECT', target: 'db:2' }), { start: 'HTTP/1.1 502 Bad Gateway' });
});

test('a client that goes away while its CONNECT is connected is not served', async (t) => {
  const hole = await blackHole(t);
  const [refused = 0] = await freePorts(1);
  const { port, metrics } = await startWorld(t, { names: { 'db:1': [hole, refused] } });
  for (let i = 0; i < 4; i++) (await opened(t, port(), connectTo('db:1'))).destroy();
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
  t.match(await metrics(), { 'process/uncaught_errors': 0 });
});

test("through a port transformer a CONNECT is the gateway's: it is passed on", async (t) => {
  const gateway = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
  });
  const { port } = await startWorld(t, {
    names: { 'db:1': [1] },
    router: [`interpreter: {kind: default, transformers: [{kind: io.l5d.port, port: ${gateway.port}}]}`],
  });
  const connection = await opened(t, port(), connectTo('db:1'));
  await until(() => connection.received.includes('\r\n\r\n'));
  t.match(gateway.requests[0]?.message.start, 'CONNECT db:1 HTTP/1.1');
  t.match(header(gateway.requests[0]?.message.headers ?? [], 'l5d-dst-service'), '/svc/db:1');
  await connection.send('ping');
  await until(() => connection.received.endsWith('ping'));
  connection.destroy();
});

test('an Upgrade passes through, and both sides talk', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const connection = await opened(
    t,
    port(),
    'GET /be/upgrade HTTP/1.1\r\nHost: web\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await until(() => connection.received.includes('\r\n\r\n'));
  t.match(connection.received, /^HTTP\/1\.1 101 /);
  t.match(connection.received, /^Upgrade: websocket\r$/m);
  await connection.send('frame');
  await until(() => connection.received.endsWith('frame'));
  t.match(await send(port(), { target: '/be/upgrade' }), { start: /200/ }, 'others go on');
});

test('names bound to a status are answered by the router itself', async (t) => {
  const { port, metrics } = await startWorld(t, { dtab: '/svc => /$/io.buoyant.http.status' });
  for (const [status, reason] of [
    [200, 'OK'],
    [204, 'No Content'],
    [404, 'Not Found'],
    [503, 'Service Unavailable'],
  ] as const) {
    const response = await send(port(), { host: `${status}` });
    t.equal(response?.start, `HTTP/1.1 ${status} ${reason}`);
    t.equal(response?.body, '');
  }
  t.match(await send(port(), { host: '199' }), { start: /502/ });
  t.match(await send(port(), { host: '404', method: 'POST', body: 'x' }), { start: /404/ });
  t.match(await metrics(), {
    'rt/http/client/$/io.buoyant.http.status/503/failures': 1,
    'rt/http/client/$/io.buoyant.http.status/404/success': 2,
  });
});

test('1xx are passed on before the answer, not in its place', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const connection = await opened(t, port(), 'GET /be/1xx HTTP/1.1\r\nHost: web\r\n\r\n');
  t.match(await lastResponse(connection), { start: 'HTTP/1.1 200 OK', body: 'after102\n' });
  t.match(connection.received, /^HTTP\/1\.1 102 Processing\r\n/);
});
