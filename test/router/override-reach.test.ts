/** How far an override reaches once it is bound: by whatever path, a host is judged by the addresses that it has now. */
import { type Test, test } from 'tap';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { type Activity, failed, ok, pending, variable } from '../../src/live/index.ts';
import { type BoundName, Dtab, leaves, type NameTree, Path, type Resolver } from '../../src/naming/index.ts';
import type { InetReach } from '../../src/port/protocol.ts';
import { bindRequest, isGuarded } from '../../src/router/override-reach.ts';
import { Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';

const BASE = `/svc => /#/n;
  /svc/legacy => /$/inet/10.0.0.5/80;
  /svc/own-metadata => /$/inet/169.254.169.254/80;
  /net => /$/inet;
  /any => /$/io.buoyant.http.anyMethod;`;

function setUp(t: Test) {
  const namer = new MapNamer();
  namer.bind('/web');
  const hosts = new Map<string, ReturnType<typeof variable<Activity<readonly string[]>>>>();
  const host = (name: string, ...addresses: string[]) => {
    const known = hosts.get(name);
    if (known === undefined) hosts.set(name, variable(ok(addresses)));
    else known.set(ok(addresses));
  };
  const resolver: Resolver = {
    resolve: (name) => hosts.get(name) ?? variable<Activity<readonly string[]>>(ok([])),
    resolveOnce: async (name) => hosts.get(name)?.value.value ?? [],
  };
  const interpreter = new DefaultInterpreter({ namers: [{ prefix: Path.utf8('n'), namer }], resolver, lingerMs: 20 });
  t.teardown(() => interpreter.close());
  /** What a request for the path gets: its endpoints, or why it is refused. */
  const watch = (override: string, path = '/svc/x', inet: InetReach = 'deny-link-local') => {
    const live = bindRequest(interpreter, Dtab.parse(BASE), Dtab.parse(override), Path.parse(path), inet);
    const watcher = new Watcher(live);
    t.teardown(() => watcher.stop());
    return watcher;
  };
  const settled = async (...asked: Parameters<typeof watch>): Promise<string> => {
    const now = await watch(...asked).until(({ phase }) => phase !== 'pending');
    return now.phase === 'failed' ? `${now.error.name}: ${now.error.message}` : shown(now);
  };
  return { host, namer, watch, settled };
}

function shown(activity: Activity<NameTree<BoundName>>): string {
  const names = [...leaves((activity as { value: NameTree<BoundName> }).value)];
  return names.map(({ id, addr }) => `${id.show()} ${hostsOf(addr.value)}`).join(' | ');
}

function hostsOf(addr: BoundName['addr']['value']): string {
  return addr.state === 'bound' ? addr.endpoints.map(({ host }) => host).join(',') : addr.state;
}

const REFUSED = /^BindRefused: a dtab override may not lead to/;

test('literals and whatever stands for them', async (t) => {
  const { settled } = setUp(t);
  for (const path of [
    '/$/inet/169.254.169.254/80',
    '/$/fixedinet/169.254.169.254/80',
    '/$/io.buoyant.rinet/80/169.254.169.254',
    '/$/inet/2852039166/80',
    '/$/inet/169.16689662/80',
    '/$/inet/fe80::1/80',
    '/$/inet/::ffff:169.254.1.1/80',
    '/$/inet/::ffff:a9fe:a9fe/80',
    '/$/inet/64:ff9b::a9fe:a9fe/80',
    '/$/inet/fd00:ec2::254/80',
    '/$/inet/100.100.100.200/80',
    '/net/169.254.169.254/80',
    '/any/GET/$/inet/169.254.169.254/80',
    '/$/io.buoyant.http.anyHostPfx/$/a/inet/169.254.169.254/80',
    '/$/inet/10.0.0.1/80 & /$/inet/169.254.169.254/80',
    '/svc/own-metadata',
  ]) {
    t.match(await settled(`/svc/x => ${path}`), REFUSED, path);
  }
  for (const [path, hosts] of [
    ['/$/inet/10.0.0.1/80', '10.0.0.1'],
    ['/$/inet/127.0.0.1/80', '127.0.0.1'],
    ['/net/10.0.0.1/80', '10.0.0.1'],
    ['/svc/web', '127.0.0.1'],
  ] as const) {
    t.match(await settled(`/svc/x => ${path}`), hosts, path);
  }
});

test('a name that resolves to such an address is refused, and one that comes to do so has no endpoints left', async (t) => {
  const { host, watch, settled } = setUp(t);
  host('metadata', '169.254.169.254');
  t.match(await settled('/svc/x => /$/inet/metadata/80'), REFUSED);
  host('mixed', '10.0.0.1', '169.254.169.254', 'fe80::1%eth0');
  t.equal(await settled('/svc/x => /$/inet/mixed/80'), '/$/inet/mixed/80 10.0.0.1');

  host('rebound', '10.0.0.1');
  const watcher = watch('/svc/x => /$/inet/rebound/80');
  const first = await watcher.until(({ phase }) => phase === 'ok');
  const [name] = leaves(first.value as NameTree<BoundName>);
  const addresses = new Watcher((name as BoundName).addr);
  t.teardown(() => addresses.stop());
  await addresses.until((addr) => hostsOf(addr) === '10.0.0.1');
  host('rebound', '169.254.169.254');
  await addresses.until(({ state }) => state === 'failed');
  host('rebound', '169.254.169.254', '10.0.0.2');
  await addresses.until((addr) => hostsOf(addr) === '10.0.0.2');
});

test('where the request would go without its override, it may go with one', async (t) => {
  const { settled } = setUp(t);
  for (const inet of ['deny', 'deny-link-local', 'allow'] as const) {
    t.match(await settled('/svc/other => /svc/web', '/svc/legacy', inet), '10.0.0.5', inet);
    t.match(await settled('/svc/other => /svc/web', '/svc/own-metadata', inet), '169.254.169.254', inet);
  }
  t.match(await settled('/svc/x => /svc/legacy', '/svc/x', 'deny'), REFUSED);
  t.match(await settled('/svc/x => /svc/legacy', '/svc/x', 'deny-link-local'), '10.0.0.5');
});

test('deny and allow', async (t) => {
  const { settled, host } = setUp(t);
  host('metadata', '169.254.169.254');
  t.match(await settled('/svc/x => /net/10.0.0.1/80', '/svc/x', 'deny'), REFUSED);
  t.equal(await settled('/svc/x => /net/metadata/80', '/svc/x', 'allow'), '/$/inet/metadata/80 169.254.169.254');
  t.match(await settled('/svc/x => /svc/web', '/svc/x', 'deny'), '/#/n/web');
});

test('what the operator’s namers hold is the operator’s business', async (t) => {
  const { settled, namer } = setUp(t);
  namer.bind('/link-local');
  namer.addr('/link-local', { state: 'bound', endpoints: [{ host: '169.254.1.1', port: 80, weight: 1 }] });
  t.match(await settled('/svc/x => /#/n/link-local'), '169.254.1.1');
});

test('a failure and a name that is not known yet stay what they are', async (t) => {
  const { namer, watch } = setUp(t);
  namer.answer('/down', failed(new Error('down')));
  t.match(await watch('/svc/x => /#/n/down').until(({ phase }) => phase === 'failed'), { error: { message: 'down' } });
  namer.answer('/slow', pending());
  t.match(await watch('/svc/x => /#/n/slow').until(() => true), { phase: 'pending' });
});

test('addresses', async (t) => {
  for (const host of [
    '169.254.0.0',
    '169.254.255.255',
    'fe80::',
    'febf::1',
    '::169.254.0.1',
    '2002:a9fe:1::',
    '2002:6464:64c8::1',
    '64:ff9b::168.63.129.16',
    '64:ff9b:1::a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::ffff:100.100.100.200',
    'host',
    '',
  ]) {
    t.ok(isGuarded(host), host);
  }
  for (const host of [
    '169.253.255.255',
    '169.255.0.0',
    '10.0.0.1',
    '::1',
    'fec0::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '2002:6464:64c9::1',
  ]) {
    t.notOk(isGuarded(host), host);
  }
});
