// metrics.json: flat and nested, whole and in part, shaped like the original's.
import { test } from 'tap';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';
import { noSuchSubtree, renderMetricsJson } from '../../src/telemetry/metrics-json.ts';
import { readFixture, recordedMetrics, snapshotOf, statValue } from './recorded-metrics.ts';

const snapshot: MetricSnapshot = {
  scopes: [
    { path: ['jvm'], metrics: [{ type: 'gauge', name: 'num_cpus', value: 2 }] },
    {
      path: ['rt', 'out', 'server', '0.0.0.0/4140'],
      metrics: [
        { type: 'counter', name: 'failures', value: 3 },
        { type: 'counter', name: 'failures/a.B', value: 2 },
        statValue('request_latency_ms', 2, 1.5),
        statValue('connect_latency_ms', 0, 0),
      ],
    },
  ],
};
const server = 'rt/out/server/0.0.0.0/4140';
const stat = { max: 1, min: 1, p50: 1, p90: 1, p95: 1, p99: 1, p9990: 1, p9999: 1, sum: 3, avg: 1.5 };

test('keys and values are as recorded', async (t) => {
  const recorded = readFixture('metrics-one-router-1-after-3-requests.json');
  const rendered = renderMetricsJson(snapshotOf(recordedMetrics(recorded)));
  const expected = JSON.parse(recorded) as Record<string, number>;
  t.same(JSON.parse(rendered ?? ''), expected);
  // Counters are whole, gauges have a fraction: in the text, since numbers of JSON are one.
  for (const [key, number] of recorded.matchAll(/"(?:[^"]+)": (-?[\d.]+)/g).map(([text, n]) => [text, n] as const)) {
    const line = key.replace('": ', '":');
    t.ok(rendered?.includes(`${line},`) || rendered?.includes(`${line}}`), `${line} ${number}`);
  }
});

test('a stat has eleven keys, or its count alone', async (t) => {
  const values = JSON.parse(renderMetricsJson(snapshot) ?? '') as Record<string, number>;
  t.same(
    values,
    Object.fromEntries([
      ['jvm/num_cpus', 2],
      [`${server}/failures`, 3],
      [`${server}/failures/a.B`, 2],
      [`${server}/request_latency_ms.count`, 2],
      ...Object.entries(stat).map(([key, value]) => [`${server}/request_latency_ms.${key}`, value]),
      [`${server}/connect_latency_ms.count`, 0],
    ]),
  );
});

test('the tree has a node for each segment, with its own value under its type', async (t) => {
  t.same(JSON.parse(renderMetricsJson(snapshot, { tree: true }) ?? ''), {
    jvm: { num_cpus: { gauge: 2 } },
    rt: {
      out: {
        server: {
          '0.0.0.0/4140': {
            failures: { counter: 3, 'a.B': { counter: 2 } },
            request_latency_ms: {
              'stat.count': 2,
              ...Object.fromEntries(Object.entries(stat).map(([key, value]) => [`stat.${key}`, value])),
            },
            connect_latency_ms: { 'stat.count': 0 },
          },
        },
      },
    },
  });
});

test('q gives what is below it, with keys relative to it', async (t) => {
  const keys = (q: string, tree = false): string[] | null => {
    const text = renderMetricsJson(snapshot, { q, tree });
    return text === null ? null : Object.keys(JSON.parse(text));
  };
  t.same(keys('jvm'), ['num_cpus']);
  t.same(keys(`${server}/failures`), ['', 'a.B']);
  t.equal(keys(server)?.length, 14, 'even where a segment has a slash in it');
  t.same(
    keys('rt/out/server'),
    keys(server)?.map((key) => `0.0.0.0/4140/${key}`),
  );
  t.same(keys('rt/out', true), ['server']);
  t.same(keys('rt/out//', true), ['server'], 'slashes at the end count for nothing');
  t.same(keys('/'), keys(''));
  for (const unknown of ['rt/ou', '/rt', 'rt/out/server/0.0.0.0', 'nosuch', `${server}/failures/a`]) {
    t.equal(keys(unknown), null, unknown);
    t.equal(keys(unknown, true), null, unknown);
  }
  t.equal(noSuchSubtree('a"b'), '{"error":"No such subtree: a\\"b"}');
});

test('pretty is indented and sorted', async (t) => {
  const pretty = renderMetricsJson(snapshot, { pretty: true }) ?? '';
  const keys = [...pretty.matchAll(/^ {2}"([^"]+)" : /gm)].map(([, key]) => key as string);
  t.same(keys, keys.toSorted());
  t.same(JSON.parse(pretty), JSON.parse(renderMetricsJson(snapshot) ?? ''));
  t.equal(
    renderMetricsJson(snapshot, { tree: true, pretty: true, q: 'jvm' }),
    `{
  "num_cpus" : {
    "gauge" : 2.0
  }
}`,
  );
});

test('what is no number is null, and no metrics are an empty object', async (t) => {
  const path = ['a'];
  const metrics = [{ type: 'gauge', name: 'b', value: Number.NaN } as const];
  t.equal(renderMetricsJson({ scopes: [{ path, metrics }] }), '{"a/b":null}');
  t.equal(renderMetricsJson({ scopes: [] }), '{}');
});
