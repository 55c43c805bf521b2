/**
 * `io.l5d.influxdb`: the metrics in InfluxDB's line protocol, on the admin server. Metrics that stand next to each other are the
 * fields of one line, and segments that name a router, server, service or client are tags of it:
 *
 *     rt:client,client=#/io.l5d.fs/web,host=127.0.0.1:9990,rt=out connects=1,requests=3
 */
import { defineKind } from '../config/kind.ts';
import type { MetricSnapshot, MetricValue, ScopeSnapshot, StatValue } from '../metrics/snapshot.ts';
import { float, whole } from './numbers.ts';
import { type ScopeName, scopeName } from './prometheus-names.ts';
import { TextBuffer } from './text-buffer.ts';

export interface InfluxDbTelemeter {
  readonly kind: 'io.l5d.influxdb';
  /** Where the admin server serves it. */
  readonly path: string;
  readonly contentType: string;
  /** In UTF-8, in pieces. `host` is the tag that tells this process from others. */
  readonly chunks: (snapshot: MetricSnapshot, host: string) => Buffer[];
}

export const influxDb = defineKind({
  kind: 'io.l5d.influxdb',
  thread: 'control',
  summary: 'Metrics in the InfluxDB line protocol on the admin server.',
  config: (z) => z.strictObject({}),
  create: (): InfluxDbTelemeter => ({
    kind: 'io.l5d.influxdb',
    path: '/admin/metrics/influxdb',
    contentType: 'text/plain',
    chunks: influxDbLines,
  }),
});

/** Of a tag or field, or what is behind the metric's name in that of a field. */
type Pair = readonly [name: string, value: string];

/** What a metric at the top, beside no other, is measured as. */
const ROOT = 'root';

const QUANTILE_SUFFIXES = ['p50', 'p90', 'p95', 'p99', 'p999', 'p9999'] as const;

function influxDbLines({ scopes }: MetricSnapshot, host: string): Buffer[] {
  const text = new TextBuffer();
  for (const scope of scopes) writeScope(scope, host, text);
  return text.take();
}

function writeScope({ path, metrics }: ScopeSnapshot, host: string, text: TextBuffer): void {
  const scope = scopeName(path);
  const tags = tagsOf(scope, host);
  for (const [below, fields] of byParent(metrics)) {
    const segments = [...(scope.literal === '' ? [] : scope.literal.split('/')), ...below];
    const measurement = segments.length === 0 ? ROOT : segments.join(':').replace(/[^a-zA-Z0-9:]/g, '_');
    text.append(`${measurement},${tags} ${sorted(fields)}\n`);
  }
}

/** The fields of each line, by the segments between the scope and them. */
function byParent(metrics: readonly MetricValue[]): Iterable<[below: readonly string[], fields: Pair[]]> {
  const lines = new Map<string, [string[], Pair[]]>();
  for (const metric of metrics) {
    const below = metric.name.split('/');
    const name = escaped(below.pop() as string);
    const key = below.join('/');
    const line = lines.get(key) ?? [below, []];
    lines.set(key, line);
    for (const [suffix, value] of valuesOf(metric)) {
      // The protocol has no way to say that a value is not known.
      if (value !== 'null') line[1].push([name + suffix, value]);
    }
  }
  return [...lines.values()].filter(([, fields]) => fields.length > 0);
}

function valuesOf(metric: MetricValue): Pair[] {
  switch (metric.type) {
    case 'counter':
      return [['', String(metric.value)]];
    case 'gauge':
      return [['', float(metric.value)]];
    case 'stat':
      return statValues(metric);
  }
}

function statValues({ summary }: StatValue): Pair[] {
  const { count, sum, min, max, quantiles } = summary;
  return [
    ['_count', String(count)],
    ['_sum', whole(sum)],
    ['_avg', float(count === 0 ? 0 : sum / count)],
    ['_min', whole(min)],
    ['_max', whole(max)],
    ...QUANTILE_SUFFIXES.map((suffix, i) => [`_${suffix}`, whole(quantiles[i] ?? 0)] as const),
  ];
}

function tagsOf({ tags }: ScopeName, host: string): string {
  return sorted([...tags, ['host', host] as const].map(([name, value]) => [name, escaped(value)]));
}

/** By name. */
function sorted(pairs: readonly Pair[]): string {
  return pairs
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** Commas, equals signs and blanks end a name or value unless they are escaped, which the original forgets; nothing can escape a line end. */
function escaped(text: string): string {
  return text.replace(/[\r\n]/g, ' ').replace(/[,= ]/g, '\\$&');
}
