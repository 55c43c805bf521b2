// The process tells true values of itself.
import { closeSync, openSync } from 'node:fs';
import { test } from 'tap';
import { MetricCollector } from '../../src/metrics/collector.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import { measureThread } from '../../src/metrics/thread.ts';
import { observeProcess, ProcessText } from '../../src/telemetry/process-metrics.ts';
import { until } from '../support/until.ts';
import { parseExposition } from './exposition.ts';

function values(collector: MetricCollector): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { path, metrics } of collector.snapshot().scopes) {
    if (path[0] !== 'jvm') continue;
    for (const metric of metrics) if (metric.type === 'gauge') found[metric.name] = metric.value;
  }
  return found;
}

test('uptime, start, CPUs, descriptors and threads', async (t) => {
  const collector = new MetricCollector();
  const stop = observeProcess(collector);
  const { uptime = 0, start_time: startTime = 0, num_cpus: cpus = 0, ...others } = values(collector);
  t.ok(Math.abs(startTime + uptime - Date.now()) < 10_000, `${startTime} + ${uptime} is now`);
  t.ok(cpus >= 1);
  if (process.platform === 'linux') {
    t.ok((others['thread/count'] as number) > 1);
    t.ok((others['fd_limit'] as number) >= (others['fd_count'] as number));
    const files = Array.from({ length: 5 }, () => openSync('/dev/null', 'r'));
    const more = values(collector)['fd_count'] as number;
    for (const file of files) closeSync(file);
    t.ok(more >= (others['fd_count'] as number) + 5, `${others['fd_count']}, then ${more}`);
  }
  stop();
  t.same(values(collector), {});
});

test('each thread tells its heap and its garbage collections', async (t) => {
  const collector = new MetricCollector();
  const registry = new MetricRegistry();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  const stop = measureThread(registry);
  registry.flush();
  const { 'heap/used': used = 0, 'heap/committed': committed = 0, 'heap/max': max = 0 } = values(collector);
  t.ok(used > 1e6 && used <= committed && committed <= max, `${used} of ${committed} of ${max}`);
  await until(async () => {
    Array.from({ length: 100_000 }, (_, at) => ({ at }));
    return (values(collector)['gc/cycles'] as number) > 0;
  });
  t.ok((values(collector)['gc/msec'] as number) > 0);
  stop();
  registry.flush();
  t.same(values(collector), {});
});

test("prom-client renders the process' own metrics", async (t) => {
  const text = await new ProcessText().render();
  // It ends families with empty lines, which the format allows.
  const families = parseExposition(text.replaceAll(/^\n/gm, ''));
  t.equal(families.get('process_cpu_seconds_total')?.type, 'counter');
  t.ok((families.get('process_resident_memory_bytes')?.samples[0]?.value as number) > 1e6);
});
