import { test } from 'tap';
import { type Activity, constant, failed, ok, pending, variable } from '../../src/live/index.ts';
import { type BoundName, leaves, type NamerTree, Path, type Resolver, utilityNamers } from '../../src/naming/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';

function setUp() {
  const hosts = new Map<string, Activity<readonly string[]>>([['web', ok(['10.0.0.1', '10.0.0.2'])]]);
  const web = variable(hosts.get('web')!);
  const asked: string[] = [];
  const resolver: Resolver = {
    resolve: (host) => {
      asked.push(host);
      return host === 'web' ? web : constant(hosts.get(host) ?? ok([]));
    },
    resolveOnce: async (host) => {
      asked.push(`once ${host}`);
      if (host === 'broken') throw new Error('SERVFAIL');
      return hosts.get(host)?.value ?? [];
    },
  };
  const namer = utilityNamers(resolver, { lingerMs: 10 });
  const lookup = (path: string): Activity<NamerTree> => namer.lookup(Path.parse(path)).value;
  const bound = (path: string): BoundName => {
    const [name] = leaves(lookup(path).value!);
    if (name === undefined || name instanceof Path) throw new Error(`${path} is not bound`);
    return name;
  };
  return { web, asked, namer, lookup, bound };
}

const hosts = (name: BoundName) => {
  const addr = name.addr.value;
  return addr.state === 'bound' ? addr.endpoints.map(({ host, port }) => `${host} ${port}`) : addr;
};

test('inet: host and port, the rest is the residual', async (t) => {
  const { bound, web } = setUp();
  const name = bound('/inet/web/8080/x/y');
  t.equal(name.id.show(), '/inet/web/8080');
  t.equal(name.residual.show(), '/x/y');
  t.strictSame(hosts(name), ['10.0.0.1 8080', '10.0.0.2 8080']);
  web.set(ok(['10.0.0.3']));
  t.strictSame(hosts(name), ['10.0.0.3 8080'], 'it follows the name');
  web.set(failed(new Error('SERVFAIL'), web.value));
  t.strictSame(hosts(name), ['10.0.0.3 8080'], 'and keeps the last addresses');
  web.set(failed(new Error('SERVFAIL')));
  t.strictSame(hosts(name), { state: 'failed', cause: 'SERVFAIL' });
  web.set(pending());
  t.strictSame(hosts(name), { state: 'pending' });
  web.set(ok([]));
  t.strictSame(hosts(name), { state: 'neg' });
  t.equal(bound('/inet/web/8080').addr, name.addr, 'the same host and port have the same address set');
});

test('inet: literals and the loopback address need no resolver', async (t) => {
  const { bound, asked } = setUp();
  for (const [path, expected] of [
    ['/inet/localhost/80', '127.0.0.1 80'],
    ['/inet/8080', '127.0.0.1 8080'],
    ['/inet/8080/x', '127.0.0.1 8080'],
    ['/inet/127.0.0.1/80', '127.0.0.1 80'],
    ['/inet/127.1/80', '127.0.0.1 80'],
    ['/inet/10.1.513/80', '10.1.2.1 80'],
    ['/inet/3232235777/80', '192.168.1.1 80'],
    ['/inet/::1/80', '::1 80'],
    ['/fixedinet/127.1/80', '127.0.0.1 80'],
    ['/io.buoyant.rinet/80/127.1', '127.0.0.1 80'],
  ] as const) {
    t.strictSame(hosts(bound(path)), [expected], path);
  }
  t.strictSame(asked, []);
  for (const path of ['/inet/256.1/80', '/inet/1.2.3.256/80', '/inet/1.2.3.4.5/80', '/inet/4294967296/80']) {
    t.strictSame(hosts(bound(path)), { state: 'neg' }, `${path} is a name, and not known`);
  }
});

test('inet: ports that are none', async (t) => {
  const { bound, lookup } = setUp();
  for (const port of ['65536', '-1', '2147483647']) {
    t.strictSame(hosts(bound(`/inet/web/${port}`)), { state: 'failed', cause: `port out of range:${port}` });
  }
  t.match(lookup('/inet/web/http'), { error: { message: 'Unknown namer: inet for path: /$/inet/web/http' } });
  t.match(lookup('/inet/web/2147483648'), { error: { message: /Unknown namer: inet/ } });
  t.match(lookup('/inet'), { error: { message: 'Unknown namer: inet for path: /$/inet' } });
});

test('fixedinet resolves once', async (t) => {
  const { bound, asked } = setUp();
  const name = bound('/fixedinet/web/80/rest');
  t.equal(name.id.show(), '/fixedinet/web/80');
  const watchers = [name, bound('/fixedinet/web/81'), bound('/fixedinet/broken/80')].map(
    ({ addr }) => new Watcher(addr),
  );
  await eventually(() => watchers.every((watcher) => watcher.last !== undefined && watcher.last.state !== 'pending'));
  t.strictSame(hosts(name), ['10.0.0.1 80', '10.0.0.2 80']);
  t.match(watchers[2]!.last, { state: 'failed', cause: 'SERVFAIL' });
  t.strictSame(asked, ['once web', 'once broken']);
  for (const watcher of watchers) watcher.stop();
});

test('names that objects have by nature are unknown namers', async (t) => {
  const { lookup } = setUp();
  for (const name of ['constructor', '__proto__', 'toString']) {
    t.match(lookup(`/${name}/x`), { error: { message: `Unknown namer: ${name} for path: /$/${name}/x` } });
  }
});

test('hosts with ports: what Java makes of colons', async (t) => {
  const { lookup } = setUp();
  const rewritten = (path: string) => {
    const now = lookup(path);
    const tree = now.value;
    return tree?.type === 'leaf' && tree.value instanceof Path ? tree.value.show() : (tree?.type ?? now.phase);
  };
  for (const [path, expected] of [
    ['/io.buoyant.hostportPfx/svc/web:80:', '/svc/web/80'],
    ['/io.buoyant.porthostPfx/svc/web:80::/x', '/svc/80/web/x'],
    ['/io.buoyant.hostportPfx/svc/web:', 'neg'],
    ['/io.buoyant.hostportPfx/svc/web::80', 'neg'],
    ['/io.buoyant.hostportPfx/svc/:80', 'failed'],
    ['/io.buoyant.http.subdomainOf/a.b/:80.a.b', '/:80'],
    ['/io.buoyant.http.subdomainOf/a.b/web.a.b:80:81', '/web'],
  ] as const) {
    t.equal(rewritten(path), expected, path);
  }
});
