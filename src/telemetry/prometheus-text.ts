/**
 * The Prometheus text format (version 0.0.4) of a snapshot: names and labels as the original prints them, with the TYPE
 * and HELP lines that the format wants and with each family in one piece.
 *
 * A stat gives three families: a summary of the last full minute, with `_sum` and `_count` as the original has them; its
 * average, `<name>_avg`; and, for latencies of requests, a classic histogram since the start, `<name>_hist`, which
 * can be added up over hosts. Its bounds are off by at most the histogram's error (metrics/buckets.ts).
 */
import { describe, type MetricDefinition } from '../metrics/names.ts';
import type { Buckets, MetricSnapshot, MetricValue, StatValue, Summary } from '../metrics/snapshot.ts';
import { float } from './numbers.ts';
import { nameOf, prefixOf, type ScopeName, scopeName, seriesName } from './prometheus-names.ts';
import { TextBuffer } from './text-buffer.ts';

/** The original says `text/plain` alone; the version is what Prometheus 3 wants to see. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type FamilyType = 'counter' | 'gauge' | 'summary' | 'histogram';

interface Family {
  readonly name: string;
  readonly type: FamilyType;
  /** TYPE and HELP. */
  readonly header: string;
  /** Which metric gives the series without further labels than the scope's, and so for each set of further labels. */
  readonly owners: Map<string, string>;
  /** Of the rendering that is under way. */
  readonly lines: TextBuffer;
}

/** Where one metric of one kind of scope goes. */
interface Target {
  /** The labels beside the scope's. */
  readonly labels: string;
  /** Of a counter or gauge, or the summary of a stat. */
  readonly main: Family;
  readonly average: Family | null;
  readonly histogram: Family | null;
}

interface ScopeKind {
  readonly scope: ScopeName;
  /** Its labels in braces; empty when there are none. */
  readonly braced: string;
  /** By name of the metric; null for one whose series another one has already. */
  readonly targets: Map<string, Target | null>;
}

export class PrometheusText {
  readonly #prefix: string;
  /** By name. Names are few (metrics/names.ts); what there are many of is labels. */
  readonly #families = new Map<string, Family>();
  /** By literal segments of a scope. */
  readonly #kinds = new Map<string, ScopeKind['targets']>();
  /** By the path of a scope, which is the same array in each snapshot. */
  readonly #scopes = new WeakMap<readonly string[], ScopeKind>();

  /** `prefix` stands before each name. */
  constructor(prefix = '') {
    this.#prefix = prefixOf(prefix);
  }

  /** The whole text; for a server `chunks` is cheaper. */
  render(snapshot: MetricSnapshot): string {
    return Buffer.concat(this.chunks(snapshot)).toString();
  }

  /** The text in UTF-8, in pieces to be written one after the other. */
  chunks(snapshot: MetricSnapshot): Buffer[] {
    for (const { path, metrics } of snapshot.scopes) {
      const kind = this.#scopeKind(path);
      for (const metric of metrics) {
        const target = this.#target(kind, path, metric);
        if (target !== null) write(target, kind, metric);
      }
    }
    const parts: Buffer[] = [];
    for (const { header, lines } of this.#families.values()) {
      if (!lines.isEmpty) parts.push(Buffer.from(header), ...lines.take());
    }
    return parts;
  }

  #scopeKind(path: readonly string[]): ScopeKind {
    let kind = this.#scopes.get(path);
    if (kind === undefined) {
      const scope = scopeName(path);
      const key = scope.labels === '' ? path.join('\0') : scope.literal;
      let targets = this.#kinds.get(key);
      if (targets === undefined) {
        targets = new Map();
        this.#kinds.set(key, targets);
      }
      kind = { scope, targets, braced: inBraces(scope.labels) };
      this.#scopes.set(path, kind);
    }
    return kind;
  }

  #target({ scope, targets }: ScopeKind, path: readonly string[], metric: MetricValue): Target | null {
    let target = targets.get(metric.name);
    if (target === undefined) {
      target = this.#newTarget(scope, describe(path, metric.name), metric);
      targets.set(metric.name, target);
    }
    return target;
  }

  #newTarget(scope: ScopeName, definition: MetricDefinition | null, metric: MetricValue): Target | null {
    const { name: own, labels } = seriesName(metric.name, scope.labelsFailures);
    const name = `${this.#prefix}${nameOf([scope.name, own])}`.replace(/^(?=\d)/, '_');
    const help = definition?.help ?? `${scope.literal}/${metric.name}`;
    const owner = `${scope.literal}/${metric.name}`;
    if (metric.type !== 'stat') {
      const main = this.#family(name, metric.type, help, labels, owner);
      return main && { labels, main, average: null, histogram: null };
    }
    const main = this.#family(name, 'summary', `${help} Of the last minute.`, labels, owner);
    const average = this.#family(`${name}_avg`, 'gauge', `${help} Mean of the last minute.`, labels, owner);
    const histogram =
      metric.buckets && this.#family(`${name}_hist`, 'histogram', `${help} Since the start.`, labels, owner);
    return main && { labels, main, average, histogram };
  }

  /** Null when the name is taken: by another type, or by a metric that differs only in what a name can't show. */
  #family(name: string, type: FamilyType, help: string, labels: string, owner: string): Family | null {
    let family = this.#families.get(name);
    if (family === undefined) {
      const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      const header = `# HELP ${name} ${text}\n# TYPE ${name} ${type}\n`;
      family = { name, type, header, owners: new Map(), lines: new TextBuffer() };
      this.#families.set(name, family);
    }
    const first = family.owners.get(labels) ?? owner;
    family.owners.set(labels, first);
    return family.type === type && first === owner ? family : null;
  }
}

function write(target: Target, scope: ScopeKind, metric: MetricValue): void {
  const isPlain = target.labels === '';
  const labels = isPlain ? scope.scope.labels : joined(scope.scope.labels, target.labels);
  const braced = isPlain ? scope.braced : inBraces(labels);
  switch (metric.type) {
    case 'counter':
      target.main.lines.append(`${target.main.name}${braced} ${metric.value}\n`);
      break;
    case 'gauge':
      target.main.lines.append(`${target.main.name}${braced} ${prometheusFloat(metric.value)}\n`);
      break;
    case 'stat':
      writeStat(target, labels, braced, metric);
  }
}

/** Nothing for a stat without values, as in the original. */
function writeStat({ main, average, histogram }: Target, labels: string, braced: string, stat: StatValue): void {
  const { summary, buckets } = stat;
  if (summary.count > 0) {
    main.lines.append(summaryLines(main.name, labels, braced, summary));
    average?.lines.append(`${average.name}${braced} ${float(summary.sum / summary.count)}\n`);
  }
  if (histogram !== null && buckets !== null && buckets.count > 0) {
    histogram.lines.append(histogramLines(histogram.name, labels, braced, buckets));
  }
}

function summaryLines(
  name: string,
  labels: string,
  braced: string,
  { count, sum, min, max, quantiles }: Summary,
): string {
  const open = labels === '' ? `${name}{quantile="` : `${name}{${labels}, quantile="`;
  const [p50, p90, p95, p99, p999, p9999] = quantiles as [number, number, number, number, number, number];
  return (
    `${name}_count${braced} ${count}\n${name}_sum${braced} ${rounded(sum)}\n` +
    `${open}0"} ${rounded(min)}\n${open}0.5"} ${rounded(p50)}\n${open}0.9"} ${rounded(p90)}\n` +
    `${open}0.95"} ${rounded(p95)}\n${open}0.99"} ${rounded(p99)}\n${open}0.999"} ${rounded(p999)}\n` +
    `${open}0.9999"} ${rounded(p9999)}\n${open}1"} ${rounded(max)}\n`
  );
}

function histogramLines(name: string, labels: string, braced: string, { bounds, counts, count, sum }: Buckets): string {
  const open = labels === '' ? `${name}_bucket{le="` : `${name}_bucket{${labels}, le="`;
  let lines = '';
  for (let at = 0; at < bounds.length; at++) lines += `${open}${bounds[at]}"} ${counts[at]}\n`;
  return `${lines}${open}+Inf"} ${count}\n${name}_sum${braced} ${rounded(sum)}\n${name}_count${braced} ${count}\n`;
}

function inBraces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function joined(labels: string, further: string): string {
  return labels === '' ? further : `${labels}, ${further}`;
}

/** Thousandths of a unit: finer than what stats tell apart. */
function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Math.round(value * 1000) / 1000);
}

function prometheusFloat(value: number): string {
  return Number.isFinite(value) ? float(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
