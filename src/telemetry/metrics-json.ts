/**
 * `/admin/metrics.json` (reference/telemetry-metrics.md section 2): one flat object, or nested ones with `tree`. What a
 * stat has recorded is printed in whole units, as the original does.
 */
import type { MetricSnapshot, MetricValue, StatValue } from '../metrics/snapshot.ts';
import { float, whole } from './numbers.ts';
import { TextBuffer } from './text-buffer.ts';

export const METRICS_JSON_CONTENT_TYPE = 'application/json';

export interface MetricsJsonOptions {
  /** Nested objects, one a segment, instead of keys joined with `/`. */
  readonly tree?: boolean;
  /** Indented and sorted. */
  readonly pretty?: boolean;
  /** Only what is below this path, with keys relative to it. It ends where a segment does; slashes at its end count for nothing. */
  readonly q?: string | undefined;
}

const QUANTILE_KEYS = ['p50', 'p90', 'p95', 'p99', 'p9990', 'p9999'] as const;

/** Null when there is nothing below `q`: a 404 (see noSuchSubtree). */
export function renderMetricsJson(snapshot: MetricSnapshot, options: MetricsJsonOptions = {}): string | null {
  const { tree = false, pretty = false } = options;
  const q = (options.q ?? '').replace(/\/+$/, '');
  if (!tree && !pretty) return renderFlat(snapshot, q);
  const root: Tree = new Map();
  for (const { segments, metric } of below(snapshot, q)) {
    if (tree) plant(root, segments, metric);
    else for (const [key, json] of flatFields(segments.join('/'), metric)) root.set(key, json);
  }
  return q !== '' && root.size === 0 ? null : printTree(root, pretty, '');
}

function renderFlat(snapshot: MetricSnapshot, q: string): string | null {
  const text = new TextBuffer();
  let separator = '{';
  for (const { segments, metric } of below(snapshot, q)) {
    for (const [key, json] of flatFields(segments.join('/'), metric)) {
      text.append(`${separator}${JSON.stringify(key)}:${json}`);
      separator = ',';
    }
  }
  if (separator === '{') return q === '' ? '{}' : null;
  text.append('}');
  return Buffer.concat(text.take()).toString();
}

/** The body of the 404 for an unknown `q`. */
export function noSuchSubtree(q: string): string {
  return JSON.stringify({ error: `No such subtree: ${q}` });
}

/** A key and the JSON text of its value. */
type Field = readonly [key: string, json: string];

type Tree = Map<string, Tree | string>;

/** The metrics below `q`, with the segments that are left of their paths. */
function* below(
  { scopes }: MetricSnapshot,
  q: string,
): Generator<{ readonly segments: readonly string[]; readonly metric: MetricValue }> {
  for (const { path, metrics } of scopes) {
    for (const metric of metrics) {
      const segments = after(q, [...path, ...metric.name.split('/')]);
      if (segments !== null) yield { segments, metric };
    }
  }
}

/** The segments after those that `q` joins; null when it isn't a beginning of the path. */
function after(q: string, segments: readonly string[]): readonly string[] | null {
  if (q === '') return segments;
  let prefix = '';
  for (let at = 0; at < segments.length; at++) {
    prefix = at === 0 ? (segments[at] as string) : `${prefix}/${segments[at]}`;
    if (prefix === q) return segments.slice(at + 1);
    if (!q.startsWith(prefix)) return null;
  }
  return null;
}

function flatFields(key: string, metric: MetricValue): Field[] {
  if (metric.type === 'stat') return statFields(metric).map(([field, json]) => [`${key}.${field}`, json]);
  return [[key, metric.type === 'counter' ? String(metric.value) : float(metric.value)]];
}

function plant(root: Tree, segments: readonly string[], metric: MetricValue): void {
  let node = root;
  for (const segment of segments) {
    let child = node.get(segment);
    if (child === undefined || typeof child === 'string') {
      child = new Map();
      node.set(segment, child);
    }
    node = child;
  }
  if (metric.type === 'counter') node.set('counter', String(metric.value));
  else if (metric.type === 'gauge') node.set('gauge', float(metric.value));
  else if (metric.type === 'stat') for (const [field, json] of statFields(metric)) node.set(`stat.${field}`, json);
}

function statFields({ summary }: StatValue): Field[] {
  const { count, sum, min, max, quantiles } = summary;
  if (count === 0) return [['count', '0']];
  return [
    ['count', String(count)],
    ['max', whole(max)],
    ['min', whole(min)],
    ...QUANTILE_KEYS.map((key, at): Field => [key, whole(quantiles[at] as number)]),
    ['sum', whole(sum)],
    ['avg', float(sum / count)],
  ];
}

function printTree(tree: Tree, pretty: boolean, indent: string): string {
  const print = (value: Tree | string): string =>
    typeof value === 'string' ? value : printTree(value, pretty, `${indent}  `);
  if (!pretty) return `{${Array.from(tree, ([key, value]) => `${JSON.stringify(key)}:${print(value)}`).join(',')}}`;
  if (tree.size === 0) return '{ }';
  const keys = [...tree.keys()].sort();
  const lines = keys.map((key) => `${indent}  ${JSON.stringify(key)} : ${print(tree.get(key) as Tree | string)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
