import { MessageChannel, Worker } from 'node:worker_threads';
import { type Test, test } from 'tap';
import { type Activity, type Live, ok, variable } from '../../src/live/index.ts';
import { type Addr, type BoundName, leaf, type NameTree, NEG, Path } from '../../src/naming/index.ts';
import { CELL_WORDS, type Cell, CellPool, NO_CELL } from '../../src/port/cells.ts';
import { ControlEnd } from '../../src/port/control-end.ts';
import { DataEnd } from '../../src/port/data-end.ts';
import { elapsedMs, processMs } from '../../src/port/process-clock.ts';
import type { WireTree } from '../../src/port/protocol.ts';
import { MemoryLog } from '../support/log.ts';
import { until } from '../support/until.ts';

type Bound = Activity<NameTree<BoundName>>;

const hosts = (...ports: number[]): Addr => ({
  state: 'bound',
  endpoints: ports.map((port) => ({ host: '10.0.0.1', port, weight: 1 })),
});
const web = (addr: Live<Addr>): NameTree<BoundName> => leaf({ id: Path.parse('/#/web'), residual: Path.empty, addr });

/** A worker's end and the control side's end of one port. */
function connect(t: Test, cells: CellPool, bind: (router: string, path: string) => Live<Bound>) {
  const { port1, port2 } = new MessageChannel();
  const control = new ControlEnd(port1, (router, path) => bind(router, path.show()), cells, new MemoryLog());
  const data = new DataEnd(port2, cells.memory, () => null);
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => {
    clearInterval(alive);
    data.close();
    control.close();
  });
  /** Binds a name and waits for the cells that come with it. */
  const bound = async (router: string, path: string) => {
    const seen: { tree: WireTree; cell: Cell }[] = [];
    const number = data.bind(router, path, '', 'allow', {
      onTree: (tree, cell) => seen.push({ tree, cell }),
      onBindFailed: () => {},
    });
    await until(() => seen.length > 0);
    const first = seen[0] as { tree: WireTree; cell: Cell };
    if (first.tree.type !== 'leaf') return { number, service: first.cell, client: null, addresses: null };
    const addresses = data.addresses(first.tree.leaf);
    await until(() => addresses.state === 'bound');
    return { number, service: first.cell, client: data.cell(first.tree.cell), addresses };
  };
  return { control, data, bound };
}

const cellsOf = (addresses: { endpoints: ReadonlyMap<string, { cell: Cell }> } | null): number[] =>
  Array.from(addresses?.endpoints.values() ?? [], ({ cell }) => cell.at);

test('a key has one cell while it is held; the next owner finds it empty', (t) => {
  const pool = new CellPool({ maxCells: 3 });
  const words = new Int32Array(pool.memory);
  const a = pool.acquire('a');
  t.equal(pool.acquire('a'), a);
  const b = pool.acquire('b');
  t.not(b, a);
  words.fill(7, a * CELL_WORDS, (a + 1) * CELL_WORDS);
  pool.release(a);
  t.equal(words[a * CELL_WORDS], 7, 'still held by another');
  pool.release(a);
  const c = pool.acquire('c');
  t.equal(c, a, 'used again');
  t.ok(words.subarray(a * CELL_WORDS, (a + 1) * CELL_WORDS).every((word) => word === 0));
  t.equal(pool.size, 2);
  t.end();
});

test('when all cells are taken there is none, and that is counted', (t) => {
  const pool = new CellPool({ maxCells: 2 });
  const held = [pool.acquire('a'), pool.acquire('b')];
  t.equal(pool.acquire('c'), NO_CELL);
  t.equal(pool.acquire('c'), NO_CELL);
  pool.release(NO_CELL);
  t.strictSame([pool.size, pool.refused], [2, 2]);
  pool.release(held[0] as number);
  t.equal(pool.acquire('c'), held[0]);
  t.end();
});

test('workers get the same cells for the same service, client and endpoint', async (t) => {
  const cells = new CellPool();
  const bind = () => variable<Bound>(ok(web(variable(hosts(1, 2)))));
  const [one, two] = [connect(t, cells, bind), connect(t, cells, bind)];
  const [a, b] = [await one.bound('http', '/svc/web'), await two.bound('http', '/svc/web')];
  t.equal(a.service.at, b.service.at);
  t.equal(a.client?.at, b.client?.at);
  t.strictSame(cellsOf(a.addresses), cellsOf(b.addresses));
  const all = [a.service.at, a.client?.at, ...cellsOf(a.addresses)];
  t.equal(new Set(all).size, 4, 'and each its own');
  Atomics.add(a.service.words, a.service.at, 3);
  t.equal(Atomics.load(b.service.words, b.service.at), 3);

  const other = await one.bound('other', '/svc/web');
  t.notOk(all.includes(other.service.at), 'routers share nothing');
  t.notOk(all.includes(other.client?.at));
  t.notOk(cellsOf(other.addresses).some((cell) => all.includes(cell)));
  const again = await one.bound('http', '/svc/again');
  t.not(again.service.at, a.service.at);
  t.equal(again.client?.at, a.client?.at, 'two services of one client');
});

test('cells go with their last user, and not before every worker has let go of them', async (t) => {
  const cells = new CellPool();
  const addr = variable(hosts(1, 2));
  const bind = () => variable<Bound>(ok(web(addr)));
  const [one, two] = [connect(t, cells, bind), connect(t, cells, bind)];
  const [a, b] = [await one.bound('http', '/svc/web'), await two.bound('http', '/svc/web')];
  t.equal(cells.size, 5);
  addr.set(hosts(2, 3));
  t.equal(cells.size, 5, 'nothing has been sent');
  await until(() => a.addresses?.endpoints.has('10.0.0.1 3') === true);
  await until(() => b.addresses?.endpoints.has('10.0.0.1 3') === true && cells.size === 5);
  t.strictSame(cellsOf(a.addresses).toSorted(), cellsOf(b.addresses).toSorted());
  one.data.unbind(a.number);
  // What one has answered the other had asked before.
  await one.control.query('anything');
  await one.control.query('anything');
  t.equal(cells.size, 5, 'the other still has them');
  two.data.unbind(b.number);
  await until(() => cells.size === 0);
});

test('an endpoint that comes back before its removal is confirmed keeps its cell; one that changes weight too', async (t) => {
  const cells = new CellPool();
  const addr = variable(hosts(1, 2));
  const { bound } = connect(t, cells, () => variable<Bound>(ok(web(addr))));
  const { addresses } = await bound('http', '/svc/web');
  const [first] = cellsOf(addresses);
  addr.set({ state: 'bound', endpoints: [{ host: '10.0.0.1', port: 1, weight: 5 }] });
  await until(() => addresses?.endpoints.get('10.0.0.1 1')?.weight === 5);
  t.equal(addresses?.endpoints.get('10.0.0.1 1')?.cell.at, first);
  let versions = addresses?.version ?? 0;
  for (const next of [{ state: 'neg' } as Addr, hosts(1, 9), { state: 'failed', cause: 'x' } as Addr, hosts(9)]) {
    addr.set(next);
    versions++;
    await until(() => (addresses?.version ?? 0) >= versions);
  }
  await until(() => cells.size === 4);
  t.same(cellsOf(addresses).length, 1);
});

test('what a worker that dies had is free again', async (t) => {
  const cells = new CellPool();
  const addr = variable(hosts(1, 2, 3));
  const { bound, control, data } = connect(t, cells, () => variable<Bound>(ok(web(addr))));
  await bound('http', '/svc/web');
  await bound('http', '/svc/other');
  // It answers nothing any more.
  data.close();
  addr.set(hosts(4));
  control.close();
  t.equal(cells.size, 0);
});

test('a flood of names leaves nothing behind', async (t) => {
  const cells = new CellPool({ maxCells: 50 });
  const bind = (_router: string, path: string) =>
    variable<Bound>(ok(path === '/svc/web' ? web(variable(hosts(1))) : NEG));
  const { bound, data } = connect(t, cells, bind);
  const made = [];
  for (let i = 0; i < 100; i++) made.push(await bound('http', `/svc/made-up-${i}`));
  t.equal(cells.size, 50);
  const late = await bound('http', '/svc/web');
  t.not(late.service.words, made[0]?.service.words, 'a thread has what it needs though no cell is left');
  t.equal(late.service.words.length, CELL_WORDS);
  for (const { number } of [...made, late]) data.unbind(number);
  await until(() => cells.size === 0);
  t.ok(cells.refused >= 50);
});

test('threads count in one cell and read one clock', async (t) => {
  const pool = new CellPool({ maxCells: 8 });
  const number = pool.acquire('counted');
  const source = `
    import { workerData, parentPort } from 'node:worker_threads';
    import { processMs } from ${JSON.stringify(new URL('../../src/port/process-clock.ts', import.meta.url).href)};
    const words = new Int32Array(workerData.memory);
    for (let i = 0; i < 100000; i++) Atomics.add(words, workerData.at, 1);
    parentPort.postMessage(processMs());
  `;
  const at = number * CELL_WORDS;
  const before = processMs();
  const times = await Promise.all(
    [1, 2].map(() => {
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      const worker = new Worker(url, { workerData: { memory: pool.memory, at } });
      return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  t.equal(Atomics.load(new Int32Array(pool.memory), at), 200_000);
  for (const time of times) {
    t.ok(elapsedMs(before, time) >= 0, 'not before this thread asked');
    t.ok(elapsedMs(time, processMs()) >= 0, 'not after this thread asks');
  }
});

test('times compare across the wrap of their word', (t) => {
  const late = 2 ** 31 - 10;
  const wrapped = (late + 30) | 0;
  t.ok(wrapped < 0);
  t.equal(elapsedMs(late, wrapped), 30);
  t.equal(elapsedMs(wrapped, late), -30);
  t.end();
});
