// Percentiles of stats: their error, and what merging threads does to them.
import fc from 'fast-check';
import { test } from 'tap';
import { BUCKETS, bucketEnd, bucketOf, bucketStart, MAX_STEPS, RELATIVE_ERROR } from '../../src/metrics/buckets.ts';
import { MetricCollector } from '../../src/metrics/collector.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { type ScopeSnapshot, type StatValue, SUMMARY_SHARES } from '../../src/metrics/snapshot.ts';

/** A stat that each list of values was recorded to by a thread of its own. */
function recorded(threads: readonly (readonly number[])[], name: string): StatValue {
  const collector = new MetricCollector();
  for (const values of threads) {
    const registry = new MetricRegistry();
    const source = collector.attach();
    registry.onAnnounce((announcement) => source.accept(announcement));
    const stat = registry.scope(['test']).stat(name);
    for (const value of values) stat.record(value);
    registry.flush();
  }
  for (const { path, metrics } of collector.snapshot().scopes) {
    if (path[0] === 'test') return metrics[0] as StatValue;
  }
  throw new Error('the stat is missing');
}

const exact = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] as number;

/** Of all sizes alike: as many below 100 as between 10^6 and 10^8. */
const amount = fc
  .tuple(fc.double({ min: 0, max: 31, noNaN: true }), fc.nat(1000))
  .map(([e, n]) => Math.min(MAX_STEPS, Math.floor(2 ** e) + (n % 7)));

test('buckets follow each other without a gap, up to 2^31', async (t) => {
  let next = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (bucketStart(bucket) !== next) t.fail(`bucket ${bucket} begins at ${bucketStart(bucket)}, not ${next}`);
    if (bucketOf(bucketStart(bucket)) !== bucket || bucketOf(bucketEnd(bucket)) !== bucket) t.fail(`bucket ${bucket}`);
    next = bucketEnd(bucket) + 1;
  }
  t.equal(next, MAX_STEPS + 1);
  t.ok(RELATIVE_ERROR <= 0.016);
});

test('no percentile is off by more than the stated error', async () => {
  fc.assert(
    fc.property(fc.array(amount, { minLength: 1, maxLength: 400 }), (values) => {
      const { summary } = recorded([values], 'bytes');
      return SUMMARY_SHARES.every((share, at) => {
        const truth = exact(values, share);
        return Math.abs((summary.quantiles[at] as number) - truth) <= RELATIVE_ERROR * truth;
      });
    }),
  );
});

test('count, sum, least and greatest value are exact', async (t) => {
  const values = [17.25, 0.3, 2000.5, 17.25];
  const { summary } = recorded([values], 'request_latency_ms');
  t.match(summary, { count: 4, min: 0.3, max: 2000.5 });
  t.ok(Math.abs(summary.sum - 2035.3) < 1e-9);
});

test('threads are merged: percentiles are those of all values together', async () => {
  const lists = fc
    .array(fc.array(amount, { maxLength: 100 }), { minLength: 1, maxLength: 4 })
    .filter((threads) => threads.some((values) => values.length > 0));
  fc.assert(
    fc.property(lists, (threads) => {
      const { summary: merged } = recorded(threads, 'bytes');
      const { summary: union } = recorded([threads.flat()], 'bytes');
      return JSON.stringify(merged) === JSON.stringify(union);
    }),
    { examples: [[[[1, 1, 1, 1, 1, 1, 1, 1, 1], [1000]]]] },
  );
});

test('what is no amount counts as 0, what is too large as the largest', async (t) => {
  const { summary } = recorded([[Number.NaN, -5, 1e12]], 'bytes');
  t.match(summary, { count: 3, min: 0, max: 1e12, sum: 1e12 });
  t.equal(summary.quantiles[0], 0);
  t.equal(summary.quantiles[3], 1e12);
});

test('classic buckets are cumulative and agree with the count', async (t) => {
  const registry = new MetricRegistry();
  const collector = new MetricCollector();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  const stat = registry.scope(['rt', 'out', 'server', '0.0.0.0/4140']).stat('request_latency_ms');
  for (const value of [0.2, 0.7, 3, 3, 80, 1e6]) stat.record(value);
  registry.flush();
  const [scope] = [...collector.snapshot().scopes].filter(({ path }) => path[0] === 'rt') as [ScopeSnapshot];
  const { buckets } = scope.metrics.find(({ type }) => type === 'stat') as StatValue;
  const at = (bound: number): number | undefined => buckets?.counts[buckets.bounds.indexOf(bound)];
  t.same([at(0.5), at(1), at(2.5), at(5), at(100), at(10_000)], [1, 2, 2, 4, 5, 5]);
  t.equal(buckets?.count, 6);
});
