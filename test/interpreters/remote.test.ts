// What every interpreter that asks namerd does, whatever the protocol: against namerds of the same process, over real connections.
import { type Test, test } from 'tap';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import type { DtabStorage } from '../../namerd/storage/storage.ts';
import { mesh } from '../../src/interpreters/mesh/index.ts';
import { namerdHttp } from '../../src/interpreters/namerd-http/index.ts';
import { variable } from '../../src/live/index.ts';
import { Dtab, explanationJson, leaf, Path } from '../../src/naming/index.ts';
import { startController } from '../support/controller.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { startTestNamerd } from '../support/mesh-server.ts';
import { startInterpreter, type TestInterpreterOptions } from '../support/remote-interpreter.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';

interface World {
  readonly storage: DtabStorage;
  /** Mounted at `/#/test`. */
  readonly namer: MapNamer;
  /** Another namerd of the same storage and namer. */
  serve(port?: number): Promise<TestServer>;
  start(options: TestInterpreterOptions): ReturnType<typeof startInterpreter>;
}

interface TestServer {
  readonly port: number;
  streams(): number;
  close(): Promise<void>;
}

interface Protocol {
  readonly kind: typeof mesh | typeof namerdHttp;
  /** How a config names a namespace. */
  readonly namespace: (name: string) => Record<string, unknown>;
  readonly serve: (t: Test, world: Pick<World, 'storage' | 'namer'>, port: number) => Promise<TestServer>;
}

const protocols: readonly Protocol[] = [
  {
    kind: mesh,
    namespace: (name) => ({ root: `/${name}` }),
    serve: async (t, { storage, namer }, at) => {
      const { port, state, close } = await startTestNamerd(t, { storage, namer, port: at });
      return { port, streams: () => state()['streams'] as number, close };
    },
  },
  {
    kind: namerdHttp,
    namespace: (name) => ({ namespace: name }),
    serve: async (t, { storage, namer }, at) => {
      const { port, watches, close } = await startController(t, { storage, namer, config: { port: at } });
      return { port, streams: watches, close };
    },
  },
];

const DTAB = '/svc => /#/test';
const isBoundTo = (port: number) => (addr: { state: string; endpoints?: readonly { port: number }[] }) =>
  addr.endpoints?.[0]?.port === port;

for (const { kind, namespace, serve } of protocols) {
  /** Names that the namer binds, and dtabs by namespace. */
  function world(t: Test, names: Record<string, number>, dtabs: Record<string, string> = { default: DTAB }): World {
    const namer = new MapNamer();
    for (const [path, port] of Object.entries(names)) namer.bind(path, port);
    const storage = new InMemoryStorage(
      Object.fromEntries(Object.entries(dtabs).map(([name, dtab]) => [name, Dtab.parse(dtab)])),
    );
    return {
      storage,
      namer,
      serve: (port = 0) => serve(t, { storage, namer }, port),
      start: (options) => startInterpreter(t, { kind, ...options }),
    };
  }

  test(`${kind.kind}: names, addresses and their changes come from namerd`, async (t) => {
    const { serve, start, namer, storage } = world(t, { '/web': 8080, '/v2': 8082 });
    const { port } = await serve();
    const { watch, state, metric } = start({ ports: [port] });
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

    const watched = { streaming: true, namerd: `127.0.0.1:${port}` };
    t.match(state(), {
      connected: true,
      namerds: [{ address: `127.0.0.1:${port}`, up: true }],
      bind: {
        '/svc/web': {
          '': { state: { running: true, value: '~' }, watch: watched },
          '/svc/web=>/#/test/v2': { state: { value: '/#/test/v2' } },
        },
        '/nosuch': { '': { state: { value: '~' } } },
      },
      resolve: { '/#/test/web': { state: { value: { state: 'bound' } } } },
    });
    t.equal(metric('bindcache.size'), 3);
    t.ok((metric('bind/requests') ?? 0) >= 3);
  });

  test(`${kind.kind}: weights and metadata of endpoints travel`, async (t) => {
    const { serve, start, namer } = world(t, { '/web': 1 });
    const endpoints = [
      { host: '127.0.0.1', port: 1, weight: 1 },
      { host: '::1', port: 2, weight: 0.5, meta: { nodeName: 'n1' } },
    ];
    namer.addr('/web', { state: 'bound', endpoints, meta: { authority: 'web.example' } });
    const { port } = await serve();
    const web = start({ ports: [port] }).watch('/svc/web');
    const addr = await web.addr(({ state }) => state === 'bound');
    t.same(addr, { state: 'bound', endpoints, meta: { authority: 'web.example' } });
    namer.addr('/web', { state: 'neg' });
    await web.addr(({ state }) => state === 'neg');
  });

  test(`${kind.kind}: each namespace has its dtab`, async (t) => {
    const { serve, start } = world(t, { '/web': 1, '/blue/web': 2 }, { default: DTAB, blue: '/svc => /#/test/blue' });
    const { port } = await serve();
    await start({ ports: [port], config: namespace('blue') })
      .watch('/svc/web')
      .until('/#/test/blue/web');
  });

  test(`${kind.kind}: a delegation comes from namerd, its addresses too, and follows what changes`, async (t) => {
    const { serve, start, storage } = world(t, { '/web': 8080 });
    const { port } = await serve();
    const explanation = start({ ports: [port] }).interpreter.delegate(
      Dtab.parse('/host => /svc'),
      Path.parse('/host/web'),
    );
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
    t.notOk('dentry' in (value as object), 'the root came by no entry');
    await storage.put('default', Dtab.parse('/svc => 1 * /#/test & 2 * (! | ~ | $ | /svc)'), {});
    const changed = await json.until((now) => JSON.stringify(now.value).includes('Max recursion'));
    t.match(changed.value, {
      delegate: { type: 'union', union: [{ weight: 1 }, { weight: 2, tree: { type: 'alt' } }] },
    });
  });

  test(`${kind.kind}: a failure is told at once and lasts no longer than its cause`, async (t) => {
    const { serve, start, storage } = world(t, { '/web': 1 }, { default: '/svc => /b; /b => /svc' });
    const { port } = await serve();
    const web = start({ ports: [port] }).watch('/svc/web');
    await web.failed(/Max recursion level: 100 reached/);
    await storage.put('default', Dtab.parse(DTAB), {});
    await web.until('/#/test/web');
  });

  test(`${kind.kind}: while namerd is away what is bound stays, and what is not waits`, async (t) => {
    const { serve, start, storage, namer } = world(t, { '/web': 8080, '/late': 8082 });
    const first = await serve();
    const { watch, state, metric, log } = start({ ports: [first.port] });
    const web = watch('/svc/web');
    await web.addr(isBoundTo(8080));

    await first.close();
    await eventually(() => !state().connected);
    const late = watch('/svc/late');
    await eventually(() => (metric('staleness_ms') ?? 0) > 0, 'the staleness to be told');
    t.equal(metric('connected'), 0);
    t.equal(web.shown, '/#/test/web');
    t.match(await web.addr(() => true), { state: 'bound', endpoints: [{ port: 8080 }] });
    t.equal(late.activity?.phase, 'pending');
    t.match(
      log.lines.find(({ message }) => message === 'namerd is away'),
      { level: 'warn', problem: /./ },
    );

    namer.bind('/v2', 8081);
    await storage.put('default', Dtab.parse('/svc => /#/test; /svc/web => /#/test/v2'), {});
    await serve(first.port);
    await web.until('/#/test/v2');
    await web.addr(isBoundTo(8081));
    await late.until('/#/test/late');
    await eventually(() => metric('connected') === 1 && metric('staleness_ms') === 0);
  });

  test(`${kind.kind}: an answer that namerd does not have is waited for, and what was known is kept`, async (t) => {
    const { serve, start, namer } = world(t, { '/web': 8080 });
    const first = await serve();
    const { watch, state } = start({ ports: [first.port] });
    const web = watch('/svc/web');
    await web.addr(isBoundTo(8080));
    await first.close();
    await eventually(() => !state().connected);

    // Just started, and its own discovery has not answered yet; then it says that it can't.
    namer.answer('/web', { phase: 'pending', since: 0 });
    namer.addr('/web', { state: 'pending' });
    const second = await serve(first.port);
    await eventually(() => second.streams() === 2, 'both watches to be back');
    t.equal(web.shown, '/#/test/web');
    t.match(await web.addr(() => true), { state: 'bound', endpoints: [{ port: 8080 }] });
    namer.answer('/web', { phase: 'failed', error: new Error('consul is away'), since: 0 });
    await web.failed(/consul is away/);
    t.equal(web.shown, '/#/test/web');
    const nowhere = variable({ state: 'neg' as const });
    namer.answer('/web', leaf({ id: Path.parse('/web'), residual: Path.empty, addr: nowhere }));
    await web.until('/#/test/web');
  });

  test(`${kind.kind}: watches are spread over several namerds, and move when one goes away`, async (t) => {
    const paths = Array.from({ length: 20 }, (_, i) => `/n${i}`);
    const { serve, start, storage, namer } = world(t, Object.fromEntries(paths.map((path) => [path, 1])));
    const namerds = await Promise.all([serve(), serve(), serve()]);
    const { watch, state } = start({ ports: namerds.map(({ port }) => port) });
    const first = watch('/svc/n0');
    await first.until('/#/test/n0');
    await eventually(() => state().namerds.filter(({ up }) => up).length === 3, 'all to be connected');
    const watched = [first, ...paths.slice(1).map((path) => watch(`/svc${path}`))];
    for (const [i, name] of watched.entries()) await name.until(`/#/test/n${i}`);
    const spread = namerds.map((namerd) => namerd.streams());
    t.ok(
      spread.every((streams) => streams >= 5),
      `${spread}`,
    );

    await namerds[0].close();
    namer.bind('/v2', 2);
    await storage.put('default', Dtab.parse('/svc/* => /#/test/v2'), {});
    for (const name of watched) await name.until('/#/test/v2');
    await watch('/svc/new').until('/#/test/v2');
  });

  test(`${kind.kind}: a namerd that falls silent is left for another`, async (t) => {
    const { serve, start, storage } = world(t, { '/web': 1, '/v2': 2 });
    const silent = await serve();
    const relay = await startTcpRelay(t, silent.port);
    const other = await serve();
    const { watch, state, interpreter } = start({ ports: [relay.port, other.port] });
    interpreter.start();
    await eventually(() => state().namerds.filter(({ up }) => up).length === 2);
    const names = Array.from({ length: 4 }, (_, i) => watch('/svc/web', `/x => /y${i}`));
    for (const name of names) await name.until('/#/test/web');
    relay.fallSilent();
    await storage.put('default', Dtab.parse('/svc/web => /#/test/v2'), {});
    for (const name of names) await name.until('/#/test/v2');
    t.match(
      state().namerds.find(({ address }) => address.endsWith(`:${relay.port}`)),
      { up: false, watches: 0 },
    );
  });

  test(`${kind.kind}: namerds come and go with the addresses of dst`, async (t) => {
    const { serve, start, storage } = world(t, { '/web': 1 });
    const [old, fresh] = await Promise.all([serve(), serve()]);
    const { watch, locate, state } = start({ ports: [old.port] });
    const web = watch('/svc/web');
    await web.addr(isBoundTo(1));
    const before = web.changes;
    locate(fresh.port);
    await eventually(() => old.streams() === 0, 'the old one to be left');
    await eventually(() => fresh.streams() === 2, 'the new one to be asked');
    t.equal(web.changes, before, 'nobody noticed');
    locate();
    t.equal(state().namerds.length, 1, 'no address is no reason to leave');
    await storage.put('default', Dtab.parse('/svc => /nosuch'), {});
    await web.until('~');
  });

  test(`${kind.kind}: a name that nobody reads any more is not watched`, async (t) => {
    const { serve, start } = world(t, { '/web': 1 });
    const { port, streams } = await serve();
    const web = start({ ports: [port], lingerMs: 0 }).watch('/svc/web');
    await web.addr((addr) => addr.state === 'bound');
    t.equal(streams(), 2);
    web.stop();
    await eventually(() => streams() === 0);
  });
}
