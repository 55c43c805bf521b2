// The life of metrics in shared memory: slots are used again, and never show what another name had.
import { test } from 'tap';
import type { Announcement } from '../../src/metrics/announcement.ts';
import { MetricCollector } from '../../src/metrics/collector.ts';
import { Cells, MetricRegistry, MostlyZeroStat } from '../../src/metrics/registry.ts';
import { sharedCells } from '../../src/metrics/shapes.ts';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';

/** All counters and gauges by name, without those of the registry itself. */
function numbers({ scopes }: MetricSnapshot): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { path, metrics } of scopes) {
    if (path[0] === 'metrics') continue;
    for (const metric of metrics) if (metric.type !== 'stat') found[[...path, metric.name].join('/')] = metric.value;
  }
  return found;
}

/** A registry whose announcements arrive when `deliver` is called, as over a port. */
function connected(options: { maxMetrics?: number } = {}) {
  const registry = new MetricRegistry(options);
  const collector = new MetricCollector();
  const source = collector.attach();
  const sent: Announcement[] = [];
  registry.onAnnounce((announcement) => sent.push(announcement));
  const deliver = (): void => {
    registry.flush();
    for (const announcement of sent.splice(0)) source.accept(announcement);
  };
  return { registry, collector, source, deliver, read: () => numbers(collector.snapshot()) };
}

test('what is counted is seen, under the same name', async (t) => {
  const { registry, deliver, read } = connected();
  const scope = registry.scope(['rt', 'out', 'server', '0.0.0.0/4140']);
  scope.counter('requests').add(2);
  scope.gauge('pending').set(1.5);
  deliver();
  scope.counter('requests').increment();
  t.match(read(), { 'rt/out/server/0.0.0.0/4140/requests': 3, 'rt/out/server/0.0.0.0/4140/pending': 1.5 });
});

test('a slot is not used again before the reader knows that its name is gone', async (t) => {
  const { registry, deliver, read } = connected();
  const old = registry.scope(['old']);
  old.counter('requests').add(7);
  deliver();
  old.close();
  // The reader has not heard of it: it must neither lose the old value nor see a new one in its place.
  const young = registry.scope(['young']);
  young.counter('requests').add(1000);
  t.same(read(), { 'old/requests': 7 });
  deliver();
  t.same(read(), { 'young/requests': 1000 });
  const next = registry.scope(['next']);
  next.counter('requests');
  deliver();
  t.same(read(), { 'young/requests': 1000, 'next/requests': 0 }, 'a slot that is used again begins at 0');
});

test('who still holds a handle of a closed scope counts into the void', async (t) => {
  const { registry, deliver, read } = connected();
  const old = registry.scope(['old']);
  const counter = old.counter('requests');
  const stat = old.stat('request_latency_ms');
  stat.record(5);
  deliver();
  old.close();
  deliver();
  const scope = registry.scope(['young']);
  scope.counter('requests').increment();
  scope.stat('request_latency_ms').record(1);
  deliver();
  counter.add(100);
  stat.record(500);
  old.counter('late').increment();
  deliver();
  t.same(read(), { 'young/requests': 1 });
});

test('a holder that has closed its scope counts on while another has the path open, and then no more', async (t) => {
  const { registry, collector, deliver, read } = connected();
  const { pending } = sharedCells('pending');
  const client = (name: string) => ['rt', 'out', 'client', name];
  const old = registry.scope(client('web'));
  const cells = new Cells(old.block);
  old.adopt(cells);
  const stat = old.stat('request_latency_ms');
  cells.increment(pending);
  stat.record(1);
  const successor = registry.scope(client('web'));
  for (let i = 0; i < 100; i++) registry.scope(client('web')).close();
  old.close();
  cells.decrement(pending);
  stat.record(2);
  deliver();
  t.equal(read()['rt/out/client/web/pending'], 0);
  const counts = [...collector.snapshot().scopes].flatMap(({ metrics }) =>
    [...metrics].flatMap((metric) => (metric.type === 'stat' ? metric.summary.count : [])),
  );
  t.strictSame(counts, [2]);

  successor.close();
  deliver();
  registry.scope(client('other'));
  cells.increment(pending);
  deliver();
  t.equal(read()['rt/out/client/other/pending'], 0);
});

test('two holders of a path share its metrics, and the last one takes them away', async (t) => {
  const { registry, deliver, read } = connected();
  const [one, other] = [registry.scope(['rt', 'out']), registry.scope(['rt', 'out'])];
  one.counter('requests').increment();
  other.counter('requests').increment();
  one.close();
  one.close();
  deliver();
  t.same(read(), { 'rt/out/requests': 2 });
  other.close();
  deliver();
  t.same(read(), {});
});

test('a name has one type', async (t) => {
  const scope = new MetricRegistry().scope(['rt', 'out']);
  scope.counter('requests');
  t.throws(() => scope.gauge('requests'), /rt\/out\/requests is a counter, not a gauge/);
});

test('a metric that comes and goes within a tick is not announced', async (t) => {
  const registry = new MetricRegistry();
  const sent: Announcement[] = [];
  registry.onAnnounce((announcement) => sent.push(announcement));
  registry.flush();
  const scope = registry.scope(['gone']);
  scope.counter('requests').increment();
  scope.close();
  registry.flush();
  t.equal(sent.length, 1);
  t.notMatch(JSON.stringify(sent), /gone/);
});

test('10,000 scopes come and go, and their memory with them', async (t) => {
  const registry = new MetricRegistry();
  const collector = new MetricCollector();
  const source = collector.attach();
  let slabs = 0;
  registry.onAnnounce((announcement) => {
    slabs += announcement.slabs.length - announcement.released.length;
    source.accept(announcement);
  });
  registry.flush();
  const atRest: number[] = [];
  const atPeak: number[] = [];
  for (let round = 0; round < 3; round++) {
    const scopes = Array.from({ length: 10_000 }, (_, at) => registry.scope(['rt', 'out', 'service', `svc/${at}`]));
    for (const scope of scopes) {
      scope.counter('requests').increment();
      scope.stat('request_latency_ms').record(round);
    }
    registry.flush();
    atPeak.push(slabs);
    for (const scope of scopes) scope.close();
    // The first tells of their end, the next one frees them.
    registry.flush();
    registry.flush();
    atRest.push(slabs);
  }
  t.ok((atPeak[0] as number) > 50, `${atPeak[0]} slabs`);
  t.same(atPeak, Array(3).fill(atPeak[0]), 'slots are used again');
  t.same(atRest, Array(3).fill(atRest[0]));
  t.ok((atRest[0] as number) <= 6, `${atRest[0]} slabs are left of three pools`);
  t.same(numbers(collector.snapshot()), {});
});

test('a stat takes memory and has a name with its first value', async (t) => {
  const { registry, collector, source } = connected();
  let bytes = 0;
  registry.onAnnounce((announcement) => {
    for (const { buffer } of announcement.slabs) bytes += buffer.byteLength;
    source.accept(announcement);
  });
  const stats = Array.from({ length: 10_000 }, (_, at) =>
    registry.scope(['service', String(at)]).stat('request_latency_ms'),
  );
  registry.flush();
  t.ok(bytes < 100_000, `${bytes} bytes for 10,000 stats without values`);
  t.equal([...collector.snapshot().scopes].length, 1);
  stats[7]?.record(3);
  registry.flush();
  const [scope] = [...collector.snapshot().scopes].filter(({ path }) => path[0] === 'service');
  t.match(scope, { path: ['service', '7'], metrics: [{ name: 'request_latency_ms', summary: { count: 1, sum: 3 } }] });
});

test('the metrics of an owner lie in one block, under the names and types of the metric tree', async (t) => {
  const { registry, deliver, read } = connected();
  const path = ['rt', 'out', 'client', '#/io.l5d.fs/web'];
  const scope = registry.scope(path);
  deliver();
  const zeros = read();
  t.equal(zeros['rt/out/client/#/io.l5d.fs/web/requests'], 0, 'they are there from the beginning');
  t.equal(zeros['rt/out/client/#/io.l5d.fs/web/loadbalancer/size'], 0);
  t.notOk(Object.keys(zeros).some((name) => name.includes('{')));

  scope.counter('requests').increment();
  scope.cells.increment(sharedCells('requests').requests);
  registry.scope(path).gauge('loadbalancer/size').set(3);
  scope.counter('status/204').increment();
  t.throws(() => scope.gauge('requests'), /requests is a counter, not a gauge/);
  deliver();
  t.match(read(), {
    'rt/out/client/#/io.l5d.fs/web/requests': 2,
    'rt/out/client/#/io.l5d.fs/web/loadbalancer/size': 3,
    'rt/out/client/#/io.l5d.fs/web/status/204': 1,
  });
});

test('what has no place in common is no shared cell', async (t) => {
  t.throws(() => sharedCells('nosuch'), /nosuch/);
  t.throws(() => sharedCells('requests', 'retries/requeues'), /not at the same place/);
  t.equal(typeof sharedCells('connects', 'status/error')['status/error'], 'number');
});

test('a flood of names ends at the cap, and is counted', async (t) => {
  const { registry, collector, deliver, read } = connected({ maxMetrics: 50 });
  const scopes = Array.from({ length: 100 }, (_, at) => registry.scope(['service', String(at)]));
  for (const scope of scopes) scope.counter('requests').increment();
  deliver();
  t.equal(Object.keys(read()).length, 48);
  const own = [...collector.snapshot().scopes].find(({ path }) => path[0] === 'metrics');
  t.same(Object.fromEntries(own?.metrics.map((metric) => [metric.name, 'value' in metric && metric.value]) ?? []), {
    refused: 52,
    live: 50,
  });
  for (const scope of scopes) scope.close();
  deliver();
  registry.scope(['after']).counter('requests').increment();
  deliver();
  t.same(read(), { 'after/requests': 1 }, 'there is room again');
});

test('a stat that is mostly 0 has its zeros once it is settled, and what differs at once', async (t) => {
  const { registry, collector, deliver } = connected();
  const stat = new MostlyZeroStat(registry.scope(['web']).stat('retries'));
  for (const value of [0, 0, 2, 0]) stat.record(value);
  const told = () => {
    deliver();
    return [...collector.snapshot().scopes].find(({ path }) => path[0] === 'web')?.metrics[0];
  };
  t.match(told(), { summary: { count: 1, sum: 2, min: 2, max: 2 } });
  stat.settle();
  t.match(told(), { summary: { count: 4, sum: 2, min: 0, max: 2, quantiles: [0] } });
  stat.settle();
  t.match(told(), { summary: { count: 4 } }, 'zeros are recorded once');
});
