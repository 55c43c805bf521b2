// io.l5d.namerd.http of Signpost against HTTP controllers of the same process, over real connections.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import { namerdHttp } from '../../src/interpreters/namerd-http/index.ts';
import { Dtab, explanationJson, Path } from '../../src/naming/index.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { startController } from '../support/controller.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { freePorts } from '../support/ports.ts';
import { startInterpreter, type TestInterpreterOptions } from '../support/remote-interpreter.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

const dtabs = { default: '/svc => /#/test' };
const isBoundTo = (port: number) => (addr: { state: string; endpoints?: readonly { port: number }[] }) =>
  addr.endpoints?.[0]?.port === port;

const start = (t: Test, options: TestInterpreterOptions) => startInterpreter(t, { kind: namerdHttp, ...options });

function names(...bound: [path: string, port: number][]): MapNamer {
  const namer = new MapNamer();
  for (const [path, port] of bound) namer.bind(path, port);
  return namer;
}

test('names, addresses and their changes come from namerd', async (t) => {
  const namer = names(['/web', 8080], ['/v2', 8082]);
  const { port, storage } = await startController(t, { namespaces: dtabs, namer });
  const { watch, state, metric } = start(t, { ports: [port] });
  const web = watch('/svc/web');
  await web.until('/#/test/web');
  t.same(await web.addr(isBoundTo(8080)), {
    state: 'bound',
    endpoints: [{ host: '127.0.0.1', port: 8080, weight: 1 }],
  });
  const before = web.changes;
  namer.bind('/web', 8081);
  await web.addr(isBoundTo(8081));
  t.equal(web.changes, before, 'addresses alone change no tree');
  await storage.put('default', Dtab.parse('/svc/web => 1 * /#/test/web & 3 * /#/test/v2'), {});
  await web.until('/#/test/web & 3.00*/#/test/v2');
  await watch('/svc/web', '/svc/web => /#/test/v2').until('/#/test/v2');
  await watch('/nosuch').until('~');
  await storage.delete('default', {});
  await web.until('~');
  t.match(state(), { connected: true, namerds: [{ address: `127.0.0.1:${port}`, up: true }] });
  t.ok((metric('bind/requests') ?? 0) >= 3);
  await eventually(() => metric('connected') === 1);
});

test('weights and metadata of endpoints travel', async (t) => {
  const namer = new MapNamer();
  namer.bind('/web');
  const endpoints = [{ host: '::1', port: 1, weight: 0.5, meta: { nodeName: 'n1' } }];
  namer.addr('/web', { state: 'bound', endpoints, meta: { authority: 'web.example' } });
  const { port } = await startController(t, { namespaces: dtabs, namer });
  const web = start(t, { ports: [port] }).watch('/svc/web');
  t.same(await web.addr(({ state }) => state === 'bound'), {
    state: 'bound',
    endpoints,
    meta: { authority: 'web.example' },
  });
  namer.addr('/web', { state: 'neg' });
  await web.addr(({ state }) => state === 'neg');
});

test('each namespace has its dtab, whatever its name', async (t) => {
  const namer = names(['/blue/web', 1]);
  const { port } = await startController(t, { namespaces: { 'a b/c?': '/svc => /#/test/blue' }, namer });
  const { watch } = start(t, { ports: [port], config: { namespace: 'a b/c?' } });
  await watch('/svc/web').until('/#/test/blue/web');
});

test('a delegation comes from namerd, and follows what changes', async (t) => {
  const namer = names(['/web', 8080]);
  const { port, storage } = await startController(t, { namespaces: dtabs, namer });
  const { interpreter } = start(t, { ports: [port] });
  const explanation = interpreter.delegate(Dtab.parse('/host => /svc'), Path.parse('/host/web'));
  const json = new Watcher({
    get value() {
      return explanationJson(explanation);
    },
  });
  t.teardown(json.stop);
  const bound = { id: '/#/test/web', addr: { type: 'bound', addrs: [{ ip: '127.0.0.1', port: 8080 }] } };
  const { value } = await json.until((now) => now.phase === 'ok');
  t.match(value, {
    type: 'delegate',
    path: '/host/web',
    delegate: {
      type: 'delegate',
      path: '/svc/web',
      dentry: { prefix: '/host', dst: '/svc' },
      delegate: { type: 'leaf', dentry: { prefix: '/svc', dst: '/#/test' }, bound },
    },
  });
  await storage.put('default', Dtab.parse('/svc => 1 * /#/test & 2 * (! | ~ | $ | /svc)'), {});
  const changed = await json.until((now) => JSON.stringify(now.value).includes('Max recursion'));
  t.match(changed.value, { delegate: { type: 'union', union: [{ weight: 1 }, { weight: 2, tree: { type: 'alt' } }] } });
});

test('a failure is told at once and lasts no longer than its cause', async (t) => {
  const namer = names(['/web', 1]);
  const { port, storage } = await startController(t, { namespaces: { default: '/svc => /b; /b => /svc' }, namer });
  const web = start(t, { ports: [port] }).watch('/svc/web');
  await web.failed(/Max recursion level: 100 reached/);
  await storage.put('default', Dtab.parse(dtabs.default), {});
  await web.until('/#/test/web');
});

test('while namerd is away what is bound stays, and what is not waits', async (t) => {
  const storage = new InMemoryStorage({ default: Dtab.parse(dtabs.default) });
  const namer = names(['/web', 8080], ['/late', 8082]);
  const first = await startController(t, { storage, namer });
  const { watch, state, metric, log } = start(t, { ports: [first.port] });
  const web = watch('/svc/web');
  await web.addr(isBoundTo(8080));
  await first.close();
  await eventually(() => !state().connected);
  const late = watch('/svc/late');
  await eventually(() => (metric('staleness_ms') ?? 0) > 0, 'the staleness to be told');
  t.equal(web.shown, '/#/test/web');
  t.match(await web.addr(() => true), { state: 'bound', endpoints: [{ port: 8080 }] });
  t.equal(late.activity?.phase, 'pending');
  t.ok(log.lines.some(({ level, message }) => level === 'warn' && message === 'namerd is away'));

  namer.bind('/v2', 8081);
  await storage.put('default', Dtab.parse('/svc => /#/test; /svc/web => /#/test/v2'), {});
  await startController(t, { storage, namer, config: { port: first.port } });
  await web.until('/#/test/v2');
  await web.addr(isBoundTo(8081));
  await late.until('/#/test/late');
  await eventually(() => metric('connected') === 1 && metric('staleness_ms') === 0);
});

test('watches are spread over several namerds, and move when one goes away', async (t) => {
  const storage = new InMemoryStorage({ default: Dtab.parse(dtabs.default) });
  const paths = Array.from({ length: 12 }, (_, i) => `/n${i}`);
  const namer = names(...paths.map((path) => [path, 1] as [string, number]));
  const namerds = await Promise.all([0, 1, 2].map(() => startController(t, { storage, namer })));
  const { watch, state, interpreter } = start(t, { ports: namerds.map(({ port }) => port) });
  interpreter.start();
  await eventually(() => state().namerds.filter(({ up }) => up).length === 3, 'all to be connected');
  const watched = paths.map((path) => watch(`/svc${path}`));
  for (const [i, name] of watched.entries()) await name.until(`/#/test/n${i}`);
  const spread = namerds.map((namerd) => namerd.watches());
  t.ok(
    spread.every((streams) => streams >= 3),
    `${spread}`,
  );
  await namerds[0]?.close();
  namer.bind('/v2', 2);
  await storage.put('default', Dtab.parse('/svc/* => /#/test/v2'), {});
  for (const name of watched) await name.until('/#/test/v2');
});

test('a namerd that falls silent is left for another', async (t) => {
  const storage = new InMemoryStorage({ default: Dtab.parse(dtabs.default) });
  const namer = names(['/web', 1], ['/v2', 2]);
  const silent = await startController(t, { storage, namer });
  const relay = await startTcpRelay(t, silent.port);
  const other = await startController(t, { storage, namer });
  const { watch, state, interpreter } = start(t, { ports: [relay.port, other.port] });
  interpreter.start();
  await eventually(() => state().namerds.filter(({ up }) => up).length === 2);
  const watched = Array.from({ length: 4 }, (_, i) => watch('/svc/web', `/x => /y${i}`));
  for (const name of watched) await name.until('/#/test/web');
  relay.fallSilent();
  await storage.put('default', Dtab.parse('/svc/web => /#/test/v2'), {});
  for (const name of watched) await name.until('/#/test/v2');
  t.match(
    state().namerds.find(({ address }) => address.endsWith(`:${relay.port}`)),
    { up: false, watches: 0 },
  );
});

test('a name that nobody reads any more is not watched', async (t) => {
  const { port, watches } = await startController(t, { namespaces: dtabs, namer: names(['/web', 1]) });
  const web = start(t, { ports: [port], lingerMs: 0 }).watch('/svc/web');
  await web.addr((addr) => addr.state === 'bound');
  t.equal(watches(), 2);
  web.stop();
  await eventually(() => watches() === 0);
});

test('over mutual TLS, and with a token that is replaced', async (t) => {
  const authority = certificateAuthority(t);
  const server = authority.issue('namerd');
  const dir = tempDir(t);
  const tokensPath = join(dir, 'tokens');
  const tokenPath = join(dir, 'token');
  writeFileSync(tokensPath, 'signpost s-0123456789abcdef\n');
  writeFileSync(tokenPath, 'not-yet-the-right-one\n');
  const { port } = await startController(t, {
    namespaces: dtabs,
    namer: names(['/web', 8080]),
    config: {
      tls: { ...server, caCertPath: authority.certPath, requireClientAuth: true },
      auth: { tokensPath, grants: [{ name: 'signpost', read: ['default'] }] },
    },
  });
  const tls = { commonName: 'namerd', trustCertsBundle: authority.certPath };
  const clientAuth = authority.issue('signpost-1');
  const { watch, state } = start(t, { ports: [port], config: { tls: { ...tls, clientAuth }, tokenPath } });
  const web = watch('/svc/web');
  await eventually(() => /it refuses us: it answers 401/.test(JSON.stringify(state().namerds)));
  writeFileSync(tokenPath, 's-0123456789abcdef\n');
  await web.addr(isBoundTo(8080));
  const stranger = start(t, { ports: [port], config: { tls, tokenPath } });
  const unbound = stranger.watch('/svc/web');
  await eventually(() => /can not be reached/.test(JSON.stringify(stranger.state().namerds)));
  t.equal(unbound.activity?.phase, 'pending');
});

test('a namerd that answers as the original does: no pings, delegations once, failures as text', async (t) => {
  let delegations = 0;
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://namerd');
    if (pathname === '/api/1/bind/default') {
      response.writeHead(200);
      response.write('{"type":"leaf","bound":{"addr":{"type":"pending"},"id":"/#/io.l5d.fs/web","path":"/"}}\n');
    } else if (pathname === '/api/1/addr/default') {
      response.writeHead(200);
      response.write(
        '{"type":"bound","addrs":[{"ip":"10.0.0.1","port":80,"meta":{"endpoint_addr_weight":0.5}}],"meta":{}}\n',
      );
    } else if (pathname === '/api/1/delegate/default') {
      delegations++;
      const body = '{"type":"neg","path":"/svc/web"}';
      response.writeHead(200, { 'Content-Length': body.length });
      response.end(body);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { watch, interpreter } = start(t, { ports: [(server.address() as AddressInfo).port] });
  const web = watch('/svc/web');
  await web.until('/#/io.l5d.fs/web');
  t.match(await web.addr(({ state }) => state === 'bound'), {
    endpoints: [{ host: '10.0.0.1', port: 80, weight: 0.5 }],
  });
  const delegation = new Watcher(interpreter.delegate(Dtab.empty, Path.parse('/svc/web')));
  t.teardown(delegation.stop);
  t.match((await delegation.until(({ phase }) => phase === 'ok')).value, { type: 'neg', path: Path.parse('/svc/web') });
  t.equal(delegations, 1);
});

test('what is no namerd is left alone, and said', async (t) => {
  const nonsense = http.createServer((_request, response) => response.end('{"type":"strange"}\n'));
  await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    nonsense.closeAllConnections();
    nonsense.close();
  });
  const { watch } = start(t, { ports: [(nonsense.address() as AddressInfo).port] });
  const web = watch('/svc/web');
  await eventually(() => web.activity?.phase === 'pending');
  const [port = 0] = await freePorts(1);
  const nobody = start(t, { ports: [port] });
  const waiting = nobody.watch('/svc/web');
  await eventually(() => /can not be reached: .*ECONNREFUSED/.test(JSON.stringify(nobody.state().namerds)));
  t.equal(waiting.activity?.phase, 'pending');
});
