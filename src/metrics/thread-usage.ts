/**
 * How evenly the threads share the requests of a server. Each thread counts `thread_usage/requests/per_thread/<thread>`;
 * the mean and the deviations come from those, under the original's names.
 */
import type { MetricValue, NumberValue } from './snapshot.ts';

const REQUESTS = 'thread_usage/requests';
const PER_THREAD = `${REQUESTS}/per_thread/`;

/** Whether a metric is one thread's count. */
export function isThreadUsage(name: string): boolean {
  return name.startsWith(PER_THREAD);
}

/** The metrics of a scope, with what is derived from its threads' counts, if it has them. */
export function withThreadUsage(metrics: MetricValue[]): MetricValue[] {
  const counts: number[] = [];
  for (const metric of metrics) {
    if (metric.type === 'counter' && isThreadUsage(metric.name)) counts.push(metric.value);
  }
  if (counts.length === 0) return metrics;
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
  return [
    ...metrics,
    gauge('mean', mean),
    gauge('stddev', deviation),
    gauge('relative_stddev', mean === 0 ? 0 : deviation / mean),
  ];
}

function gauge(name: string, value: number): NumberValue {
  return { type: 'gauge', name: `${REQUESTS}/${name}`, value };
}
