import { MessageChannel } from 'node:worker_threads';
import { test } from 'tap';
import { type Activity, failed, type Live, ok, pending, variable } from '../../src/live/index.ts';
import { type Addr, type BoundName, leaf, type NameTree, NEG, Path } from '../../src/naming/index.ts';
import { CellPool } from '../../src/port/cells.ts';
import { ControlEnd } from '../../src/port/control-end.ts';
import { type AddressSet, DataEnd } from '../../src/port/data-end.ts';
import type { ToData, WireTree } from '../../src/port/protocol.ts';
import { MemoryLog } from '../support/log.ts';
import { until } from '../support/until.ts';

type Bound = Activity<NameTree<BoundName>>;

function ends(t: { teardown(fn: () => void): void }, bind: (path: string) => Live<Bound>) {
  const { port1, port2 } = new MessageChannel();
  const log = new MemoryLog();
  const cells = new CellPool();
  const control = new ControlEnd(port1, (_router, path) => bind(path.show()), cells, log);
  const sent: ToData[] = [];
  port2.on('message', (message: ToData) => sent.push(message));
  const data = new DataEnd(port2, cells.memory, (kind) => ({ kind }));
  // The ports alone do not keep a process running.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => {
    clearInterval(alive);
    data.close();
    control.close();
  });
  const listen = () => {
    const seen: (WireTree | string)[] = [];
    return { seen, onTree: (tree: WireTree) => seen.push(tree), onBindFailed: (error: string) => seen.push(error) };
  };
  return { control, data, sent, log, listen };
}

const name = (id: string, addr: Live<Addr>): BoundName => ({ id: Path.parse(id), residual: Path.empty, addr });
const hosts = (count: number, weight = 1): Addr => ({
  state: 'bound',
  endpoints: Array.from({ length: count }, (_, i) => ({ host: `10.0.${i >> 8}.${i & 255}`, port: 80, weight })),
});

test('many endpoints come in slices, changes as deltas', async (t) => {
  const addr = variable<Addr>(hosts(1200));
  const { data, sent } = ends(t, () => variable<Bound>(ok(leaf(name('/#/web', addr)))));
  const known: { set?: AddressSet } = {};
  let changes = 0;
  data.bind('http', '/svc/web', '', 'allow', {
    onTree: (tree) => {
      known.set = data.addresses((tree as { leaf: number }).leaf);
      known.set.listeners.add(() => changes++);
    },
    onBindFailed: () => {},
  });
  await until(() => changes > 0);
  const set = known.set as AddressSet;
  t.equal(set.endpoints.size, 1200);
  t.equal(changes, 1, 'a set is complete or not there');
  const addrs = () => sent.filter((message) => message.type === 'addrs');
  t.strictSame(
    addrs().map((message) => 'more' in message && message.more),
    [true, true, false],
  );
  const fewer = hosts(1199);
  addr.set(
    fewer.state === 'bound'
      ? { ...fewer, endpoints: [...fewer.endpoints, { host: '::1', port: 1, weight: 2 }] }
      : fewer,
  );
  await until(() => changes === 2);
  t.match(addrs().at(-1), { added: /^::1 1 2 \d+$/, removed: /^10\.0\.4\.175 80 1 \d+$/, more: false });
  t.match(set.endpoints.get('::1 1'), { host: '::1', port: 1, weight: 2 });
  addr.set(hosts(1200, 5));
  await until(() => changes === 3);
  t.ok([...set.endpoints.values()].every(({ weight }) => weight === 5));
  t.equal(set.endpoints.size, 1200);
  addr.set({ state: 'failed', cause: 'gone' });
  await until(() => set.state === 'failed');
  t.strictSame([set.cause, set.endpoints.size], ['gone', 0]);
  addr.set(hosts(2));
  await until(() => set.state === 'bound');
  t.equal(set.endpoints.size, 2);
  addr.set({ state: 'neg' });
  await until(() => set.state === 'neg');
  addr.set({ state: 'bound', endpoints: [] });
  await until(() => set.state === 'bound');
  t.equal(set.version, addrs().at(-1)?.version);
});

test('bindings share a leaf by id and address set; the last one takes it along', async (t) => {
  const addr = variable<Addr>(hosts(1));
  const other = variable<Addr>(hosts(1));
  const trees: Record<string, Bound> = {
    '/a': ok(leaf(name('/#/web', addr))),
    '/b': ok({
      type: 'union',
      trees: [
        { weight: 1, tree: leaf(name('/#/web', addr)) },
        { weight: 2, tree: leaf(name('/#/web', other)) },
      ],
    }),
  };
  const { data, sent, listen } = ends(t, (path) => variable(trees[path] as Bound));
  const [a, b] = [listen(), listen()];
  const first = data.bind('http', '/a', '', 'allow', a);
  const second = data.bind('http', '/b', '', 'allow', b);
  await until(() => a.seen.length === 1 && b.seen.length === 1);
  const shared = (a.seen[0] as { leaf: number }).leaf;
  t.match(b.seen[0], { type: 'union', trees: [{ weight: 1, tree: { leaf: shared } }, { weight: 2 }] });
  const addrsOf = (number: number) =>
    sent.filter((message) => message.type === 'addrs' && message.leaf === number).length;
  await until(() => addrsOf(shared) === 1);
  const forgotten = () => sent.flatMap((message) => (message.type === 'forget' ? [message.leaf] : []));
  data.unbind(second);
  await until(() => forgotten().length === 1);
  t.not(forgotten()[0], shared);
  const again = listen();
  data.bind('http', '/a', '', 'allow', again);
  await until(() => again.seen.length === 1);
  t.match(again.seen[0], { leaf: shared });
  t.equal(addrsOf(shared), 1, 'sent once');
  data.unbind(first);
  data.unbind(first);
  const last = listen();
  const lastNumber = data.bind('http', '/a', '', 'allow', last);
  await until(() => last.seen.length === 1);
  t.equal(forgotten().length, 1, 'still held by another');
  data.unbind(lastNumber);
});

test('a tree that changes keeps the leaves that stay; a failure takes nothing away', async (t) => {
  const addr = variable<Addr>(hosts(1));
  const tree = variable<Bound>(pending());
  const { data, sent, log, listen } = ends(t, () => tree);
  const listener = listen();
  data.bind('http', '/svc', '', 'allow', listener);
  tree.set(failed(new Error('not yet')));
  await until(() => listener.seen.length === 1);
  t.equal(listener.seen[0], 'not yet');
  const web = leaf(name('/#/web', addr));
  tree.set(ok(web));
  await until(() => listener.seen.length === 2);
  const { leaf: number } = listener.seen[1] as { leaf: number };
  tree.set(ok({ type: 'alt', trees: [web, leaf(name('/#/other', addr))] }));
  await until(() => listener.seen.length === 3);
  t.match(listener.seen[2], { type: 'alt', trees: [{ leaf: number }, { id: '/#/other' }] });
  t.notOk(sent.some((message) => message.type === 'forget'));
  tree.set(failed(new Error('down')));
  tree.set(ok(NEG));
  await until(() => listener.seen.length === 4);
  t.same(listener.seen[3], { type: 'neg' });
  t.equal(sent.filter((message) => message.type === 'forget').length, 2);
  t.equal(log.lines.length, 0);
});

test('what throws is logged, and only the first bind hears of it', async (t) => {
  const broken: Live<Bound> = {
    get value(): Bound {
      throw new Error('broken namer');
    },
  };
  const { data, log, listen } = ends(t, () => broken);
  const listener = listen();
  data.bind('http', '/svc', '', 'allow', listener);
  await until(() => listener.seen.length === 1);
  t.strictSame(listener.seen, ['broken namer']);
  t.match(log.lines, [{ level: 'error', path: '/svc', message: 'a binding could not be computed' }]);
});

test('queries are answered; what is unbound is not told any more', async (t) => {
  const tree = variable<Bound>(ok(NEG));
  const { control, data, listen } = ends(t, () => tree);
  t.strictSame(await control.query('anything'), { kind: 'anything' });
  const listener = listen();
  const number = data.bind('http', '/svc', '', 'allow', listener);
  data.unbind(number);
  tree.set(ok({ type: 'fail' }));
  t.strictSame(await control.query('later'), { kind: 'later' });
  t.strictSame(listener.seen, []);
});

test('a query that is not answered before the port is closed is answered with null', async (t) => {
  const { control } = ends(t, () => variable<Bound>(ok(NEG)));
  const answer = control.query('anything');
  control.close();
  t.equal(await answer, null);
});
