/**
 * What the process as a whole tells of itself: the original's `jvm/` names for what has a true value here, and Prometheus'
 * own `process_*` and `nodejs_*` metrics, which prom-client renders (loaded with the first scrape). Heaps and garbage
 * collections are counted by each thread, see metrics/thread.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Registry } from 'prom-client';
import type { MetricCollector } from '../metrics/collector.ts';

/** Adds the process' gauges to the collector. What the system does not tell is left out. Returns what takes them away. */
export function observeProcess(collector: MetricCollector): () => void {
  const startedMs = Math.round(performance.timeOrigin);
  const path = ['jvm'];
  const gauges: [name: string, read: () => number][] = [
    ['uptime', () => Math.round(process.uptime() * 1000)],
    ['start_time', () => startedMs],
    ['num_cpus', () => availableParallelism()],
  ];
  const limit = attempt(openFileLimit);
  if (limit !== null) gauges.push(['fd_limit', () => limit]);
  if (attempt(openFiles) !== null) gauges.push(['fd_count', () => attempt(openFiles) ?? Number.NaN]);
  if (attempt(systemThreads) !== null) gauges.push(['thread/count', () => attempt(systemThreads) ?? Number.NaN]);
  const stops = gauges.map(([name, read]) => collector.observe(path, name, 'gauge', read));
  return () => {
    for (const stop of stops) stop();
  };
}

/** The process' own metrics as Prometheus text; not prefixed, as everywhere. */
export class ProcessText {
  #registry: Promise<Registry> | null = null;

  async render(): Promise<string> {
    this.#registry ??= load();
    const text = await (await this.#registry).metrics();
    // prom-client writes `Nan`, which is no number of the format.
    return text.replaceAll(/ Nan$/gm, ' NaN');
  }
}

async function load(): Promise<Registry> {
  const { collectDefaultMetrics, Registry: NewRegistry } = await import('prom-client');
  const registry = new NewRegistry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Linux has /proc/self/fd, other systems /dev/fd. The one that reading it takes is not counted. */
function openFiles(): number {
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length - 1;
}

function openFileLimit(): number {
  return number(/^Max open files\s+(\d+)/m, readFileSync('/proc/self/limits', 'utf8'));
}

function systemThreads(): number {
  return number(/^Threads:\s+(\d+)/m, readFileSync('/proc/self/status', 'utf8'));
}

function number(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no ${pattern}`);
  return Number(found);
}

function attempt(read: () => number): number | null {
  try {
    return read();
  } catch {
    return null;
  }
}
