// namerd's admin server: what the original's answered, and what is there beside it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { loadConfig } from '../../../namerd/load-config.ts';
import { type RunningNamerd, startNamerd } from '../../../namerd/namerd.ts';
import { shapeDifference } from '../../admin/shape.ts';
import { tempDir } from '../../support/temp-dir.ts';

interface Recorded {
  readonly config: string;
  readonly admin: Readonly<Record<string, { status?: number; headers?: [string, string][]; body?: string }>>;
}

const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/namerd-http.json', import.meta.url), 'utf8'),
) as Recorded;

async function start(t: Test, text: string): Promise<{ namerd: RunningNamerd; get: Get }> {
  const loaded = await loadConfig({ name: 'namerd.yaml', text });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const warnings = loaded.warnings.map(({ message }) => message);
  const namerd = await startNamerd({ config: loaded.config, configPath: 'namerd.yaml', warnings, logLevel: 'OFF' });
  t.teardown(() => namerd.close(0));
  return { namerd, get: (path, init) => fetch(namerd.adminUrl + path, init) };
}

type Get = (path: string, init?: RequestInit) => Promise<Response>;

function recordedConfig(t: Test): string {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'ndisco'));
  const { value } = JSON.parse(recorded.admin['/namer_state/io.l5d.fs.json']?.body ?? '').state;
  for (const [name, lines] of Object.entries(value)) writeFileSync(join(dir, 'ndisco', name), String(lines));
  return recorded.config.replace('DISCO_DIR', dir).replaceAll(/port: \d+/g, 'port: 0');
}

/** Where it answers otherwise than the original, on purpose. */
const differences: readonly {
  readonly reason: string;
  readonly paths: readonly string[];
  readonly status?: number;
  readonly type?: string;
  /** What is answered is not compared. */
  readonly isOther?: true;
}[] = [
  {
    reason: 'a path that nothing serves is a 404; the original answers all of them with its first page, and 200',
    paths: [
      '/admin/metrics/prometheus',
      '/delegator.json',
      '/storage/inMemory.json',
      '/interpreter_state/io.l5d.namerd',
      '/metrics',
    ],
    status: 404,
  },
  {
    reason: 'the names that exist are told here as by Signpost; the original answers with its first page',
    paths: ['/bound-names.json'],
    type: 'application/json',
    isOther: true,
  },
  {
    reason: 'pages name their charset',
    paths: ['/', '/dtab/default'],
    type: 'text/html;charset=UTF-8',
  },
  {
    reason:
      'what the namer watches, with the replicas that it read and the lines that it could not read; as Signpost tells it',
    paths: ['/namer_state/io.l5d.fs.json'],
    isOther: true,
  },
  {
    reason: 'which metrics there are is tested by itself; there is no JVM',
    paths: ['/admin/metrics.json', '/admin/threads'],
    isOther: true,
  },
];

test('what the original was asked is answered with the same status, type and shape', async (t) => {
  const { get } = await start(t, recordedConfig(t));
  const used = new Set<object>();
  let compared = 0;
  for (const [target, { status, headers = [], body = '' }] of Object.entries(recorded.admin)) {
    // One of them has no answer: the recording ended it.
    if (status === undefined) continue;
    const path = target.split('?', 1)[0] as string;
    const difference = differences.find(({ paths }) => paths.includes(path));
    if (difference !== undefined) used.add(difference);
    const answer = await get(target);
    t.equal(answer.status, difference?.status ?? status, target);
    if (difference?.status !== undefined) continue;
    const type = headers.find(([name]) => name === 'Content-Type')?.[1];
    t.equal(answer.headers.get('content-type'), difference?.type ?? type, target);
    const text = await answer.text();
    if (difference?.isOther || !type?.startsWith('application/json')) continue;
    t.equal(shapeDifference(JSON.parse(body), JSON.parse(text)), undefined, target);
    compared++;
  }
  t.equal(used.size, differences.length, 'every difference is one');
  t.ok(compared >= 2);
});

test('config.json is as recorded, and masks what is secret', async (t) => {
  const { get } = await start(t, recordedConfig(t));
  const wanted = JSON.parse(recorded.admin['/config.json']?.body ?? '');
  wanted.admin.port = 0;
  for (const one of wanted.interfaces) Object.assign(one, { ip: '127.0.0.1', port: 0 });
  const shown = (await (await get('/config.json')).json()) as { namers: { rootDir: string }[] };
  wanted.namers[0].rootDir = shown.namers[0]?.rootDir;
  t.strictSame(shown, wanted);
  t.same(Object.keys(shown), Object.keys(wanted), 'in the same order');

  const secret = await start(
    t,
    'admin: {port: 0}\nstorage: {kind: io.l5d.consul, token: abc, port: 1}\ninterfaces: [{kind: io.l5d.httpController, port: 0}]',
  );
  t.match(await (await secret.get('/config.json')).json(), { storage: { token: '***' } });
});

test('the index lists what the original listed, but for what is not served', async (t) => {
  const { get } = await start(t, recordedConfig(t));
  const listed = (await (await get('/admin')).text()).split('\n');
  const before = (recorded.admin['/admin']?.body ?? '').split('\n').filter((path) => path !== '');
  t.same(
    before.filter((path) => !listed.includes(path)),
    ['/admin/announcer', '/admin/contention', '/admin/pprof/contention', '/admin/registry.json', '/admin/tracing'],
    'as with Signpost (test/admin/differences.ts)',
  );
});

test('the first page lists namespaces, storage and interfaces', async (t) => {
  const { namerd, get } = await start(
    t,
    `
admin: {port: 0}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /a, "a/b": "", "<b>": /x => /y}}
interfaces: [{kind: io.l5d.httpController, port: 0}]
`,
  );
  const page = await (await get('/')).text();
  t.match(page, '<a href="dtab/default">default</a></td><td>1</td><td><code>AAAAAAAAAAE=</code>');
  t.match(page, '<a href="dtab/a%2Fb">a/b</a></td><td>0</td>');
  t.match(page, '<a href="dtab/%3Cb%3E">&lt;b&gt;</a>', 'names are text');
  t.match(page, `127.0.0.1:${namerd.interfaces[0]?.address.port}`);
  t.notMatch(page, 'role="alert"');
  const none = await start(
    t,
    'admin: {port: 0}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: 0}]',
  );
  t.match(await (await none.get('/')).text(), 'namerctl dtab create');
});

test('the playground of a namespace, with and without slashes in its name', async (t) => {
  const { get } = await start(
    t,
    `
admin: {port: 0}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /#/io.l5d.fs, "a/b": /x => /y, "</script>": ""}}
interfaces: [{kind: io.l5d.httpController, port: 0}]
`,
  );
  const data = async (path: string) => {
    const page = await (await get(path)).text();
    return [/data-root="([^"]*)"/.exec(page)?.[1], JSON.parse(/id="data">(.*)<\/script>/.exec(page)?.[1] ?? 'null')];
  };
  t.same(await data('/dtab/default'), ['../', { namespace: 'default', dtab: '/svc=>/#/io.l5d.fs' }]);
  t.same(await data('/dtab/a%2Fb'), ['../', { namespace: 'a/b', dtab: '/x=>/y' }]);
  t.same(await data('/dtab/a/b'), ['../../', { namespace: 'a/b', dtab: '/x=>/y' }]);
  t.same(await data('/dtab/%3C%2Fscript%3E'), ['../', { namespace: '</script>', dtab: '' }]);
  t.equal((await get('/dtab/nope')).status, 404);
  t.equal((await get('/dtab/%ff')).status, 400);

  // By the dtab that is sent alone, whatever namespace is named.
  const question = { namespace: 'default', dtab: '/svc => /$/inet/127.1/80', path: '/svc/web' };
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(question) };
  t.match(await (await get('/dtab/delegator.json', init)).json(), { type: 'delegate', path: '/svc/web' });
  t.equal((await get('/dtab/delegator.json?dtab=%3D&path=/a')).status, 400);
});

test('a storage that is away is told on the first page, in its state and in metrics, and writes say why they fail', async (t) => {
  const { namerd, get } = await start(
    t,
    `
admin: {port: 0}
storage: {kind: io.l5d.consul, host: 127.0.0.1, port: 1}
interfaces: [{kind: io.l5d.httpController, port: 0}]
`,
  );
  const metric = async (name: string) =>
    ((await (await get('/admin/metrics.json')).json()) as Record<string, number>)[`dtabstore/io.l5d.consul/${name}`];
  while ((await metric('stale')) !== 1) await new Promise(setImmediate);
  const page = await (await get('/')).text();
  t.match(page, /role="alert">The storage has not answered since .*can not be reached/);
  t.match(await (await get('/storage/io.l5d.consul.json')).json(), {
    kind: 'io.l5d.consul',
    phase: 'failed',
    error: /ECONNREFUSED/,
    origin: 'http://127.0.0.1:1',
  });
  t.equal((await get('/dtab/default')).status, 503);
  const port = namerd.interfaces[0]?.address.port;
  const put = await fetch(`http://127.0.0.1:${port}/api/1/dtabs/default`, {
    method: 'PUT',
    headers: { 'content-type': 'application/dtab' },
    body: '/a => /b',
  });
  t.equal(put.status, 503);
  t.match(await put.text(), /can not be reached/);
  t.equal(await metric('failures'), 1);
});

test('writes are counted by what became of them', async (t) => {
  const { namerd, get } = await start(
    t,
    'admin: {port: 0}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: 0}]\ntelemetry: [{kind: io.l5d.prometheus}]',
  );
  const url = `http://127.0.0.1:${namerd.interfaces[0]?.address.port}/api/1/dtabs/default`;
  const send = async (method: string, headers: Record<string, string> = {}) => {
    const body = method === 'DELETE' ? {} : { body: '/a => /b' };
    return (await fetch(url, { method, headers: { 'content-type': 'application/dtab', ...headers }, ...body })).status;
  };
  t.same(
    [
      await send('POST'),
      await send('POST'),
      await send('PUT'),
      await send('PUT', { 'If-Match': 'AAAAAAAAAAE=' }),
      await send('PUT', { 'If-Match': 'AAAAAAAAAAI=' }),
      await send('DELETE'),
      await send('DELETE'),
    ],
    [204, 409, 204, 412, 204, 204, 404],
  );
  const metrics = (await (await get('/admin/metrics.json')).json()) as Record<string, number>;
  const own = Object.entries(metrics).flatMap(([name, value]) => {
    const rest = name.startsWith('dtabstore/io.l5d.inMemory/') ? name.slice('dtabstore/io.l5d.inMemory/'.length) : '';
    return rest === '' || rest.startsWith('write_latency_ms') ? [] : [[rest, value] as const];
  });
  t.same(Object.fromEntries(own), {
    create: 1,
    put: 1,
    update: 1,
    delete: 1,
    'refused/exists': 1,
    'refused/stale': 1,
    'refused/missing': 1,
    namespaces: 0,
    stale: 0,
    stale_ms: 0,
  });
  t.ok('interface/io.l5d.httpController/io.l5d.httpController/requests' in metrics, 'as the original names them');
  t.match(await (await get('/admin/metrics/prometheus')).text(), /dtabstore/);
});
