/** The lines of one metric in the Prometheus text format, without those that begin a family. */
import type { Buckets, MetricValue, StatValue, Summary } from '../metrics/snapshot.ts';
import { float } from './numbers.ts';

/** Where one metric of one kind of scope goes. */
export interface Target<Family> {
  /** The labels beside the scope's. */
  readonly labels: string;
  /** Of a counter or gauge, or the summary of a stat. */
  readonly main: Family;
  readonly average: Family | null;
  readonly histogram: Family | null;
}

/** The labels of a scope, as `name="value", ...`, and the same in braces; empty when there are none. */
export interface ScopeLabels {
  readonly plain: string;
  readonly braced: string;
}

export function scopeLabels(plain: string): ScopeLabels {
  return { plain, braced: plain === '' ? '' : `{${plain}}` };
}

/** Gives `emit` the lines, with the family that they belong to. */
export function writeMetric<Family extends { readonly name: string }>(
  target: Target<Family>,
  scope: ScopeLabels,
  metric: MetricValue,
  emit: (family: Family, lines: string) => void,
): void {
  const labels = target.labels === '' ? scope : scopeLabels(joined(scope.plain, target.labels));
  const { main } = target;
  if (metric.type === 'stat') writeStat(target, labels, metric, emit);
  else if (metric.type === 'counter') emit(main, `${main.name}${labels.braced} ${metric.value}\n`);
  else emit(main, `${main.name}${labels.braced} ${prometheusFloat(metric.value)}\n`);
}

/** Nothing for a stat without values, as in the original. */
function writeStat<Family extends { readonly name: string }>(
  { main, average, histogram }: Target<Family>,
  labels: ScopeLabels,
  { summary, buckets }: StatValue,
  emit: (family: Family, lines: string) => void,
): void {
  if (summary.count > 0) {
    emit(main, summaryLines(main.name, labels, summary));
    if (average !== null) emit(average, `${average.name}${labels.braced} ${float(summary.sum / summary.count)}\n`);
  }
  if (histogram !== null && buckets !== null && buckets.count > 0) {
    emit(histogram, histogramLines(histogram.name, labels, buckets));
  }
}

function summaryLines(
  name: string,
  { plain, braced }: ScopeLabels,
  { count, sum, min, max, quantiles }: Summary,
): string {
  const open = plain === '' ? `${name}{quantile="` : `${name}{${plain}, quantile="`;
  const [p50, p90, p95, p99, p999, p9999] = quantiles as [number, number, number, number, number, number];
  return (
    `${name}_count${braced} ${count}\n${name}_sum${braced} ${rounded(sum)}\n` +
    `${open}0"} ${rounded(min)}\n${open}0.5"} ${rounded(p50)}\n${open}0.9"} ${rounded(p90)}\n` +
    `${open}0.95"} ${rounded(p95)}\n${open}0.99"} ${rounded(p99)}\n${open}0.999"} ${rounded(p999)}\n` +
    `${open}0.9999"} ${rounded(p9999)}\n${open}1"} ${rounded(max)}\n`
  );
}

function histogramLines(name: string, { plain, braced }: ScopeLabels, { bounds, counts, count, sum }: Buckets): string {
  const open = plain === '' ? `${name}_bucket{le="` : `${name}_bucket{${plain}, le="`;
  let lines = '';
  for (let at = 0; at < bounds.length; at++) lines += `${open}${bounds[at]}"} ${counts[at]}\n`;
  return `${lines}${open}+Inf"} ${count}\n${name}_sum${braced} ${rounded(sum)}\n${name}_count${braced} ${count}\n`;
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
