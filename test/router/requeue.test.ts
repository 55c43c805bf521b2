import http from 'node:http';
import { test } from 'tap';
import { blackHole } from '../support/black-hole.ts';
import { send } from '../support/http-client.ts';
import { httpRequest } from '../support/http-get.ts';
import { header, requestLine } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

const url = (port: number, path = '/') => `http://127.0.0.1:${port}${path}`;
const web = { headers: { host: 'web' } };

test('two endpoints of three refuse: every request succeeds, and none is tried twice', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const refused = await freePorts(2);
  for (const kind of ['p2c', 'roundRobin']) {
    const { port, metrics } = await startWorld(t, {
      names: { web: [...refused, backend.port] },
      router: [`client: {loadBalancer: {kind: ${kind}}}`],
    });
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) => httpRequest(url(port()), { ...web, method: i % 2 === 0 ? 'GET' : 'POST' })),
    );
    t.strictSame([...new Set(replies.map(({ status }) => status))], [200], kind);
    const requeues = (await metrics())['rt/http/client/#/io.l5d.fs/web/retries/requeues'] ?? 0;
    t.ok(requeues > 0 && requeues <= 80, `${requeues} requeues`);
  }
});

test('at most three requeues; then the client is told what was tried', async (t) => {
  const refused = await freePorts(6);
  const { port, metrics } = await startWorld(t, { names: { web: refused } });
  const response = await send(port());
  t.match(response?.start, 'HTTP/1.1 502 Bad Gateway');
  t.match(
    response?.body,
    /^Unable to establish connection to 127\.0\.0\.1:\d+\.\n\nservice name: \/svc\/web\nclient name: \/#\/io\.l5d\.fs\/web\naddresses: \[127\.0\.0\.1:\d+, [^\]]*\]\nselected address: 127\.0\.0\.1:\d+\n$/,
  );
  t.equal(header(response?.headers ?? [], 'via'), undefined, 'only what the original sends');
  t.match(await metrics(), {
    'rt/http/client/#/io.l5d.fs/web/retries/requeues': 3,
    'rt/http/client/#/io.l5d.fs/web/requests': 0,
    'rt/http/client/#/io.l5d.fs/web/service_creation/failures': 4,
    'rt/http/service/svc/web/failures': 1,
    'rt/http/server/': undefined,
  });
});

test('a body that came with its head is sent on after a refused connect', async (t) => {
  const backend = await socketBackend(t, ({ socket, message }) => answer(socket, message.body));
  const refused = await freePorts(2);
  const { port } = await startWorld(t, { names: { web: [...refused, backend.port] } });
  for (let i = 0; i < 10; i++) {
    t.match(await send(port(), { method: 'POST', body: `body ${i}` }), { body: `body ${i}` });
  }
});

test('an endpoint that closes its connections when the next request comes fails no GET and sends no POST twice', async (t) => {
  // Every second request of a connection finds it closed, just when it has arrived.
  const backend = await socketBackend(t, ({ socket, nth }) => {
    if (nth === 1) answer(socket);
    else socket.destroy();
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  t.teardown(() => agent.destroy());
  const gets = await Promise.all(
    Array.from({ length: 200 }, () => httpRequest(url(port(), '/get'), { ...web, agent })),
  );
  t.strictSame([...new Set(gets.map(({ status }) => status))], [200]);

  const seen = backend.requests.length;
  const statuses: number[] = [];
  for (let i = 0; i < 20; i++)
    statuses.push((await httpRequest(url(port(), `/post${i}`), { ...web, agent, method: 'POST' })).status);
  const posts = backend.requests.slice(seen).filter(({ message }) => requestLine(message).method === 'POST');
  t.equal(posts.length, new Set(posts.map(({ target }) => target)).size, 'each was sent once');
  t.strictSame([...new Set(statuses)].sort(), [200, 502]);
});

test('a fresh connection that dies unanswered is not tried again', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => socket.destroy());
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const response = await send(port());
  t.match(response?.start, 'HTTP/1.1 502');
  t.match(response?.body, /^No complete response from 127\.0\.0\.1:\d+: the connection /);
  t.equal(backend.requests.length, 1);
});

test('with maxSize 1 a stale connection makes room for the new one', async (t) => {
  const backend = await socketBackend(t, ({ socket, nth }) => {
    if (nth === 1) answer(socket);
    else socket.destroy();
  });
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['client: {hostConnectionPool: {maxSize: 1}}'],
  });
  const replies = await Promise.all(Array.from({ length: 30 }, () => httpRequest(url(port()), web)));
  t.strictSame([...new Set(replies.map(({ status }) => status))], [200]);
});

test('an answer that began is not repeated: it is cut, and counted as a failure', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', () =>
      setTimeout(() => socket.destroy(), 50),
    );
  });
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  await t.rejects(httpRequest(url(port()), web));
  t.equal(backend.requests.length, 1);
  t.match(await metrics(), {
    'rt/http/service/svc/web/success': 0,
    'rt/http/service/svc/web/failures': 1,
    'rt/http/client/#/io.l5d.fs/web/failures': 1,
    [`rt/http/server/127.0.0.1/${port()}/failures`]: 1,
    [`rt/http/server/127.0.0.1/${port()}/pending`]: 0,
  });
});

test('a 5xx is a failure however it is framed, and leaves its connection in the pool', async (t) => {
  const backend = await socketBackend(t, ({ socket, target }) => {
    const head = 'HTTP/1.1 500 Oops\r\n';
    if (target === '/sized') socket.write(`${head}Content-Length: 2\r\n\r\nno`);
    else {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      setTimeout(() => socket.write('2\r\nno\r\n0\r\n\r\n'), 20);
    }
  });
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  for (const path of ['/sized', '/chunked', '/sized']) {
    t.match(await httpRequest(url(port(), path), web), {
      status: 500,
      body: 'no',
      headers: { 'l5d-success-class': '0.0' },
    });
  }
  t.equal(backend.connections(), 1);
  t.match(await metrics(), {
    'rt/http/service/svc/web/failures': 3,
    'rt/http/service/svc/web/success': 0,
    [`rt/http/server/127.0.0.1/${port()}/failures`]: 3,
  });
});

test('a connect that nobody answers ends with the timeout', async (t) => {
  const hole = await blackHole(t);
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port } = await startWorld(t, {
    names: { web: [hole], both: [hole, backend.port] },
    router: ['client: {connectTimeoutMs: 100}'],
  });
  t.match(await send(port()), { start: 'HTTP/1.1 502 Bad Gateway', body: /^Unable to establish connection/ });
  for (let i = 0; i < 4; i++) t.match(await send(port(), { host: 'both' }), { start: 'HTTP/1.1 200 OK' });
});

// An orderly end may be a half-close: whoever sends it may still want the answer.
test('a client that resets its connection takes its request along', async (t) => {
  const backend = await socketBackend(t, () => {});
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  const request = http.get({ port: port(), host: '127.0.0.1', headers: { host: 'web' } }).on('error', () => {});
  await until(() => backend.requests.length === 1);
  request.socket?.resetAndDestroy();
  await until(() => backend.sockets.size === 0);
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
  t.match(await metrics(), { 'rt/http/service/svc/web/failures': 1 });
});
