// What is read from telemetry over the admin server: metrics.json, and what telemeters serve.
import { type Test, test } from 'tap';
import { adminServer } from '../../src/admin/server.ts';
import { metricsJsonHandler, telemeterHandlers, telemeterPages } from '../../src/admin/telemetry.ts';
import type { MetricSnapshot } from '../../src/metrics/snapshot.ts';
import { influxDb } from '../../src/telemetry/influxdb.ts';
import { prometheus } from '../../src/telemetry/prometheus.ts';
import { RecentRequests } from '../../src/telemetry/recent-requests.ts';
import { MemoryLog } from '../support/log.ts';

const snapshot: MetricSnapshot = {
  scopes: [
    { path: ['rt', 'http', 'server', '127.0.0.1/1'], metrics: [{ type: 'counter', name: 'requests', value: 3 }] },
    { path: ['jvm'], metrics: [{ type: 'gauge', name: 'uptime', value: 5 }] },
  ],
};
const recent = new RecentRequests(1, 10);
const telemeters = [prometheus.create({ path: '/scrape' }, {}), recent, influxDb.create({}, {})];

async function start(
  t: Test,
): Promise<(path: string) => Promise<{ status: number; type: string | null; body: string }>> {
  const pages = telemeterPages(telemeters).map((name) => [name, name] as const);
  const frame = { program: 'signpost', version: '1', pages };
  const handlers = new Map([
    ['/admin/metrics.json', metricsJsonHandler(() => snapshot)],
    ...telemeterHandlers(
      telemeters,
      () => snapshot,
      async () => 'process_x 1\n',
      frame,
    ),
  ]);
  const server = adminServer(handlers, new MemoryLog());
  t.teardown(() => server.close());
  const port = await server.listen('127.0.0.1', 0);
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
}

test('metrics.json: flat, as a tree, a part of it', async (t) => {
  const get = await start(t);
  const metrics = async (query = '') => JSON.parse((await get(`/admin/metrics.json${query}`)).body);
  const flat = { 'rt/http/server/127.0.0.1/1/requests': 3, 'jvm/uptime': 5 };
  t.same(await metrics(), flat);
  t.same(await metrics('?tree=false&pretty=yes'), flat);
  t.match(await metrics('?tree=1'), { jvm: { uptime: { gauge: 5 } } });
  t.match(await metrics('?tree=true&q=rt/http'), { server: { '127.0.0.1/1': { requests: { counter: 3 } } } });
  t.same(await metrics('?q=jvm'), { uptime: 5 });
  t.match((await get('/admin/metrics.json?pretty=1')).body, /^\{\n {2}"/);
  t.match(await get('/admin/metrics.json?q=nope'), {
    status: 404,
    type: 'application/json',
    body: /No such subtree: nope/,
  });
});

test('influxdb: the host that was asked is a tag', async (t) => {
  const { status, type, body } = await (await start(t))('/admin/metrics/influxdb');
  t.equal(status, 200);
  t.equal(type, 'text/plain');
  t.match(
    body,
    /^rt:server,host=127\.0\.0\.1:\d+,rt=http,server=127\.0\.0\.1\/1 requests=3\njvm,host=\S+ uptime=5\.0\n$/,
  );
});

test('prometheus: on its path, with the process beside the mesh', async (t) => {
  const { status, type, body } = await (await start(t))('/scrape');
  t.match({ status, type }, { status: 200, type: /^text\/plain; version=0\.0\.4/ });
  t.match(body, /requests\{.*\} 3\n/);
  t.match(body, /\nprocess_x 1\n$/);
});

test('requests: a page, and JSON', async (t) => {
  const get = await start(t);
  recent.add({
    timestamp: 0,
    source: '1.2.3.4:5',
    server: '127.0.0.1:1',
    router: 'http',
    logical: '/svc/<web>',
    concrete: null,
    destination: null,
  });
  const { type, body } = await get('/requests');
  t.equal(type, 'text/html');
  t.match(body, /<a href="requests" aria-current="page">/);
  t.match(body, /<td>\/1\.2\.3\.4:5<\/td>/);
  t.match(body, /\/svc\/&lt;web&gt;/);
  t.notMatch(body, /<web>/);
  t.match(JSON.parse((await get('/requests?json=true')).body), [{ source: '1.2.3.4:5', logical: '/svc/<web>' }]);
});

test('without recent requests there is no such page', async (t) => {
  t.same(telemeterPages([]), []);
  t.same(telemeterPages([recent]), ['requests']);
});
