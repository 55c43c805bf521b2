// Metrics of several threads: real ones, which announce over their ports.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { test } from 'tap';
import type { Announcement } from '../../src/metrics/announcement.ts';
import { MetricCollector, type MetricSource } from '../../src/metrics/collector.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import type { MetricValue, StatValue } from '../../src/metrics/snapshot.ts';
import type { Order } from './counting-worker.ts';

class Thread {
  readonly source: MetricSource;
  readonly #worker = new Worker(join(import.meta.dirname, 'counting-worker.ts'));
  #onDone: (() => void) | null = null;

  constructor(collector: MetricCollector) {
    this.source = collector.attach();
    this.#worker.on('message', (message: { announcement?: Announcement; done?: true }) => {
      if (message.announcement !== undefined) this.source.accept(message.announcement);
      if (message.done) this.#onDone?.();
    });
  }

  /** Resolves when the thread has done it and what it announced has been accepted. */
  async order(order: Order): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#onDone = resolve;
    });
    this.#worker.postMessage(order);
    await done;
  }

  async kill(): Promise<void> {
    await this.#worker.terminate();
    this.source.close();
  }
}

function metric(collector: MetricCollector, path: string, name: string): MetricValue | undefined {
  const scope = [...collector.snapshot().scopes].find((candidate) => candidate.path.join('/') === path);
  return scope?.metrics.find((candidate) => candidate.name === name);
}

const web = 'rt/out/service/svc/web';
const value = (collector: MetricCollector, name: string): number | undefined => {
  const found = metric(collector, web, name);
  return found === undefined || found.type === 'stat' ? undefined : found.value;
};

test('threads are added up, and one that dies leaves its counts but not its gauges', async (t) => {
  const collector = new MetricCollector();
  const [one, other] = [new Thread(collector), new Thread(collector)];
  await one.order({ service: 'svc/web', requests: 3, pending: 1, latencies: [10, 20] });
  await other.order({ service: 'svc/web', requests: 4, pending: 2, latencies: [30, 40, 1000] });
  t.equal(value(collector, 'requests'), 7);
  t.equal(value(collector, 'pending'), 3);
  t.match(metric(collector, web, 'request_latency_ms'), { summary: { count: 5, sum: 1100, min: 10, max: 1000 } });

  await other.kill();
  t.equal(value(collector, 'requests'), 7, 'no counter falls');
  t.equal(value(collector, 'pending'), 1);
  t.match(metric(collector, web, 'request_latency_ms'), { summary: { count: 5, sum: 1100 }, buckets: { count: 5 } });

  const successor = new Thread(collector);
  await successor.order({ service: 'svc/web', requests: 1, pending: 5 });
  t.equal(value(collector, 'requests'), 8);
  t.equal(value(collector, 'pending'), 6);
  await Promise.all([one.kill(), successor.kill()]);
  t.equal(value(collector, 'requests'), 8);
  for (let window = 0; window < 11; window++) collector.roll();
  t.equal(value(collector, 'requests'), undefined, 'what nobody takes up goes after ten windows');
});

test('a name stays, with its count, as long as one thread has it', async (t) => {
  const collector = new MetricCollector();
  const [one, other] = [new Thread(collector), new Thread(collector)];
  await one.order({ service: 'svc/web', requests: 3 });
  await other.order({ service: 'svc/web', requests: 4, latencies: [30] });
  await other.order({ service: 'svc/web', close: true });
  t.equal(value(collector, 'requests'), 7);
  t.match(metric(collector, web, 'request_latency_ms'), undefined, 'only the other thread had it');
  await one.order({ service: 'svc/web', close: true });
  t.equal(value(collector, 'requests'), undefined);
  await one.order({ service: 'svc/web', requests: 1 });
  t.equal(value(collector, 'requests'), 1, 'it begins anew');
  await Promise.all([one.kill(), other.kill()]);
});

test('names that come and go in a thread never show what another one had', async (t) => {
  const collector = new MetricCollector();
  const thread = new Thread(collector);
  for (let round = 0; round < 200; round++) {
    await thread.order({ service: `svc/${round}`, requests: round + 1, latencies: [round], close: round % 3 !== 0 });
    for (const { path, metrics } of collector.snapshot().scopes) {
      if (path[0] !== 'rt') continue;
      const number = Number((path[3] as string).slice('svc/'.length));
      const requests = metrics.find(({ name }) => name === 'requests');
      if (requests?.type !== 'counter' || requests.value !== number + 1) t.fail(JSON.stringify({ path, requests }));
    }
  }
  t.equal([...collector.snapshot().scopes].filter(({ path }) => path[0] === 'rt').length, 67);
  await thread.kill();
});

/** A collector with one registry of the same thread. */
function local() {
  const collector = new MetricCollector();
  const registry = new MetricRegistry();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  return { collector, registry, summary: () => (metric(collector, 'test', 'bytes') as StatValue).summary };
}

test('a summary is that of the last full minute, and at first of the running one', async (t) => {
  const { collector, registry, summary } = local();
  const stat = registry.scope(['test']).stat('bytes');
  for (const bytes of [1, 2, 3]) stat.record(bytes);
  registry.flush();
  t.match(summary(), { count: 3, sum: 6, min: 1, max: 3 }, 'there at once');
  collector.roll();
  for (const bytes of [500, 600]) stat.record(bytes);
  t.match(summary(), { count: 3, sum: 6, min: 1, max: 3 });
  collector.roll();
  t.match(summary(), { count: 2, sum: 1100, min: 500, max: 600 });
  t.same(summary().quantiles.slice(1), Array(5).fill(600));
  collector.roll();
  t.match(summary(), { count: 0 }, 'nothing happened in that minute');
});

test('the clock ends windows', async (t) => {
  const collector = new MetricCollector({ windowMs: 1 });
  const before = collector.window;
  collector.start();
  t.teardown(() => collector.close());
  while (collector.window < before + 2) await new Promise((resolve) => setTimeout(resolve, 1));
  t.pass();
});

test('gauges that each thread sees whole are not added', async (t) => {
  const collector = new MetricCollector();
  for (const size of [3, 3, 2]) {
    const registry = new MetricRegistry();
    const source = collector.attach();
    registry.onAnnounce((announcement) => source.accept(announcement));
    registry.scope(['rt', 'out', 'service', 'svc/web']).gauge('size', { merge: 'max' }).set(size);
    registry.flush();
  }
  t.equal(value(collector, 'size'), 3);
});

test('values of the control side are read at each snapshot', async (t) => {
  const collector = new MetricCollector();
  let uptime = 1;
  const stop = collector.observe(['jvm'], 'uptime', 'gauge', () => uptime);
  uptime = 2;
  t.same([...collector.snapshot().scopes], [{ path: ['jvm'], metrics: [{ type: 'gauge', name: 'uptime', value: 2 }] }]);
  stop();
  t.same([...collector.snapshot().scopes], []);
});

test('how unevenly threads share the requests is told by mean and deviations', async (t) => {
  const { collector, registry } = local();
  const scope = registry.scope(['test']);
  scope.counter('thread_usage/requests/per_thread/worker-1').add(30);
  scope.counter('thread_usage/requests/per_thread/worker-2').add(10);
  registry.flush();
  const of = (name: string) => metric(collector, 'test', `thread_usage/requests/${name}`);
  t.match(of('mean'), { type: 'gauge', value: 20 });
  t.match(of('stddev'), { type: 'gauge', value: 10 });
  t.match(of('relative_stddev'), { type: 'gauge', value: 0.5 });
});

test('a version changes with what is told, and only then', async (t) => {
  const collector = new MetricCollector();
  const registry = new MetricRegistry();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  const scope = registry.scope(['rt', 'out', 'service', 'svc/web']);
  const latency = scope.stat('request_latency_ms');
  latency.record(1);
  const pending = scope.gauge('pending');
  registry.flush();
  const find = () => [...collector.snapshot().scopes].find(({ path }) => path.join('/') === web);
  let last = find()?.version;
  const hasChanged = (): boolean => {
    const version = find()?.version;
    const changed = version !== last;
    last = version;
    return changed;
  };
  t.notOk(hasChanged());
  scope.counter('requests').increment();
  t.ok(hasChanged());
  latency.record(0);
  t.ok(hasChanged(), 'a value of 0 was recorded');
  collector.roll();
  t.ok(hasChanged(), 'the last minute is another one');
  collector.roll();
  t.ok(hasChanged(), 'the last minute had no values');
  collector.roll();
  t.notOk(hasChanged(), 'nor had this one');
  scope.counter('failures/a').add(0);
  registry.flush();
  t.ok(hasChanged(), 'a counter is there');

  pending.set(1);
  t.equal(find()?.metrics.find(({ name }) => name === 'pending')?.type, 'gauge');
  pending.set(0);
  t.ok(hasChanged(), 'what was told in between is no longer so');
  t.notOk(hasChanged());
});
