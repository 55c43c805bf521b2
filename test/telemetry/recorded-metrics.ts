/** For tests: the original's metrics.json as it was recorded, and a snapshot that has the same metrics. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricSnapshot, MetricValue, StatValue } from '../../src/metrics/snapshot.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

export const readFixture = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');

export interface RecordedMetric {
  /** Segments of the scope. */
  readonly path: readonly string[];
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'stat';
  /** Of a stat: its count. */
  readonly value: number;
}

/** What the recorded traffic went through: segments that contain `/`. */
const SCOPES: readonly [RegExp, (match: RegExpExecArray) => string[]][] = [
  [/^rt\/(\w+)\/server\/([\d.]+\/\d+)\//, ([, rt, server]) => ['rt', rt!, 'server', server!]],
  [
    /^rt\/(\w+)\/client\/(#\/io\.l5d\.fs\/\w+)\/service\/(svc\/\w+)\//,
    ([, rt, client, service]) => ['rt', rt!, 'client', client!, 'service', service!],
  ],
  [/^rt\/(\w+)\/client\/(#\/io\.l5d\.fs\/\w+)\//, ([, rt, client]) => ['rt', rt!, 'client', client!]],
  [/^rt\/(\w+)\/service\/(svc\/\w+)\//, ([, rt, service]) => ['rt', rt!, 'service', service!]],
  [/^rt\/(\w+)\/bindcache\/(\w+)\//, ([, rt, cache]) => ['rt', rt!, 'bindcache', cache!]],
  [/^(\w+)\//, ([, first]) => [first!]],
];

/** Whole numbers with a fraction (`1.0`) are gauges: the text tells, the number doesn't. */
export function recordedMetrics(text: string): RecordedMetric[] {
  return [...text.matchAll(/^ ?"(.+)": ([^,\n]+),?$/gm)].flatMap(([, key = '', number = '']) => {
    if (/\.(max|min|p50|p90|p95|p99|p9990|p9999|sum|avg)$/.test(key)) return [];
    for (const [pattern, scope] of SCOPES) {
      const match = pattern.exec(key);
      if (match === null) continue;
      const isStat = key.endsWith('.count');
      const name = key.slice(match[0].length).replace(/\.count$/, '');
      const type = isStat ? 'stat' : /^-?\d+$/.test(number) ? 'counter' : 'gauge';
      return [{ path: scope(match), name, type, value: Number(number) }];
    }
    throw new Error(`no scope for ${key}`);
  });
}

export function snapshotOf(metrics: readonly RecordedMetric[]): MetricSnapshot {
  const scopes = Map.groupBy(metrics, ({ path }) => path.join('\0'));
  return {
    scopes: Array.from(scopes.values(), (own) => ({ path: own[0]!.path, metrics: own.map(metricValue) })),
  };
}

function metricValue({ name, type, value }: RecordedMetric): MetricValue {
  return type === 'stat' ? statValue(name, value, 7) : { type, name, value };
}

/** A stat that recorded the same value each time. */
export function statValue(name: string, count: number, value: number): StatValue {
  const summary = { count, sum: count * value, min: value, max: value, quantiles: Array(6).fill(value) };
  return { type: 'stat', name, summary, buckets: null };
}
