// io.l5d.mesh of Signpost against namerds of the same process, over real connections.
import { test } from 'tap';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import { variable } from '../../src/live/index.ts';
import { Dtab, explanationJson, leaf, Path } from '../../src/naming/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { startTestNamerd } from '../support/mesh-server.ts';
import { freePorts } from '../support/ports.ts';
import { startInterpreter } from '../support/remote-interpreter.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';

const dtabs = { default: Dtab.parse('/svc => /#/test') };
const isBoundTo = (port: number) => (addr: { state: string; endpoints?: readonly { port: number }[] }) =>
  addr.endpoints?.[0]?.port === port;

test('names, addresses and their changes come from namerd', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  namerd.namer.bind('/v2', 8082);
  const { watch, state, metric } = startInterpreter(t, { ports: [namerd.port] });
  const web = watch('/svc/web');
  await web.until('/#/test/web');
  t.same(await web.addr(isBoundTo(8080)), {
    state: 'bound',
    endpoints: [{ host: '127.0.0.1', port: 8080, weight: 1 }],
  });
  namerd.namer.bind('/web', 8081);
  await web.addr(isBoundTo(8081));
  await namerd.storage.put('default', Dtab.parse('/svc/web => 1 * /#/test/web & 3 * /#/test/v2'), {});
  await web.until('/#/test/web & 3.00*/#/test/v2');
  await watch('/svc/web', '/svc/web => /#/test/v2').until('/#/test/v2');
  await watch('/nosuch').until('~');
  await namerd.storage.delete('default', {});
  await web.until('~');

  t.match(state(), {
    connected: true,
    namerds: [{ address: `127.0.0.1:${namerd.port}`, up: true }],
    bind: {
      '/svc/web': {
        '': { state: { running: true, value: '~' }, watch: { streaming: true, namerd: `127.0.0.1:${namerd.port}` } },
        '/svc/web=>/#/test/v2': { state: { value: '/#/test/v2' } },
      },
      '/nosuch': { '': { state: { value: '~' } } },
    },
    resolve: { '/#/test/web': { state: { value: { state: 'bound' } } } },
  });
  t.equal(metric('bindcache.size'), 3);
  t.ok((metric('bind/requests') ?? 0) >= 3);
});

test('each namespace has its root', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs: { ...dtabs, blue: Dtab.parse('/svc => /#/test/blue') } });
  namerd.namer.bind('/web');
  namerd.namer.bind('/blue/web');
  const { watch } = startInterpreter(t, { ports: [namerd.port], config: { root: '/blue' } });
  await watch('/svc/web').until('/#/test/blue/web');
});

test('a delegation comes from namerd, its addresses too', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  const { interpreter } = startInterpreter(t, { ports: [namerd.port] });
  const explanation = interpreter.delegate(Dtab.parse('/host => /svc'), Path.parse('/host/web'));
  const json = new Watcher({
    get value() {
      return explanationJson(explanation);
    },
  });
  t.teardown(json.stop);
  const { value } = await json.until((now) => now.phase === 'ok');
  t.match(value, {
    type: 'delegate',
    path: '/host/web',
    delegate: {
      type: 'delegate',
      path: '/svc/web',
      dentry: { prefix: '/host', dst: '/svc' },
      delegate: {
        type: 'leaf',
        dentry: { prefix: '/svc', dst: '/#/test' },
        bound: { id: '/#/test/web', addr: { type: 'bound', addrs: [{ ip: '127.0.0.1', port: 8080 }] } },
      },
    },
  });
  t.notOk('dentry' in (value as object), 'the root came by no entry');
});

test('a failure is told at once and lasts no longer than its cause', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs: { default: Dtab.parse('/svc => /b; /b => /svc') } });
  namerd.namer.bind('/web');
  const { watch } = startInterpreter(t, { ports: [namerd.port] });
  const web = watch('/svc/web');
  await web.failed(/Max recursion level: 100 reached/);
  await namerd.storage.put('default', dtabs.default, {});
  await web.until('/#/test/web');
});

test('while namerd is away what is bound stays, and what is not waits', async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  namer.bind('/web', 8080);
  namer.bind('/late', 8082);
  const first = await startTestNamerd(t, { storage, namer });
  const { watch, state, metric, log } = startInterpreter(t, { ports: [first.port] });
  const web = watch('/svc/web');
  await web.until('/#/test/web');
  await web.addr(isBoundTo(8080));

  await first.close();
  await eventually(() => !state().connected);
  const late = watch('/svc/late');
  await eventually(() => (metric('staleness_ms') ?? 0) > 0, 'the staleness to be told');
  t.equal(metric('connected'), 0);
  t.equal(web.shown, '/#/test/web');
  t.match(await web.addr(() => true), { state: 'bound', endpoints: [{ port: 8080 }] });
  t.equal(late.activity?.phase, 'pending');
  t.ok(log.lines.some(({ level, message }) => level === 'warn' && message === 'namerd is away'));

  namer.bind('/v2', 8081);
  await storage.put('default', Dtab.parse('/svc => /#/test; /svc/web => /#/test/v2'), {});
  await startTestNamerd(t, { storage, namer, port: first.port });
  await web.until('/#/test/v2');
  await web.addr(isBoundTo(8081));
  await late.until('/#/test/late');
  await eventually(() => metric('connected') === 1 && metric('staleness_ms') === 0);
});

test('an answer that namerd does not have is waited for, and what was known is kept', async (t) => {
  const namer = new MapNamer();
  namer.bind('/web', 8080);
  const storage = new InMemoryStorage(dtabs);
  const first = await startTestNamerd(t, { storage, namer });
  const { watch, state } = startInterpreter(t, { ports: [first.port] });
  const web = watch('/svc/web');
  await web.addr(isBoundTo(8080));
  await first.close();
  await eventually(() => !state().connected);

  // Just started, and its own discovery has not answered yet; then it says that it can't.
  namer.answer('/web', { phase: 'pending', since: 0 });
  namer.addr('/web', { state: 'pending' });
  const second = await startTestNamerd(t, { storage, namer, port: first.port });
  await eventually(() => second.state()['streams'] === 2, 'both watches to be back');
  t.equal(web.shown, '/#/test/web');
  t.match(await web.addr(() => true), { state: 'bound', endpoints: [{ port: 8080 }] });
  namer.answer('/web', { phase: 'failed', error: new Error('consul is away'), since: 0 });
  await web.failed(/consul is away/);
  t.equal(web.shown, '/#/test/web');
  namer.answer(
    '/web',
    leaf({ id: Path.parse('/web'), residual: Path.empty, addr: variable({ state: 'neg' as const }) }),
  );
  await web.until('/#/test/web');
});

test('watches are spread over several namerds, and move when one goes away', async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  const names = Array.from({ length: 20 }, (_, i) => `/n${i}`);
  for (const name of names) namer.bind(name, 1);
  const namerds = await Promise.all([0, 1, 2].map(() => startTestNamerd(t, { storage, namer })));
  const { watch, state } = startInterpreter(t, { ports: namerds.map(({ port }) => port) });
  const first = watch('/svc/n0');
  await first.until('/#/test/n0');
  await eventually(() => state().namerds.filter(({ up }) => up).length === 3, 'all to be connected');
  const watched = [first, ...names.slice(1).map((name) => watch(`/svc${name}`))];
  for (const [i, name] of watched.entries()) await name.until(`/#/test/n${i}`);
  const spread = namerds.map((namerd) => namerd.state()['streams'] as number);
  t.ok(
    spread.every((streams) => streams >= 5),
    `${spread}`,
  );

  await namerds[0]?.close();
  namer.bind('/v2', 2);
  await storage.put('default', Dtab.parse('/svc/* => /#/test/v2'), {});
  for (const name of watched) await name.until('/#/test/v2');
  await watch('/svc/new').until('/#/test/v2');
});

test('a namerd that falls silent is left for another', async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  namer.bind('/web', 1);
  namer.bind('/v2', 2);
  const silent = await startTestNamerd(t, { storage, namer });
  const relay = await startTcpRelay(t, silent.port);
  const other = await startTestNamerd(t, { storage, namer });
  const { watch, state, interpreter } = startInterpreter(t, { ports: [relay.port, other.port] });
  interpreter.start();
  await eventually(() => state().namerds.filter(({ up }) => up).length === 2);
  const names = Array.from({ length: 4 }, (_, i) => watch('/svc/web', `/x => /y${i}`));
  for (const name of names) await name.until('/#/test/web');
  t.equal(other.state()['streams'], 2);
  relay.fallSilent();
  await storage.put('default', Dtab.parse('/svc/web => /#/test/v2'), {});
  for (const name of names) await name.until('/#/test/v2');
  t.match(
    state().namerds.find(({ address }) => address.endsWith(`:${relay.port}`)),
    { up: false, watches: 0 },
  );
});

test('namerds come and go with the addresses of dst', async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  namer.bind('/web', 1);
  const [old, fresh] = await Promise.all([0, 1].map(() => startTestNamerd(t, { storage, namer })));
  const { watch, locate, state } = startInterpreter(t, { ports: [old?.port as number] });
  const web = watch('/svc/web');
  await web.addr(isBoundTo(1));
  const before = web.changes;
  locate(fresh?.port as number);
  await eventually(() => old?.state()['connections'] === 0, 'the old one to be left');
  await eventually(() => fresh?.state()['streams'] === 2, 'the new one to be asked');
  t.equal(web.changes, before, 'nobody noticed');
  locate();
  t.equal(state().namerds.length, 1, 'no address is no reason to leave');
  await storage.put('default', Dtab.parse('/svc => /nosuch'), {});
  await web.until('~');
});

test('a name that nobody reads any more is not watched', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const { watch } = startInterpreter(t, { ports: [namerd.port], lingerMs: 0 });
  const web = watch('/svc/web');
  await web.addr((addr) => addr.state === 'bound');
  t.equal(namerd.state()['streams'], 2);
  web.stop();
  await eventually(() => namerd.state()['streams'] === 0);
});

test('a port where nobody listens is no namerd, and that is said', async (t) => {
  const [port = 0] = await freePorts(1);
  const { watch, state, log } = startInterpreter(t, { ports: [port] });
  const web = watch('/svc/web');
  await eventually(() => /can not be connected to/.test(JSON.stringify(state().namerds)));
  t.equal(web.activity?.phase, 'pending');
  const warnings = () => log.lines.filter(({ level }) => level === 'warn');
  await eventually(() => warnings().length > 0);
  t.match(warnings(), [
    {
      message: 'no namerd can be reached; it is tried again and again',
      problem: `127.0.0.1:${port}: can not be connected to`,
    },
  ]);
});
