// What the admin server tells of the config, the names and the clients.
import { test } from 'tap';
import { clientStateHandler } from '../../src/admin/client-state.ts';
import { showLinkerdConfig } from '../../src/admin/config-json.ts';
import type { ControlRequest } from '../../src/control-http/index.ts';
import { send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

const readJson = async <Shape = object>(url: string) => (await (await fetch(url)).json()) as Shape;

test('config.json: as written, in the order of the original, secrets masked', async (t) => {
  const shown = showLinkerdConfig({
    usage: { enabled: false },
    routers: [
      {
        protocol: 'http',
        dtab: '/a => /b ;\n /c=>0.5*/d & /e;',
        identifier: { kind: 'io.l5d.header.token', header: 'x' },
      },
    ],
    telemetry: [{ kind: 'x', authToken: 'abc', tokenPath: '/run/token', uri: 'https://me:pw@host/x' }],
    namers: [{ kind: 'io.l5d.consul', token: 'abc', host: 'h' }],
  });
  t.same(JSON.parse(JSON.stringify(shown)), {
    namers: [{ kind: 'io.l5d.consul', token: '***', host: 'h' }],
    routers: [
      { protocol: 'http', dtab: '/a=>/b;/c=>0.50*/d & /e', identifier: { kind: 'io.l5d.header.token', header: 'x' } },
    ],
    telemetry: [{ kind: 'x', authToken: '***', tokenPath: '/run/token', uri: 'https://***@host/x' }],
    usage: { enabled: false },
  });
  t.same(Object.keys(JSON.parse(JSON.stringify(shown))), ['namers', 'routers', 'telemetry', 'usage']);
});

test('config.json of a running Signpost holds what was written and no defaults', async (t) => {
  const { signpost } = await startWorld(t, { router: ['label: "5"'], admin: 'shutdownGraceMs: "7"' });
  const config = await readJson<{ routers: object[] }>(`${signpost.adminUrl}/config.json`);
  t.match(config, { admin: { port: 0, shutdownGraceMs: 7 }, routers: [{ label: '5', dtab: '/svc=>/#/io.l5d.fs' }] });
  t.same(Object.keys(config.routers[0] ?? {}).sort(), ['dtab', 'label', 'protocol', 'servers']);
});

test('bound-names.json follows the namers', async (t) => {
  const world = await startWorld(t);
  const names = async () => await readJson<string[]>(`${world.signpost.adminUrl}/bound-names.json`);
  t.same(await names(), ['']);
  world.name('web', 1);
  world.name('api', 2);
  await until(async () => (await names()).length === 2);
  t.same((await names()).sort(), ['/#/io.l5d.fs/api', '/#/io.l5d.fs/web']);
});

test('client_state.json: the clients that are in use', async (t) => {
  const [port = 0] = await freePorts(1);
  const world = await startWorld(t, { names: { web: [port], bad: ['nonsense'] } });
  const state = () => readJson(`${world.signpost.adminUrl}/client_state.json`);
  t.same(await state(), {});
  for (const host of ['web', 'web', 'bad', 'nope']) await send(world.port(), { host });
  await until(async () => Object.keys(await state()).length === 2);
  t.match(await state(), {
    '/#/io.l5d.fs/web': { state: 'bound', addresses: [`127.0.0.1:${port}`] },
    '/#/io.l5d.fs/bad': { state: /^Failed: malformed address/, addresses: [] },
  });
});

test('what workers know of one client is put together', async (t) => {
  const merged = async (
    ...workers: Parameters<typeof clientStateHandler>[0] extends () => Promise<infer States> ? States : never
  ) => {
    const answer = await clientStateHandler(async () => workers)({} as ControlRequest);
    return JSON.parse(String(answer.body));
  };
  const bound = (...addresses: string[]) => ({ state: 'bound', addresses });
  const pending = { state: 'Pending', addresses: [] };
  t.same(await merged(), {});
  t.same(await merged({ '/a': pending }, { '/a': bound('1:1') }), { '/a': bound('1:1') });
  t.same(await merged({ '/a': bound('1:1') }, { '/a': pending }), { '/a': bound('1:1') });
  t.same(await merged({ '/a': bound('1:1', '2:2') }, { '/a': bound('2:2', '3:3'), '/b': pending }), {
    '/a': bound('1:1', '2:2', '3:3'),
    '/b': pending,
  });
});

test('namer_state: each namer under its prefix', async (t) => {
  const world = await startWorld(t, { names: { web: [1, 'broken'] } });
  await send(world.port(), { host: 'web' });
  const state = await readJson<{ files: object[] }>(`${world.signpost.adminUrl}/namer_state/io.l5d.fs.json`);
  t.match(state.files, [
    { file: 'web', state: 'file', replicas: [{ port: 1 }], badLines: [{ line: 2, text: 'broken' }] },
  ]);
  t.equal((await fetch(`${world.signpost.adminUrl}/namer_state/other.json`)).status, 404);
});
