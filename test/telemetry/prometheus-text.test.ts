// The Prometheus text: the recorded names and labels, in a format that is valid to the letter.
import fc from 'fast-check';
import { test } from 'tap';
import { MetricCollector } from '../../src/metrics/collector.ts';
import { metricTree } from '../../src/metrics/names.ts';
import { MetricRegistry } from '../../src/metrics/registry.ts';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';
import { prometheus } from '../../src/telemetry/prometheus.ts';
import { PrometheusText } from '../../src/telemetry/prometheus-text.ts';
import { parseExposition, parseSample, type Sample } from './exposition.ts';
import { readFixture, recordedMetrics, snapshotOf, statValue } from './recorded-metrics.ts';

const seriesOf = ({ name, labels }: Sample): string => `${name} ${JSON.stringify(labels)}`;

/** All samples by series. */
function samples(text: string): Map<string, Sample> {
  const all = Array.from(parseExposition(text).values(), (family) => family.samples).flat();
  return new Map(all.map((sample) => [seriesOf(sample), sample]));
}

const one = (path: readonly string[], name: string, value = 1): MetricSnapshot => ({
  scopes: [{ path, metrics: [{ type: 'counter', name, value }] }],
});

test('the traffic that was recorded gives the series that were recorded', async (t) => {
  const metrics = recordedMetrics(readFixture('metrics-one-router-1-after-3-requests.json'));
  const rendered = samples(new PrometheusText().render(snapshotOf(metrics)));
  const recorded = readFixture('metrics-one-router-1-after-3-requests.prometheus.txt').trimEnd().split('\n');
  t.ok(recorded.length > 200);
  for (const line of recorded) {
    const expected = parseSample(line);
    // Names of the original's threads: one segment with a `/` in it.
    if (expected.name.includes(':per_thread:')) continue;
    // The JVM's own differ by the time between the two recordings, the admin server's by the request in between.
    if (!expected.name.startsWith('rt:')) t.ok(rendered.has(seriesOf(expected)), line);
    else t.equal(rendered.get(seriesOf(expected))?.value, expected.value, line);
  }
  t.equal(rendered.size, recorded.length);
});

test('stats and failures have the recorded names and labels', async (t) => {
  const metrics = recordedMetrics(readFixture('metrics-one-router-3-more-traffic.json'));
  const rendered = samples(new PrometheusText().render(snapshotOf(metrics)));
  const recorded = readFixture('metrics-one-router-3-more-traffic.prometheus.txt').trimEnd().split('\n');
  t.ok(recorded.length > 100);
  for (const line of recorded) t.ok(rendered.has(seriesOf(parseSample(line))), line);
});

test('labels are written as recorded: in this order, parted by a comma and a space', async (t) => {
  const path = ['rt', 'out', 'client', '#/io.l5d.fs/foo'];
  const text = new PrometheusText().render(one(path, 'failures/rejected/a.B', 3));
  t.match(text, /^rt:client:failures\{rt="out", client="#\/io\.l5d\.fs\/foo", exception="rejected:a\.B"\} 3$/m);
  t.match(new PrometheusText().render(one(['a'], 'exn/x.Y')), /^a:exceptions\{exception="x\.Y"\} 1$/m);
});

test('whatever a path holds, the text is valid and the label has it', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '/', '"', '\\', '\n', '{', '}', ',', ' ', 'ä', '\u{1F600}', '0'),
  });
  fc.assert(
    fc.property(text, text, fc.double(), (router, server, value) => {
      const path = ['rt', router, 'server', server];
      const metrics = [
        { type: 'gauge', name: 'pending', value } as const,
        { type: 'counter', name: `failures/${server}`, value: 1 } as const,
        statValue('request_latency_ms', 3, 0.25),
      ];
      const rendered = new PrometheusText().render({ scopes: [{ path, metrics }] });
      const [pending] = parseExposition(rendered).get('rt:server:pending')?.samples ?? [];
      const isSame = Object.is(pending?.value, value) || pending?.value === value;
      return pending?.labels['rt'] === router && pending.labels['server'] === server && isSame;
    }),
  );
});

test('a prefix is put before each name and made a valid one', async (t) => {
  const snapshot = one(['jvm'], 'uptime');
  t.same([...parseExposition(new PrometheusText('l5d_').render(snapshot)).keys()], ['l5d_jvm:uptime']);
  t.same([...parseExposition(new PrometheusText('1 x-').render(snapshot)).keys()], ['_1_x_jvm:uptime']);
});

test('of metrics that differ only in what a name cannot show, one is rendered', async (t) => {
  const scopes = [...one(['namer', '#/a.b'], 'opens', 1).scopes, ...one(['namer', '#/a_b'], 'opens', 2).scopes];
  const text = new PrometheusText();
  for (let scrape = 0; scrape < 2; scrape++) {
    const family = parseExposition(text.render({ scopes })).get('namer:__a_b:opens');
    t.same(
      family?.samples.map(({ value }) => value),
      [1],
    );
  }
});

test('a summary has the recorded quantiles and an average; without values there is nothing', async (t) => {
  const path = ['rt', 'out', 'server', '0.0.0.0/4140'];
  const render = (count: number) =>
    parseExposition(
      new PrometheusText().render({ scopes: [{ path, metrics: [statValue('request_latency_ms', count, 2.5)] }] }),
    );
  t.equal(render(0).size, 0);
  const families = render(4);
  const summary = families.get('rt:server:request_latency_ms');
  t.equal(summary?.type, 'summary');
  t.same(
    summary?.samples.flatMap(({ labels }) => labels['quantile'] ?? []),
    ['0', '0.5', '0.9', '0.95', '0.99', '0.999', '0.9999', '1'],
  );
  t.match(families.get('rt:server:request_latency_ms_avg'), { type: 'gauge', samples: [{ value: 2.5 }] });
});

test('the whole tree renders, with help for each name and buckets for latencies of requests', async (t) => {
  const collector = new MetricCollector();
  const registry = new MetricRegistry();
  const source = collector.attach();
  registry.onAnnounce((announcement) => source.accept(announcement));
  for (const { path, metrics } of metricTree) {
    const scope = registry.scope(path.map((segment) => segment.replace(/[{}]/g, '')));
    for (const { name, type } of metrics) {
      // Derived from per_thread.
      if (/^thread_usage\/requests\/(mean|\w*stddev)$/.test(name)) continue;
      const example = name.replace(/\{code\}/, '404').replace(/\{(\w+)\}/, 'some.$1');
      if (type === 'stat') scope.stat(example).record(3);
      else scope[type](example).add(2);
    }
  }
  registry.flush();
  const families = parseExposition(new PrometheusText().render(collector.snapshot()));
  for (const { name, help } of families.values()) {
    if (!name.startsWith('metrics:')) t.notMatch(help, /^\w+\/|\//, `${name} has a help text`);
  }
  const histograms = [...families.values()].filter(({ type }) => type === 'histogram').map(({ name }) => name);
  t.same(
    histograms.sort(),
    ['client', 'server', 'service'].map((kind) => `rt:${kind}:request_latency_ms_hist`),
  );
  collector.roll();
  collector.roll();
  const later = parseExposition(new PrometheusText().render(collector.snapshot()));
  t.notOk(later.has('rt:server:request_latency_ms'), 'the last minute had none');
  t.ok(later.has('rt:server:request_latency_ms_hist'), 'buckets count since the start');
});

test('io.l5d.prometheus renders with its prefix, at its path', async (t) => {
  const telemeter = prometheus.create({ path: '/prom', prefix: 'mesh_' }, undefined);
  t.equal(telemeter.path, '/prom');
  t.match(telemeter.contentType, /^text\/plain; version=0\.0\.4/);
  const snapshot = one(['jvm'], 'uptime', 5);
  t.match(telemeter.render(snapshot), /^mesh_jvm:uptime 5$/m);
  t.equal(Buffer.concat(telemeter.chunks(snapshot)).toString(), telemeter.render(snapshot));
  t.equal(prometheus.create({}, undefined).path, '/admin/metrics/prometheus');
});
