/** Data-plane workers: limits hold for the process, a dead worker is replaced, a busy control side delays nothing. */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { constant, type Live, ok } from '../../src/live/index.ts';
import { MetricCollector } from '../../src/metrics/collector.ts';
import { leaf, Path } from '../../src/naming/index.ts';
import { CellPool } from '../../src/port/cells.ts';
import { ControlEnd } from '../../src/port/control-end.ts';
import { createDataSide, WorkerDataSide } from '../../src/process/data-side.ts';
import { loadConfig } from '../../src/process/load-config.ts';
import { startSignpost } from '../../src/process/signpost.ts';
import type { RouterConfig } from '../../src/router/config.ts';
import { endpoints } from '../support/data-side.ts';
import { send } from '../support/http-client.ts';
import { MemoryLog } from '../support/log.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { socketBackend } from '../support/socket-backend.ts';
import { tempDir } from '../support/temp-dir.ts';
import { reached, until } from '../support/until.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

/** Workers whose every name leads to one port. */
async function startWorkers(t: Test, backend: number, workers: number, server: object = {}, sharePorts?: boolean) {
  const log = new MemoryLog();
  const addr = constant(endpoints(backend));
  const name = leaf({ id: Path.parse('/#/all'), residual: Path.empty, addr });
  const routers = [{ protocol: 'http', servers: [{ port: 0, ...server }] }] as RouterConfig[];
  const collector = new MetricCollector();
  const cells = new CellPool();
  const attach = (port: ConstructorParameters<typeof ControlEnd>[0]) => {
    const source = collector.attach();
    return new ControlEnd(port, () => constant(ok(name)) as Live<ReturnType<typeof ok<typeof name>>>, cells, log, {
      onMetrics: (announcement) => source.accept(announcement),
      onRequests: () => {},
      onClose: () => source.close(),
    });
  };
  const options = { routers, workers, requestSampleRate: 0, cells: cells.memory, maxMemoryMB: undefined };
  const data =
    sharePorts === undefined
      ? (createDataSide(options, attach as never, log) as WorkerDataSide)
      : new WorkerDataSide(options, attach as never, log, sharePorts);
  const listening = await data.start();
  t.teardown(() => data.drain(0));
  return { data, log, collector, port: listening[0]?.port ?? 0 };
}

/** Connections that each worker has accepted so far. */
async function accepted(data: WorkerDataSide): Promise<number[]> {
  const answers = await Promise.all(data.controls.map((control) => control.query('connections')));
  return answers.map((answer) => Number(answer));
}

for (const workers of [1, 3]) {
  test(`maxConcurrentRequests holds for ${workers} workers together`, async (t) => {
    const held: (() => void)[] = [];
    const backend = await socketBackend(t, ({ socket }) => held.push(() => socket.write(OK)));
    const { port } = await startWorkers(t, backend.port, workers, { maxConcurrentRequests: 2 });
    const clients = await Promise.all(Array.from({ length: 12 }, () => RawConnection.open(port)));
    await Promise.all(clients.slice(0, 2).map((client) => client.send(GET)));
    await until(() => held.length === 2);
    await Promise.all(clients.slice(2).map((client) => client.send(GET)));
    await until(() => clients.slice(2).every(({ received }) => received.startsWith('HTTP/1.1 503 ')));
    t.equal(held.length, 2, 'no third request reached the backend');
    for (const answer of held.splice(0)) answer();
    await until(() => clients.slice(0, 2).every(({ received }) => received.startsWith('HTTP/1.1 200 ')));
    await clients[5]?.send(GET);
    await until(() => held.length === 1);
    t.pass('what was in flight is free again');
    for (const client of clients) client.destroy();
  });
}

for (const sharePorts of [true, false]) {
  test(`connections reach all workers ${sharePorts ? 'through a shared port' : 'handed over'}`, async (t) => {
    const backend = await socketBackend(t, ({ socket }) => socket.write(OK));
    const { data, port } = await startWorkers(t, backend.port, 3, {}, sharePorts);
    const clients = await Promise.all(Array.from({ length: 60 }, () => RawConnection.open(port)));
    await Promise.all(clients.map((client) => client.send(GET)));
    await until(() => clients.every(({ received }) => received.endsWith('ok')));
    const counts = await accepted(data);
    t.equal(
      counts.reduce((sum, count) => sum + count, 0),
      60,
    );
    t.ok(
      counts.every((count) => count > 0),
      `each worker has some: ${counts.join(', ')}`,
    );
    for (const client of clients) client.destroy();
  });
}

test('a worker that dies is replaced, and only its own requests fail', async (t) => {
  const held: (() => void)[] = [];
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target === '/slow') held.push(() => socket.write(OK));
    else socket.write(OK);
  });
  const { data, log, port } = await startWorkers(t, backend.port, 2, { maxConcurrentRequests: 40 });
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawConnection.open(port)));
  await Promise.all(clients.map((client) => client.send('GET /slow HTTP/1.1\r\nHost: web\r\n\r\n')));
  await until(() => held.length === 20);
  const counts = await accepted(data);
  await data.threads[0]?.terminate();
  await until(() => clients.filter(({ closed }) => closed).length === counts[0]);
  for (const answer of held) answer();
  await until(() => clients.every(({ closed, received }) => closed || received.endsWith('ok')));
  t.equal(clients.filter(({ received }) => received.endsWith('ok')).length, counts[1], 'the others were answered');
  t.ok(log.lines.some(({ message }) => /died and is replaced/.test(message)));

  await until(() => data.threads.length === 2, { timeoutMs: 20_000 });
  const control = data.controls[0];
  t.ok(await reached(async () => Number(await control?.query('connections')) >= 0), 'the new worker answers');
  for (let i = 0; i < 50; i++) t.match(await send(port), { start: 'HTTP/1.1 200 OK' });
  // What the dead one had in flight no longer counts against the limit.
  const many = await Promise.all(Array.from({ length: 40 }, () => RawConnection.open(port)));
  held.length = 0;
  await Promise.all(many.map((client) => client.send('GET /slow HTTP/1.1\r\nHost: web\r\n\r\n')));
  await until(() => held.length === 40);
  t.notOk(
    many.some(({ received }) => received.startsWith('HTTP/1.1 503')),
    'all 40 are let in',
  );
  for (const client of [...clients, ...many]) client.destroy();
});

test('what a worker counted stays when it dies, what it had under way does not', async (t) => {
  let isHolding = false;
  const backend = await socketBackend(t, ({ socket }) => isHolding || socket.write(OK));
  const { data, collector, port } = await startWorkers(t, backend.port, 1);
  const server = (name: string): number | undefined => {
    const scope = [...collector.snapshot().scopes].find(({ path }) => path[2] === 'server');
    const metric = scope?.metrics.find((candidate) => candidate.name === name);
    return metric?.type === 'stat' ? undefined : metric?.value;
  };
  for (let i = 0; i < 3; i++) await send(port);
  isHolding = true;
  const lost = await RawConnection.open(port);
  await lost.send(GET);
  await until(() => server('requests') === 4 && server('pending') === 1);
  await data.threads[0]?.terminate();
  await until(() => data.threads.length === 1 && server('pending') === 0, { timeoutMs: 20_000 });
  isHolding = false;
  await until(async () => (await send(port).catch(() => undefined)) !== undefined, { timeoutMs: 20_000 });
  await until(() => server('success') === 4);
  t.equal(server('requests'), 5, 'four of the worker that died');
  lost.destroy();
});

test('a port that is taken is reported, though workers could share it', async (t) => {
  const [port, adminPort] = await freePorts(2);
  const start = async (admin: number | undefined) => {
    const text = `workers: 2\nadmin: {port: ${admin}}\nrouters: [{protocol: http, servers: [{port: ${port}}]}]`;
    const loaded = await loadConfig({ name: 'taken.yaml', text });
    if (!loaded.ok) throw new Error('the config is good');
    return await startSignpost({ config: loaded.config, configPath: 'taken.yaml', warnings: [], logLevel: 'silent' });
  };
  const first = await start(adminPort);
  t.teardown(() => first.close(0));
  await t.rejects(start(0), {
    name: 'StartError',
    message: /taken\.yaml: routers\[0\]\.servers\[0\]\.port: .*another process/,
  });
});

test('a control side that is blocked delays no request for a bound name', async (t) => {
  const dir = tempDir(t);
  const backend = await socketBackend(t, ({ socket }) => socket.write(OK));
  const release = join(dir, 'release');
  const program = fork(join(import.meta.dirname, 'blocked-control.ts'), [String(backend.port), release], {
    execArgv: [],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  t.teardown(() => program.kill('SIGKILL'));
  const said: unknown[] = [];
  program.on('message', (message) => said.push(message));
  await until(() => typeof said[0] === 'number');
  const port = said[0] as number;
  // Every worker has bound the name once before the control side is blocked.
  for (let i = 0; i < 30; i++) await send(port);
  program.send('block');
  await until(() => said.includes('blocking'));
  for (let i = 0; i < 100; i++) t.match(await send(port), { start: 'HTTP/1.1 200 OK' });
  t.notOk(said.includes('released'), 'all were answered while it was blocked');
  writeFileSync(release, '');
  await until(() => said.includes('released'));
  await new Promise<void>((resolve) => {
    const probe = connect(port, '127.0.0.1', () => probe.destroy()).on('close', () => resolve());
  });
});
