// What is io.l5d.namerd.http's alone; remote.test.ts has what it shares with the other interpreters that ask namerd.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { namerdHttp } from '../../src/interpreters/namerd-http/index.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { startController } from '../support/controller.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { freePorts } from '../support/ports.ts';
import { startInterpreter, type TestInterpreterOptions } from '../support/remote-interpreter.ts';
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

test('each namespace has its dtab, whatever its name', async (t) => {
  const namer = names(['/blue/web', 1]);
  const { port } = await startController(t, { namespaces: { 'a b/c?': '/svc => /#/test/blue' }, namer });
  const { watch } = start(t, { ports: [port], config: { namespace: 'a b/c?' } });
  await watch('/svc/web').until('/#/test/blue/web');
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

test('a namerd with as many connections as it may have keeps the watches that are open', async (t) => {
  const paths = Array.from({ length: 8 }, (_, at) => `/web${at}`);
  const maxConnections = 6;
  const namer = names(...paths.map((path, at): [string, number] => [path, at + 1]));
  const namerd = await startController(t, { namespaces: dtabs, namer, config: { maxConnections } });
  const { watch, state, metric, log } = start(t, { ports: [namerd.port] });
  const watched = paths.map((path) => watch(`/svc${path}`));
  const bound = () => watched.filter(({ shown }) => shown !== undefined);
  await eventually(() => namerd.watches() === maxConnections);
  const before = bound();
  t.ok(before.length > 0);
  t.ok(before.length < paths.length, 'each needs two connections at some time, so there are not enough');
  const changesBefore = before.map(({ changes }) => changes);
  const asked = () => metric('bind/requests') ?? 0;
  // Those that got none are tried again all the while, and each of them makes Signpost ask whether namerd is there.
  const from = asked();
  await eventually(() => asked() >= from + 12);
  t.match(state(), { connected: true, namerds: [{ up: true, problem: /other side closed|ECONNRESET/ }] });
  t.strictSame(
    before.map(({ changes }) => changes),
    changesBefore,
    'no watch was left',
  );
  t.notOk(log.lines.some(({ message }) => message === 'namerd is away'));
  t.match(
    namerd.log.lines.filter(({ message }) => message.includes('maxConnections')),
    [{ level: 'warn', maxConnections, refused: 1 }],
    'said once a minute',
  );
});
