// admin.httpIdentifierPort: the answer to any request is its name, by router.
import { type Test, test } from 'tap';
import { IdentifierServer } from '../../src/admin/identifier-server.ts';
import { loadConfig } from '../../src/process/load-config.ts';
import { type Sent, send } from '../support/http-client.ts';
import { header, statusOf } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

async function start(t: Test, routers: string): Promise<number> {
  const loaded = await loadConfig({ name: 'linkerd.yaml', text: `routers:\n${routers}` });
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  const server = new IdentifierServer(loaded.config.routers);
  t.teardown(() => server.close());
  return await server.listen('127.0.0.1', 0);
}

async function ask(port: number, sent: Sent): Promise<unknown> {
  const answer = await send(port, sent);
  if (answer === undefined) throw new Error('no answer');
  return JSON.parse(answer.body);
}

const TWO = `
- {protocol: http, servers: [{port: 1}]}
- protocol: http
  label: paths
  dstPrefix: /http
  dtab: /http => /b ;
  identifier: {kind: io.l5d.path, segments: 2, consume: true}
  servers: [{port: 2}]
- {protocol: http, label: verbs, identifier: {kind: io.l5d.methodAndHost}, servers: [{port: 3}]}
- {protocol: http, label: edge, servers: [{port: 4, clearContext: true}]}
`;

test('each router names the request in its own way', async (t) => {
  const port = await start(t, TWO);
  t.same(await ask(port, { host: 'web', target: '/a/b/c?d=e' }), {
    http: { path: '/svc/web' },
    paths: { path: '/http/a/b', dtab: '/http=>/b' },
    verbs: { path: '/svc/1.1/GET/web' },
    edge: { path: '/svc/web' },
  });
});

test('overrides are shown where they count, and what cannot be named says why', async (t) => {
  const port = await start(t, TWO);
  const headers = [
    ['l5d-ctx-dtab', '/a=>/b'],
    ['l5d-dtab', '/c => /d'],
  ] as const;
  t.same(await ask(port, { method: 'POST', host: 'Web:80', target: '/a', headers, body: 'hello' }), {
    http: { path: '/svc/web:80', dtab: '/a=>/b;/c=>/d' },
    paths: { error: 'not enough segments in path' },
    verbs: { path: '/svc/1.1/POST/web:80', dtab: '/a=>/b;/c=>/d' },
    edge: { path: '/svc/web:80' },
  });
  t.match(await ask(port, { host: 'web', target: '/a/b', headers }), {
    paths: { dtab: '/http=>/b;/a=>/b;/c=>/d' },
  });
  t.match(await ask(port, { host: 'web', target: '/a/b', headers: [['l5d-dtab', 'nonsense']] }), {
    http: { error: /'\/' expected but 'n' found/ },
    edge: { path: '/svc/web' },
  });
  t.match(await ask(port, { host: '', target: '/a/b' }), { http: { error: /Host header is absent/ } });
});

test('the target has the forms of HTTP', async (t) => {
  const port = await start(t, '- {protocol: http, servers: [{port: 1}]}');
  t.same(await ask(port, { host: 'other', target: 'http://web/x' }), { http: { path: '/svc/web' } });
  t.same(await ask(port, { method: 'CONNECT', host: 'a', target: 'Web:443' }), { http: { path: '/svc/web:443' } });
  const refused = await send(port, { host: 'web', target: 'x' });
  t.match(refused, { start: /^HTTP\/1\.1 400 /, body: /neither a path nor a URI/ });
  const head = await send(port, { method: 'HEAD' });
  t.match(head, { body: '' });
  t.equal(header(head?.headers ?? [], 'content-type'), 'application/json');
});

test('connections are kept, and bytes that are no request are refused', async (t) => {
  const port = await start(t, '- {protocol: http, servers: [{port: 1}]}');
  const connection = await RawConnection.open(port);
  await connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n');
  await until(() => connection.received.includes('/svc/a') && connection.received.includes('/svc/b'));
  connection.destroy();
  const refused = await RawConnection.open(port);
  await refused.send('nonsense\r\n\r\n');
  await until(() => refused.closed);
  t.match(refused.received, /^HTTP\/1\.1 400 /);
});

test('the config key opens it beside the admin server', async (t) => {
  const [port = 0] = await freePorts(1);
  const { signpost } = await startWorld(t, { admin: `httpIdentifierPort: ${port}` });
  t.same(await ask(port, { host: 'web' }), { http: { path: '/svc/web', dtab: '/svc=>/#/io.l5d.fs' } });
  await signpost.close(0);
  await t.rejects(RawConnection.open(port));
  const answer = await send(port).catch((error: NodeJS.ErrnoException) => error.code);
  t.equal(typeof answer === 'object' && answer !== null ? statusOf(answer) : answer, 'ECONNREFUSED');
});
