/**
 * What each JavaScript thread tells of itself: its heap and its garbage collections, under the original's `jvm/` names.
 * The collector adds the threads, so that the numbers are those of the process.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { MetricRegistry } from './registry.ts';

const INTERVAL_MS = 1000;

/** Begins to measure the calling thread. Returns what ends it. */
export function measureThread(registry: MetricRegistry): () => void {
  const scope = registry.scope(['jvm']);
  const used = scope.gauge('heap/used');
  const committed = scope.gauge('heap/committed');
  const max = scope.gauge('heap/max');
  const cycles = scope.gauge('gc/cycles');
  const msec = scope.gauge('gc/msec');

  const measure = (): void => {
    const heap = getHeapStatistics();
    used.set(heap.used_heap_size);
    committed.set(heap.total_heap_size);
    max.set(heap.heap_size_limit);
  };
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      cycles.increment();
      msec.add(duration);
    }
  });
  measure();
  collections.observe({ entryTypes: ['gc'] });
  const timer = setInterval(measure, INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
    collections.disconnect();
    scope.close();
  };
}
