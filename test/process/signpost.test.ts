import http from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { startSignpost } from '../support/signpost.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

/** The real program in front of one backend. */
async function program(t: Parameters<typeof startSignpost>[0], backend: number, graceMs: number, workers = 0) {
  const [admin, port] = await freePorts(2);
  const running = await startSignpost(
    t,
    [
      `admin: {port: ${admin}, shutdownGraceMs: ${graceMs}}`,
      'routers:',
      '- protocol: http',
      `  dtab: /svc => /$/inet/127.0.0.1/${backend}`,
      `  servers: [{port: ${port}}]`,
      `workers: ${workers}`,
    ].join('\n'),
  );
  return { ...running, port: port as number };
}

const web = { headers: { host: 'web' } };

for (const workers of [0, 2])
  test(`SIGTERM under load (workers: ${workers}): what was accepted is answered, then nothing listens`, async (t) => {
    const backend = await socketBackend(t, ({ socket }) => setTimeout(answer, 20, socket));
    const running = await program(t, backend.port, 10_000, workers);
    const url = `http://127.0.0.1:${running.port}/`;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 40 });
    t.teardown(() => agent.destroy());
    let answered = 0;
    const failures: string[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        try {
          const { status } = await httpRequest(url, { ...web, agent });
          if (status === 200) answered++;
          else failures.push(String(status));
        } catch (error) {
          const { code = String(error) } = error as NodeJS.ErrnoException;
          if (code !== 'ECONNREFUSED') failures.push(code);
          return;
        }
      }
    };
    const clients = Promise.all(Array.from({ length: 40 }, client));
    await until(() => answered > 400);
    const idle = await RawConnection.open(running.port);
    t.teardown(() => idle.destroy());
    running.kill('SIGTERM');
    await clients;
    t.strictSame(failures, []);
    await until(() => idle.closed);
    idle.destroy();
    agent.destroy();
    t.match(await running.exited, { code: 0, signal: null });
  });

test('a request longer than the grace is cut, a shorter one is not', async (t) => {
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target === '/short') setTimeout(answer, 400, socket, 'in time');
  });
  const running = await program(t, backend.port, 1500);
  const short = httpRequest(`http://127.0.0.1:${running.port}/short`, web);
  const long = httpRequest(`http://127.0.0.1:${running.port}/long`, web).then(
    () => 'answered',
    () => 'cut',
  );
  await until(() => backend.requests.length === 2);
  running.kill('SIGTERM');
  t.match(await short, { status: 200, body: 'in time', headers: { connection: 'close' } });
  t.equal(await long, 'cut');
  t.match(await running.exited, { code: 0 });
});

test('at start it says where it listens, and for whom, as JSON on standard error', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const running = await program(t, backend.port, 100);
  const { stdout, stderr } = await running.stop();
  t.equal(stdout, '');
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(
    lines.find(({ msg }) => msg === 'serving'),
    {
      level: 30,
      router: 'http',
      ip: '127.0.0.1',
      port: running.port,
      reachable: /this host alone/,
    },
  );
  t.match(
    lines.find(({ msg }) => msg === 'serving admin'),
    { url: `http://127.0.0.1:${running.adminPort}` },
  );
  t.ok(lines.some(({ msg }) => msg === 'stopped'));
});

test('an error that nobody caught is counted, and requests go on', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  const before = (await metrics())['process/uncaught_errors'] ?? 0;
  // tap listens too, and would call it a failure of this test.
  const others = process.listeners('uncaughtException').filter(({ name }) => name !== 'onError');
  for (const listener of others) process.off('uncaughtException', listener);
  setImmediate(() => {
    throw new Error('a bug');
  });
  await sleep(10);
  for (const listener of others) process.on('uncaughtException', listener);
  t.match(await httpRequest(`http://127.0.0.1:${port()}/`, web), { status: 200 });
  await until(async () => (await metrics())['process/uncaught_errors'] === before + 1);
});

test('close in-process: idle connections are ended, new ones refused, twice is once', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port, signpost, adminPort } = await startWorld(t, { names: { web: [backend.port] } });
  const idle = await RawConnection.open(port());
  t.teardown(() => idle.destroy());
  const listened = [port(), adminPort];
  await Promise.all([signpost.close(5000), signpost.close(0)]);
  await signpost.stopped;
  await until(() => idle.closed);
  for (const gone of listened) {
    const code = await new Promise((resolve) =>
      connect(gone, '127.0.0.1').on('error', ({ code }: NodeJS.ErrnoException) => resolve(code)),
    );
    t.equal(code, 'ECONNREFUSED');
  }
  await until(() => backend.sockets.size === 0);
});
