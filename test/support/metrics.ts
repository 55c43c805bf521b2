/** Metrics as a test reads them. */
import { MetricCollector } from '../../src/metrics/collector.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';

export interface TestMetrics {
  readonly registry: MetricRegistry;
  /** A counter or gauge now; `scope` is the end of its scope's path, joined with `/`. */
  value(scope: string, name: string): number | undefined;
  close(): void;
}

export function testMetrics(): TestMetrics {
  const collector = new MetricCollector();
  const registry = new MetricRegistry();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  return {
    registry,
    value: (scope, name) => {
      registry.flush();
      for (const { path, metrics } of collector.snapshot().scopes) {
        if (!path.join('/').endsWith(scope)) continue;
        const found = metrics.find((metric) => metric.name === name);
        if (found !== undefined && found.type !== 'stat') return found.value;
      }
      return undefined;
    },
    close: () => collector.close(),
  };
}
