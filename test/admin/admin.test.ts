import type http from 'node:http';
import { connect } from 'node:net';
import { test } from 'tap';
import { parseDuration } from '../../src/admin/common.ts';
import { adminServer } from '../../src/admin/server.ts';
import type { ControlHandler } from '../../src/control-http/index.ts';
import { httpRequest } from '../support/http-get.ts';
import { MemoryLog } from '../support/log.ts';
import { exchange, RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

const json = { 'Content-Type': 'application/json' };

test('ping, the index, metrics; HEAD has no body; what is not there is 404', async (t) => {
  const { signpost } = await startWorld(t, { names: { web: [1] } });
  const get = (path: string, options = {}) => httpRequest(`${signpost.adminUrl}${path}`, options);
  t.match(await get('/admin/ping'), { status: 200, body: 'pong', headers: { 'content-type': /^text\/plain/ } });
  t.match(await get('/admin/ping', { method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': '4' } });
  const index = await get('/admin');
  t.match(index.body, /^\/admin\/ping$/m);
  t.match(index.body, /^\/delegator\.json$/m);
  t.equal((await get('/admin/index.txt')).body, index.body);
  t.match(await get('/admin/ping?x=1'), { status: 200 });
  t.match(await get('/admin/pin'), { status: 404 });
  t.match(await get('//admin/ping'), { status: 404 });
  const metrics = await get('/admin/metrics.json');
  t.match(metrics.headers, { 'content-type': /^application\/json/ });
  t.match(JSON.parse(metrics.body), { 'process/uncaught_errors': 0 });
});

test('delegator.json explains how a router binds a path, by GET and POST', async (t) => {
  const { signpost } = await startWorld(t, { names: { web: [1234] } });
  const url = `${signpost.adminUrl}/delegator.json`;
  const asked = { namespace: 'http', dtab: '/svc=>/#/io.l5d.fs', path: '/svc/web' };
  const got = await httpRequest(`${url}?${new URLSearchParams(asked)}`);
  t.equal(got.status, 200);
  t.match(JSON.parse(got.body), {
    type: 'delegate',
    path: '/svc/web',
    delegate: { type: 'leaf', path: '/#/io.l5d.fs/web', bound: { id: '/#/io.l5d.fs/web' } },
  });
  const posted = (body: string, headers: Record<string, string> = json) =>
    fetch(url, { method: 'POST', headers, body });
  t.strictSame(await (await posted(JSON.stringify(asked))).json(), JSON.parse(got.body));
  t.equal((await posted(JSON.stringify(asked), { 'Content-Type': 'application/json; charset=utf-8' })).status, 200);
  const noNamers = JSON.parse(await (await posted(JSON.stringify({ ...asked, namespace: undefined }))).text());
  t.match(noNamers, { type: 'delegate', delegate: { type: 'neg' } });

  const bad = async (response: Response, status: number, text: string) => {
    t.equal(response.status, status);
    t.match(await response.text(), text);
  };
  await bad(await posted('{"path": "/x"}'), 400, 'Malformed delegation request: {"path": "/x"}');
  await bad(await posted('nonsense'), 400, 'Malformed delegation request: nonsense');
  await bad(await posted('null'), 400, 'Malformed delegation request: null');
  await bad(await posted('{}', { 'Content-Type': 'text/plain' }), 415, 'application/json');
  await bad(await posted('{"dtab": "/a", "path": "/x"}'), 400, 'Invalid dtab: ');
  await bad(await posted('{"dtab": "", "path": "x"}'), 400, 'Invalid path: ');
  await bad(await fetch(`${url}?dtab=`), 400, 'Invalid path: ');
  const put = await fetch(url, { method: 'PUT' });
  t.equal(put.status, 405);
  t.equal(put.headers.get('allow'), 'GET, POST');
});

test('a long body is refused while it comes, and the answer arrives', async (t) => {
  const { adminPort } = await startWorld(t);
  const head = (more: string) =>
    `POST /delegator.json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${more}\r\n`;
  const announced = await exchange(adminPort, head('Content-Length: 2000000\r\n'), ({ received }) => received !== '');
  t.match(announced.received, /^HTTP\/1\.1 413 /);
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  const streamed = await exchange(
    adminPort,
    head('Transfer-Encoding: chunked\r\n') + chunk.repeat(18),
    ({ received }) => received !== '',
  );
  t.match(streamed.received, /^HTTP\/1\.1 413 [\s\S]*^Connection: close\r$/m);
});

test('names of other hosts and pages of other origins are refused', async (t) => {
  const { signpost, adminPort } = await startWorld(t);
  const status = async (headers: http.OutgoingHttpHeaders, method = 'GET') =>
    (await httpRequest(`${signpost.adminUrl}/admin/ping`, { headers, method })).status;
  for (const host of ['localhost', 'LOCALHOST:1', 'a.localhost', '127.0.0.1:9990', '[::1]:9990', '10.1.2.3']) {
    t.equal(await status({ host }), 200, host);
  }
  for (const host of ['evil.example', 'evil.example:9990', 'localhost.evil.example', '127.0.0.1.nip.io']) {
    t.equal(await status({ host }), 403, host);
  }
  const own = `127.0.0.1:${adminPort}`;
  t.equal(await status({ host: own, origin: `http://${own}` }, 'POST'), 200);
  t.equal(await status({ host: own, origin: 'http://evil.example' }, 'POST'), 403);
  t.equal(await status({ host: own, origin: 'null' }, 'POST'), 403);
});

test('shutdown wants a POST, and a grace it can read', async (t) => {
  const { signpost } = await startWorld(t);
  const ask = (query: string, method: string) => httpRequest(`${signpost.adminUrl}/admin/shutdown${query}`, { method });
  t.match(await ask('', 'GET'), { status: 405, body: '', headers: { allow: 'POST' } });
  t.match(await ask('?grace=soon', 'POST'), { status: 400 });
  t.match(await ask('?grace=1.second', 'POST'), { status: 200, body: 'quitting\n' });
  await signpost.stopped;
  t.strictSame(
    ['10.seconds', '1.minute', '500.milliseconds', '2.hours', '1.fortnight', '-1.second', '10', ''].map(parseDuration),
    [10_000, 60_000, 500, 7_200_000, null, null, null, null],
  );
});

test('a flood of connections, large heads and slow ones leave the admin server usable', async (t) => {
  const { signpost, adminPort } = await startWorld(t);
  const sockets = Array.from({ length: 400 }, () => connect(adminPort, '127.0.0.1').on('error', () => {}));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => sockets.filter(({ closed }) => closed).length >= 100);
  for (const socket of sockets) socket.destroy();
  await until(async () => {
    const reply = await httpRequest(`${signpost.adminUrl}/admin/ping`).catch(() => undefined);
    return reply?.status === 200;
  });
  const large = await exchange(
    adminPort,
    `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    ({ received }) => received !== '',
  );
  t.match(large.received, /^HTTP\/1\.1 431 /);
  const slow = await RawConnection.open(adminPort);
  t.teardown(() => slow.destroy());
  await slow.send('GET /admin/ping HTTP/1.1\r\n');
  await until(() => slow.closed, { timeoutMs: 15_000 });
  t.match(slow.received, /^(HTTP\/1\.1 408 |$)/);
});

test('a handler that fails is 500 and logged; a client that leaves is nothing', async (t) => {
  const log = new MemoryLog();
  const handlers = new Map<string, ControlHandler>([
    ['/fails', () => Promise.reject(new Error('no answer'))],
    ['/ping', () => ({ status: 200, body: 'pong' })],
  ]);
  let reading = false;
  handlers.set('/read', async ({ body }) => {
    reading = true;
    return { status: 200, body: (await body()) ?? '' };
  });
  const server = adminServer(handlers, log);
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  t.match(await httpRequest(`http://127.0.0.1:${port}/fails`), { status: 500, body: 'internal error\n' });
  t.match(log.lines, [{ level: 'error', path: '/fails' }]);
  const leaving = await RawConnection.open(port);
  await leaving.send('POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\na');
  await until(() => reading);
  leaving.destroy();
  t.match(await httpRequest(`http://127.0.0.1:${port}/ping`), { status: 200 });
  t.equal(log.lines.length, 1);
});
