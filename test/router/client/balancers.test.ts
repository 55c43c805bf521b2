/** What every balancer has to do, whatever its kind: one suite for all, on a clock and with chance that the test sets. */
import { execFileSync } from 'node:child_process';
import { test } from 'tap';
import type { LoadWatcher } from '../../../src/router/client/balancers/balancer.ts';
import {
  algorithmOf,
  type Balancer,
  balancerKinds,
  createBalancer,
  type Node,
} from '../../../src/router/client/balancers/index.ts';
import type { PeakEwma } from '../../../src/router/client/balancers/peak-ewma.ts';
import { seededRandom } from '../../support/seeded-random.ts';

class FakeNode implements Node {
  readonly address: string;
  weight: number;
  load = 0;
  watcher: LoadWatcher | null = null;
  latency: PeakEwma | null = null;
  position = 0;
  served = 0;

  constructor(address: string, weight = 1) {
    this.address = address;
    this.weight = weight;
  }

  enter(): void {
    this.load++;
    this.served++;
    this.watcher?.loadChanged(this, 1);
  }

  leave(): void {
    this.load--;
    this.watcher?.loadChanged(this, -1);
  }
}

const nodes = (count: number, weight = 1, from = 0): FakeNode[] =>
  Array.from({ length: count }, (_, i) => new FakeNode(`10.0.${weight}.${from + i}:80`, weight));

/** A balancer and the clock that it reads. */
class Bench {
  nowMs = 1000;
  readonly balancer: Balancer<FakeNode>;
  readonly random: () => number;

  constructor(
    kind: string,
    { seed = 1, keys = {}, workers = 1 }: { seed?: number; keys?: object; workers?: number } = {},
  ) {
    this.random = seededRandom(seed);
    const context = { random: this.random, now: () => this.nowMs, workers };
    this.balancer = createBalancer<FakeNode>({ kind, ...keys }, context);
  }

  /**
   * Sends `count` requests, so many at a time; each takes the time of its node in ms. The oldest to finish goes before the
   * next comes.
   */
  run(count: number, { concurrency = 1, ms = (_node: FakeNode): number => 1 } = {}): void {
    const inFlight: { node: FakeNode; startMs: number; endMs: number }[] = [];
    for (let i = 0; i < count + concurrency; i++) {
      if (inFlight.length === concurrency || i >= count) {
        inFlight.sort((a, b) => a.endMs - b.endMs);
        const done = inFlight.shift();
        if (done === undefined) return;
        this.nowMs = Math.max(this.nowMs, done.endMs);
        done.node.latency?.answered(done.endMs - done.startMs, this.nowMs);
        done.node.leave();
      }
      if (i >= count) continue;
      const node = this.balancer.pick();
      if (node === null) throw new Error('no node');
      node.enter();
      inFlight.push({ node, startMs: this.nowMs, endMs: this.nowMs + ms(node) });
    }
  }
}

const wide = { minAperture: 1000 };
/** With an aperture that is over all there are, that kind has to do what all do. */
const KINDS: readonly [string, object][] = balancerKinds.map(({ kind }) => [kind, kind === 'aperture' ? wide : {}]);

for (const [kind, keys] of KINDS) {
  test(kind, async (t) => {
    t.test('is fair to endpoints that are alike', (t) => {
      for (const concurrency of [1, 20]) {
        const all = nodes(10);
        const bench = new Bench(kind, { keys });
        bench.balancer.update(all);
        bench.run(20_000, { concurrency });
        for (const { served, address } of all) {
          t.ok(Math.abs(served - 2000) < 250, `${address}: ${served} of 20,000, ${concurrency} at a time`);
        }
      }
      t.end();
    });

    t.test('gives endpoints of more weight more, and those of none nothing', (t) => {
      const all = [...nodes(3), ...nodes(1, 3), ...nodes(2, 0)];
      const bench = new Bench(kind, { keys });
      bench.balancer.update(all);
      bench.run(60_000, { concurrency: 10 });
      const [a, , , heavy] = all as [FakeNode, FakeNode, FakeNode, FakeNode];
      t.ok(Math.abs(heavy.served - 30_000) < 700, `weight 3: ${heavy.served} of 60,000`);
      t.ok(Math.abs(a.served - 10_000) < 700, `weight 1: ${a.served}`);
      t.strictSame(
        all.slice(4).map(({ served }) => served),
        [0, 0],
      );
      t.end();
    });

    t.test('keeps up with endpoints that come, go and change their weight', (t) => {
      const bench = new Bench(kind, { keys, seed: 7 });
      const all = nodes(12);
      let here: FakeNode[] = [];
      for (let round = 0; round < 200; round++) {
        here = all.filter(() => bench.random() < 0.6);
        for (const node of here) node.weight = bench.random() < 0.5 ? 1 : 2;
        bench.balancer.update(here);
        const before = new Map(all.map((node) => [node, node.served]));
        if (here.length === 0) t.equal(bench.balancer.pick(), null);
        else bench.run(50, { concurrency: 5 });
        for (const node of all) {
          if (!here.includes(node) && node.served !== before.get(node)) t.fail(`${node.address} had gone`);
        }
      }
      t.ok(all.every(({ load }) => load === 0));
      bench.balancer.update(all);
      for (const node of all) {
        node.weight = 1;
        node.served = 0;
      }
      bench.balancer.update(all);
      bench.run(12_000);
      for (const { served } of all) t.ok(Math.abs(served - 1000) < 250, `${served} of 12,000 after the changes`);
      t.end();
    });

    t.test('takes away what is in flight with an endpoint that goes, and may come back', (t) => {
      const bench = new Bench(kind, { keys });
      const [a, b, c] = nodes(3) as [FakeNode, FakeNode, FakeNode];
      bench.balancer.update([a, b, c]);
      a.enter();
      bench.balancer.update([b, c]);
      a.leave();
      a.enter();
      bench.run(100);
      t.equal(a.served, 2);
      bench.balancer.update([a, b, c]);
      a.leave();
      bench.run(3000, { concurrency: 3 });
      t.ok(a.served > 500, `${a.served} of 3,000`);
      t.end();
    });

    t.test('has one, or none, to choose from', (t) => {
      const bench = new Bench(kind, { keys });
      t.equal(bench.balancer.pick(), null);
      bench.balancer.update([]);
      t.equal(bench.balancer.pick(), null);
      const [only] = nodes(1) as [FakeNode];
      bench.balancer.update([only]);
      bench.run(10, { concurrency: 3 });
      t.equal(only.served, 10);
      bench.balancer.update([]);
      t.equal(bench.balancer.pick(), null);
      t.end();
    });

    t.test('chooses the same with the same chance', (t) => {
      const order = (seed: number): string => {
        const bench = new Bench(kind, { keys, seed });
        bench.balancer.update(nodes(8));
        const picked: string[] = [];
        for (let i = 0; i < 50; i++) {
          const node = bench.balancer.pick() as FakeNode;
          node.enter();
          picked.push(node.address);
          if (i % 3 === 0) node.leave();
        }
        return picked.join();
      };
      t.equal(order(3), order(3));
      t.not(order(3), order(4));
      t.end();
    });

    t.test('is quick with ten thousand endpoints', (t) => {
      const steps = (count: number): number => {
        let reads = 0;
        const all = nodes(count);
        const bench = new Bench(kind, { keys: kind === 'aperture' ? { minAperture: count } : {} });
        bench.balancer.update(all);
        for (const node of all) {
          let load = 0;
          Object.defineProperty(node, 'load', {
            get: () => {
              reads++;
              return load;
            },
            set: (value: number) => {
              load = value;
            },
          });
        }
        for (let i = 0; i < 100; i++) (bench.balancer.pick() as FakeNode).enter();
        return reads / 100;
      };
      // log2(10,000) is 13; a level of the heap compares three loads, twice over.
      t.ok(steps(10_000) < 100, `${steps(10_000)} loads looked at for a request`);
      t.end();
    });
  });
}

// ---- what sets them apart

const slowOf = (all: readonly FakeNode[]): FakeNode => all[0] as FakeNode;
/** The share of a slow endpoint, one of ten and 20 times slower, of 20,000 requests, 20 at a time. */
function slowShare(kind: string, keys: object = {}): number {
  const all = nodes(10);
  const bench = new Bench(kind, { keys });
  bench.balancer.update(all);
  bench.run(20_000, { concurrency: 20, ms: (node) => (node === slowOf(all) ? 20 : 1) * (0.5 + bench.random()) });
  return slowOf(all).served / 20_000;
}

test('a slow endpoint gets fewer requests: the fewer, the more its balancer knows', (t) => {
  t.ok(Math.abs(slowShare('roundRobin') - 0.1) < 0.001, 'roundRobin does not notice');
  for (const [kind, keys] of [
    ['p2c', {}],
    ['heap', {}],
    ['aperture', wide],
  ] as const) {
    const share = slowShare(kind, keys);
    t.ok(share < 0.05, `${kind}: ${(share * 100).toFixed(1)} %`);
  }
  const share = slowShare('ewma');
  t.ok(share < 0.005, `ewma: ${(share * 100).toFixed(2)} %`);
  t.end();
});

test('ewma comes back to an endpoint that is no longer slow', (t) => {
  const all = nodes(4);
  const bench = new Bench('ewma', { keys: { decayTimeMs: 1000 } });
  bench.balancer.update(all);
  let factor = 50;
  const ms = (node: FakeNode): number => (node === slowOf(all) ? factor : 1);
  bench.run(4000, { concurrency: 4, ms });
  const slow = slowOf(all).served;
  t.ok(slow < 100, `${slow} of 4,000 while it is slow`);
  factor = 1;
  bench.nowMs += 5000;
  bench.run(4000, { concurrency: 4, ms });
  t.ok(slowOf(all).served - slow > 600, `${slowOf(all).served - slow} of 4,000 after that`);
  t.end();
});

test('ewma: a quick failure is no sign of speed, a slow one counts', async (t) => {
  const { PeakEwma } = await import('../../../src/router/client/balancers/peak-ewma.ts');
  const latency = new PeakEwma(10_000);
  t.equal(latency.cost(0, 0), 0, 'unknown: try it');
  t.ok(latency.cost(1, 0) > 1e9, 'but once');
  latency.answered(10, 0);
  t.equal(latency.cost(0, 0), 10);
  t.equal(latency.cost(2, 0), 30);
  latency.failed(0.1, 0);
  t.equal(latency.cost(0, 0), 10);
  latency.answered(100, 0);
  t.equal(latency.cost(0, 0), 100, 'a peak at once');
  latency.answered(10, 1000);
  const mixed = 100 * Math.exp(-0.1) + 10 * (1 - Math.exp(-0.1));
  t.ok(Math.abs(latency.cost(0, 1000) - mixed) < 1e-9, 'down step by step');
  latency.failed(500, 1000);
  t.equal(latency.cost(0, 1000), 500);
  t.ok(latency.cost(0, 101_000) < 0.1, 'forgotten');
  t.equal(latency.meanMs(1000), 500);
  t.equal(new PeakEwma(1).meanMs(0), null);
});

test('heap: always one of the least loaded', (t) => {
  const all = nodes(20);
  const bench = new Bench('heap', { seed: 11 });
  bench.balancer.update(all);
  for (let i = 0; i < 5000; i++) {
    const node = bench.balancer.pick() as FakeNode;
    t.ok(
      all.every(({ load }) => load >= node.load),
      'none has fewer',
    );
    node.enter();
    const busy = all.filter(({ load }) => load > 0);
    while (bench.random() < 0.45) busy[Math.floor(bench.random() * busy.length)]?.leave();
    for (const each of all) while (each.load < 0) each.enter();
  }
  t.end();
});

test('roundRobin: each in turn, from anywhere', (t) => {
  const starts = new Set<string>();
  for (let seed = 0; seed < 50; seed++) {
    const bench = new Bench('roundRobin', { seed });
    const all = nodes(7);
    bench.balancer.update(all);
    starts.add((bench.balancer.pick() as FakeNode).address);
    for (let i = 0; i < 6 + 700; i++) (bench.balancer.pick() as FakeNode).served++;
  }
  t.equal(starts.size, 7);
  const bench = new Bench('roundRobin');
  const all = nodes(7);
  bench.balancer.update(all);
  bench.run(700);
  t.ok(all.every(({ served }) => served === 100));
  t.end();
});

test('aperture: as many endpoints as the load needs, the same ones on all threads', (t) => {
  const all = nodes(50);
  const bench = new Bench('aperture');
  bench.balancer.update(all);
  bench.run(500, { concurrency: 1 });
  t.equal(all.filter(({ served }) => served > 0).length, 1, 'one request at a time needs one endpoint');
  bench.run(200_000, { concurrency: 20, ms: () => 5 });
  const used = bench.balancer.aperture ?? 0;
  t.ok(used >= 10 && used <= 40, `20 in flight between 0.5 and 2 for each: ${used}`);
  bench.nowMs += 60_000;
  bench.run(200, { concurrency: 1 });
  t.equal(bench.balancer.aperture, 1, 'it shrinks again');

  const other = new Bench('aperture', { seed: 99 });
  const same = nodes(50).reverse();
  other.balancer.update(same);
  other.run(10);
  const first = all.toSorted((a, b) => b.served - a.served)[0];
  t.equal(same.find(({ served }) => served > 0)?.address, first?.address);

  const shared = new Bench('aperture', { workers: 4 });
  shared.balancer.update(nodes(50));
  shared.run(200_000, { concurrency: 5, ms: () => 5 });
  const width = shared.balancer.aperture ?? 0;
  t.ok(width >= 10 && width <= 40, `four threads with 5 each: ${width}`);
  t.end();
});

test('aperture: a host that starts again begins with the same endpoints', (t) => {
  const script = `
    import { createBalancer } from '${new URL('../../../src/router/client/balancers/index.ts', import.meta.url)}';
    const balancer = createBalancer({ kind: 'aperture' }, { random: Math.random, now: () => 1, workers: 1 });
    const load = { load: 0, watcher: null, latency: null, position: 0, weight: 1 };
    balancer.update(Array.from({ length: 1000 }, (_, i) => ({ ...load, address: '10.0.0.1:' + i })));
    console.log(balancer.pick().address);
  `;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const start = () => execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  const first = start();
  t.match(first, /^10\.0\.0\.1:\d+\n$/);
  t.equal(start(), first);
  t.end();
});

test('aperture: never below minAperture, nor above what there is', (t) => {
  const bench = new Bench('aperture', { keys: { minAperture: 5 } });
  bench.balancer.update(nodes(3));
  t.equal(bench.balancer.aperture, 3);
  bench.balancer.update(nodes(20));
  bench.run(1000);
  t.equal(bench.balancer.aperture, 5);
  t.end();
});

test('the original names its algorithms so', (t) => {
  t.strictSame(
    balancerKinds.map(({ kind }) => algorithmOf({ kind })),
    ['p2c_least_loaded', 'p2c_peak_ewma', 'aperture_least_loaded', 'heap_least_loaded', 'round_robin'],
  );
  t.equal(algorithmOf(undefined), 'p2c_least_loaded');
  t.end();
});
