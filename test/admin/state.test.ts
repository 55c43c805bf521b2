// What the admin server tells of the config, the names and the clients.
import { test } from 'tap';
import { clientStateHandler } from '../../src/admin/client-state.ts';
import { showLinkerdConfig } from '../../src/admin/config-json.ts';
import type { ControlRequest } from '../../src/control-http/index.ts';
import type { ClientState, EndpointState } from '../../src/router/client/state.ts';
import { send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
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
    '/#/io.l5d.fs/web': {
      state: 'bound',
      addresses: [`127.0.0.1:${port}`],
      endpoints: [{ router: 'http', address: `127.0.0.1:${port}`, weight: 1, status: 'open', load: 0, connections: 0 }],
    },
    '/#/io.l5d.fs/bad': { state: /^Failed: malformed address/, addresses: [] },
  });
});

test('what workers know of one client is put together', async (t) => {
  const merged = async (...workers: readonly ClientState[][]) => {
    const answer = await clientStateHandler(async () => workers.flat())({} as ControlRequest);
    return JSON.parse(String(answer.body));
  };
  const client = (state: string, ...endpoints: EndpointState[]) => ({ id: '/a', router: 'http', state, endpoints });
  const open = (address: string, load = 0, more = {}) => {
    return { address, weight: 1, status: 'open' as const, load, connections: load, ...more };
  };
  t.same(await merged(), {});
  t.same(await merged([client('Pending'), { ...client('bound', open('1:1')), id: '/b' }]), {
    '/a': { state: 'Pending', addresses: [], endpoints: [] },
    '/b': { state: 'bound', addresses: ['1:1'], endpoints: [{ router: 'http', ...open('1:1') }] },
  });
  for (const states of [
    [client('Pending'), client('bound', open('1:1'))],
    [client('bound', open('1:1')), client('Pending')],
  ]) {
    t.match(await merged(states), { '/a': { state: 'bound', addresses: ['1:1'] } });
  }
  const ejected = { status: 'ejected' as const, retryMs: 100, ejections: 2 };
  t.same(
    await merged(
      [client('bound', open('1:1', 2, ejected), open('2:2', 1, { latencyMs: 5 }))],
      [client('bound', open('2:2', 3, { latencyMs: 9 }), open('1:1', 4, ejected), open('3:3'))],
      [{ ...client('bound', open('1:1')), router: 'other' }],
    ),
    {
      '/a': {
        state: 'bound',
        addresses: ['1:1', '2:2', '3:3'],
        endpoints: [
          { router: 'http', ...open('1:1', 6, ejected) },
          { router: 'http', ...open('2:2', 4, { latencyMs: 9 }) },
          { router: 'http', ...open('3:3') },
          { router: 'other', ...open('1:1') },
        ],
      },
    },
    'health is shared, load is added up, routers judge apart',
  );
});

test('client_state.json tells what failure accrual, failFast and probation do', async (t) => {
  const good = await socketBackend(t, ({ socket }) => answer(socket));
  const bad = await socketBackend(t, ({ socket }) =>
    socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
  );
  const [refused = 0] = await freePorts(1);
  const world = await startWorld(t, {
    workers: 2,
    names: { web: [good.port, bad.port, refused] },
    router: ['client: {failFast: true, loadBalancer: {kind: ewma, enableProbation: true}}'],
  });
  const states = async (): Promise<EndpointState[]> => {
    const all = await readJson<Record<string, { endpoints: EndpointState[] }>>(
      `${world.signpost.adminUrl}/client_state.json`,
    );
    return all['/#/io.l5d.fs/web']?.endpoints ?? [];
  };
  const stateOf = async (port: number) => (await states()).find(({ address }) => address === `127.0.0.1:${port}`);
  await until(async () => {
    await send(world.port());
    return (await stateOf(bad.port))?.status === 'ejected' && (await stateOf(refused))?.status === 'unreachable';
  });
  const ejected = await stateOf(bad.port);
  t.match(ejected, { ejections: 1, weight: 1 });
  t.ok((ejected?.retryMs ?? 0) > 0 && (ejected?.retryMs ?? 0) <= 5000, 'ms until it is tried again');
  const open = await stateOf(good.port);
  t.match(open, { status: 'open', load: 0 });
  t.ok((open?.latencyMs ?? 0) > 0);
  t.ok((open?.connections ?? 0) > 0);

  world.name('web', bad.port);
  await until(async () => (await stateOf(good.port))?.onProbation === true);
  t.equal((await stateOf(refused))?.status, undefined, 'one that does not work is not kept');
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
