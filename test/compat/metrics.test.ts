// The metrics after the recorded traffic: names, labels and the values of counters and gauges, in metrics.json and as
// Prometheus text, with one thread and with two workers.
import { test } from 'tap';
import { send } from '../support/http-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { reached } from '../support/until.ts';
import { startWorld, type World } from '../support/world.ts';
import { readFixture } from '../telemetry/recorded-metrics.ts';
import { isKnown, isMissing, type Metric, missingFamilies, unusedReasons } from './metrics-differences.ts';

/** In the order in which it was recorded, with a reading after three requests and one after all. */
const TRAFFIC = [
  { target: '/ok' },
  { target: '/be/s500' },
  { target: '/ok', host: 'nosuch' },
  { target: '/be/drop' },
  { target: '/ok', host: 'empty' },
  { target: '/ok', host: 'api', method: 'POST', body: 'hello' },
  { target: '/be/s404' },
  { target: '/ok', host: '' },
  { target: '/be/chunked' },
  { target: '/ok', headers: [['l5d-dtab', '/svc/web=>/svc/api']] as [string, string][] },
];
const STATUSES = [200, 500, 502, 502, 502, 200, 404, 400, 200, 200];
const RECORDED_SERVER = '127.0.0.1/4300';

/** Flat, as metrics.json is, without what stats give: they have no values before their first minute is over. */
function metricsOf(json: string, server: string): Map<string, Metric> {
  const found = new Map<string, Metric>();
  for (const [, key = '', text = ''] of json.matchAll(/"([^"]+)"\s*:\s*([-\d.eE]+)/g)) {
    if (!key.startsWith('rt/') || /\.(count|sum|avg|min|max|p\d+)$/.test(key)) continue;
    const name = key.replace(server, RECORDED_SERVER);
    found.set(name, { name, value: Number(text), isCounter: !text.includes('.') });
  }
  return found;
}

/** The series of the routers by `name{labels}`, without comments, summaries and histograms. */
function seriesOf(text: string, server: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, series = '', value = ''] = /^(rt:\S+?\{.*\}) (\S+)$/.exec(line) ?? [];
    if (series === '' || /quantile="|_(sum|count|avg|bucket)\{/.test(series)) continue;
    found.set(series.replace(server, RECORDED_SERVER), value);
  }
  return found;
}

async function read(world: World, path: string): Promise<string> {
  return await (await fetch(`${world.signpost.adminUrl}${path}`)).text();
}

for (const workers of [0, 2]) {
  test(`after the recorded traffic, workers: ${workers}`, async (t) => {
    const backend = await RecordingBackend.start(t);
    const world = await startWorld(t, {
      workers,
      telemetry: '[{kind: io.l5d.prometheus}]',
      names: { web: [backend.port], api: [backend.port], empty: [] },
      routers: "- {protocol: http, label: incoming, dtab: '/svc => /#/io.l5d.fs', servers: [{port: 0, ip: 127.0.0.1}]}",
    });
    const server = `127.0.0.1/${world.port()}`;
    const settled = (requests: number) =>
      reached(async () => {
        const metrics = await world.metrics();
        const of = (name: string) => metrics[`rt/incoming/server/${server}/${name}`];
        return of('requests') === requests && of('pending') === 0 && of('connections') === 0;
      });
    const ask = async (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const response = await send(world.port(), TRAFFIC[i]);
        t.match(response, { start: new RegExp(`^HTTP/1.1 ${STATUSES[i]} `) }, JSON.stringify(TRAFFIC[i]));
      }
      t.ok(await settled(to), `${to} requests are counted`);
    };
    const compare = async (stem: string, requests: number) => {
      const recorded = metricsOf(readFixture(`${stem}.json`), RECORDED_SERVER);
      const ours = metricsOf(await read(world, '/admin/metrics.json?pretty=true'), server);
      const wrong: string[] = [];
      for (const name of new Set([...recorded.keys(), ...ours.keys()])) {
        const [then, now] = [recorded.get(name), ours.get(name)];
        if (then !== undefined && now === undefined && isMissing(name)) continue;
        const same = then?.value === now?.value && then?.isCounter === now?.isCounter;
        if (!same && !isKnown({ name, recorded: then, ours: now, workers, requests })) {
          wrong.push(`${name}: ${then?.value} was recorded, ${now?.value} is counted`);
        }
      }
      t.same(wrong, [], 'metrics.json');
      t.ok(recorded.size > 100, `${recorded.size} metrics`);

      const series = seriesOf(await read(world, '/admin/metrics/prometheus'), server);
      const lacking = [...seriesOf(readFixture(`${stem}.prometheus.txt`), RECORDED_SERVER)].filter(([name, value]) => {
        if (missingFamilies.has(name.slice(0, name.indexOf('{'))) || /:thread_usage:/.test(name)) return false;
        const now = series.get(name);
        // A value that differs was judged above, by its name in metrics.json.
        return now === undefined || now.includes('.') !== value.includes('.');
      });
      t.same(lacking, [], 'Prometheus text');
    };

    await ask(0, 3);
    await compare('metrics-one-router-1-after-3-requests', 3);
    await ask(3, TRAFFIC.length);
    await compare('metrics-one-router-3-more-traffic', TRAFFIC.length);
  });
}

test('each listed difference is one', async (t) => {
  t.same(unusedReasons(), []);
});
