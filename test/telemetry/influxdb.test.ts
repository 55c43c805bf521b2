// The InfluxDB line protocol: the lines that the original printed, of the same metrics.
import { test } from 'tap';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';
import { influxDb } from '../../src/telemetry/influxdb.ts';
import { readFixture, recordedMetrics, snapshotOf, statValue } from './recorded-metrics.ts';

const RECORDED = 'metrics-one-router-1-after-3-requests';
const HOST = '127.0.0.1:9993';

function rendered(snapshot: MetricSnapshot, host = HOST): string {
  return Buffer.concat(influxDb.create({}, undefined as never).chunks(snapshot, host)).toString();
}

/** Fields by measurement and tags. */
function linesOf(text: string): Map<string, Map<string, string>> {
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, series = '', fields = ''] = /^(\S+) (.+)$/.exec(line) ?? [];
        return [series, new Map(fields.split(',').map((field) => field.split('=') as [string, string]))];
      }),
  );
}

test('lines, tags, fields and values are as recorded', async (t) => {
  // A stat had no values yet.
  const metrics = recordedMetrics(readFixture(`${RECORDED}.json`)).filter(({ type }) => type !== 'stat');
  const lines = linesOf(rendered(snapshotOf(metrics)));
  const recorded = linesOf(readFixture(`${RECORDED}.influxdb.txt`));
  t.ok(recorded.size > 60, `${recorded.size} lines`);
  for (const [series, fields] of recorded) {
    // Names of threads have slashes, which metrics.json doesn't tell from those between segments.
    if (series.includes(':per_thread,')) continue;
    const ours = lines.get(series) ?? new Map<string, string>();
    t.same([...ours.keys()], [...fields.keys()], series);
    // Both were read one after the other: what the runtime and the admin server count has moved on.
    if (series.startsWith('rt:'))
      t.same(
        [...fields].filter(([name, value]) => ours.get(name) !== value),
        [],
        series,
      );
  }
});

test('a stat has eleven fields; what is not a number is left out', async (t) => {
  const scope = (...values: MetricSnapshot['scopes'] extends Iterable<infer Scope> ? Scope[] : never) => {
    return rendered({ scopes: values });
  };
  t.equal(
    scope({ path: ['rt', 'out', 'service', 'svc/web'], metrics: [statValue('request_latency_ms', 2, 1.5)] }),
    `rt:service,host=${HOST},rt=out,service=svc/web request_latency_ms_avg=1.5,request_latency_ms_count=2,` +
      'request_latency_ms_max=1,request_latency_ms_min=1,request_latency_ms_p50=1,request_latency_ms_p90=1,' +
      'request_latency_ms_p95=1,request_latency_ms_p99=1,request_latency_ms_p999=1,request_latency_ms_p9999=1,' +
      'request_latency_ms_sum=3\n',
  );
  t.match(
    scope({ path: [], metrics: [statValue('never', 0, 0)] }),
    /^root,.* never_avg=0\.0,never_count=0,never_max=0/,
  );
  const gauge = { type: 'gauge', name: 'a/b', value: Number.NaN } as const;
  t.equal(scope({ path: ['jvm'], metrics: [gauge] }), '');
  t.equal(
    scope({ path: ['jvm'], metrics: [gauge, { ...gauge, name: 'a/c', value: 2 }] }),
    `jvm:a,host=${HOST} c=2.0\n`,
  );
});

test('what would end a name or a value is escaped', async (t) => {
  const metrics = [{ type: 'counter', name: 'a b,c=d', value: 1 }] as const;
  t.equal(
    rendered({ scopes: [{ path: ['rt', 'a,b c'], metrics }] }, 'h=1\nx'),
    'rt,host=h\\=1\\ x,rt=a\\,b\\ c a\\ b\\,c\\=d=1\n',
  );
});
