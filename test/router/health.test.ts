/** Endpoints that fail, end to end: who is left alone, for all workers, and what clients notice. */
import type { Socket } from 'node:net';
import { type Test, test } from 'tap';
import type { EndpointState } from '../../src/router/client/state.ts';
import { send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld, type World } from '../support/world.ts';

const reply = (socket: Socket, status: string): void =>
  void socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);

/** For as long as a test lasts, and the clocks of a machine that is slow. */
const FOREVER = 'backoff: {kind: constant, ms: 600000}';

async function endpoints(world: World, id = '/#/io.l5d.fs/web'): Promise<EndpointState[]> {
  const response = await fetch(`${world.signpost.adminUrl}/client_state.json`);
  const clients = (await response.json()) as Record<string, { endpoints: EndpointState[] }>;
  return clients[id]?.endpoints ?? [];
}

async function statusOf(world: World, port: number): Promise<string | undefined> {
  return (await endpoints(world)).find(({ address }) => address === `127.0.0.1:${port}`)?.status;
}

/** Statuses of requests one after another, each over a connection of its own, so that all workers get some. */
async function statuses(world: World, count: number, method = 'GET'): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) {
    const response = await send(world.port(), { method });
    all.push(response?.start.split(' ')[1] ?? 'none');
  }
  return all;
}

type Failure = (socket: Socket) => void;

/** What one of three endpoints may do to a request. */
const FAILURES: readonly [string, Failure, string][] = [
  ['answers 503', (socket) => reply(socket, '503 Service Unavailable'), '503'],
  ['closes the connection', (socket) => socket.end(), '502'],
  ['resets it', (socket) => socket.resetAndDestroy(), '502'],
  ['answers garbage', (socket) => void socket.write('no http\r\n\r\n'), '502'],
  ['cuts its response', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'), 'none'],
];

for (const workers of [0, 3]) {
  for (const [what, fail, seen] of FAILURES) {
    test(`an endpoint that ${what} is left alone after five failures, ${workers} workers`, async (t) => {
      const good = await Promise.all([1, 2].map(() => socketBackend(t, ({ socket }) => answer(socket))));
      const bad = await socketBackend(t, ({ socket }) => fail(socket));
      const world = await startWorld(t, {
        workers,
        names: { web: [bad.port, ...good.map(({ port }) => port)] },
        router: [`client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 5, ${FOREVER}}}`],
      });
      // A method that is not tried again, so that every failure is seen.
      const before: string[] = [];
      await until(async () => {
        before.push(...(await statuses(world, 1, 'POST')));
        return (await statusOf(world, bad.port)) === 'ejected';
      });
      t.strictSame(
        before.filter((status) => status !== '200'),
        [seen, seen, seen, seen, seen],
      );
      t.ok(
        (await statuses(world, 50, 'POST')).every((status) => status === '200'),
        'then no client notices',
      );
      t.equal(bad.requests.length, 5);
    });
  }
}

test('an endpoint that refuses connects is out after five, though no client noticed', async (t) => {
  const [refused = 0] = await freePorts(1);
  const good = await socketBackend(t, ({ socket }) => answer(socket));
  const world = await startWorld(t, { workers: 3, names: { web: [refused, good.port] } });
  await until(async () => {
    t.strictSame(await statuses(world, 1, 'POST'), ['200']);
    return (await statusOf(world, refused)) === 'ejected';
  });
  const metrics = await world.metrics();
  t.equal(metrics['rt/http/client/#/io.l5d.fs/web/failure_accrual/removals'], 1);
  t.match(metrics, { 'rt/http/client/#/io.l5d.fs/web/retries/requeues': 5 });
});

test('what the client gave up, and kept connections that end unanswered, are no failures', async (t) => {
  const held: Socket[] = [];
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target === '/hang') held.push(socket);
    else answer(socket);
  });
  const world = await startWorld(t, {
    names: { web: [backend.port] },
    router: [`client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 1, ${FOREVER}}}`],
  });
  for (let i = 1; i <= 5; i++) {
    const client = await RawConnection.open(world.port());
    await client.send('GET /hang HTTP/1.1\r\nHost: web\r\n\r\n');
    await until(() => held.length === i);
    client.destroy();
    await until(() => held[i - 1]?.destroyed === true);
  }
  t.strictSame(await statuses(world, 2), ['200', '200']);
  for (const socket of backend.sockets) socket.end();
  t.strictSame(await statuses(world, 2), ['200', '200']);
  t.equal(await statusOf(world, backend.port), 'open');
});

test('a response that the classifier calls a success is one, whatever its status', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => reply(socket, '500 Internal Server Error'));
  const world = await startWorld(t, {
    names: { web: [backend.port] },
    router: [
      'service: {responseClassifier: {kind: io.l5d.http.allSuccessful}}',
      `client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 1, ${FOREVER}}}`,
    ],
  });
  t.strictSame(await statuses(world, 5), ['500', '500', '500', '500', '500']);
  t.equal(await statusOf(world, backend.port), 'open');
});

test('static entries give clients their own accrual and balancer', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => reply(socket, '500 Internal Server Error'));
  const world = await startWorld(t, {
    names: { web: [backend.port], strict: [backend.port] },
    router: [
      'client:',
      '  kind: io.l5d.static',
      '  configs:',
      '  - {prefix: /, failureAccrual: {kind: none}}',
      `  - {prefix: "/#/io.l5d.fs/s{rest}", failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 2, ${FOREVER}}}`,
    ],
  });
  for (let i = 0; i < 5; i++) {
    for (const host of ['web', 'strict']) await send(world.port(), { host });
  }
  t.match(await endpoints(world), [{ status: 'open' }]);
  t.match(await endpoints(world, '/#/io.l5d.fs/strict'), [{ status: 'ejected' }]);
});

test('failFast: with one worker or three, the first failed connect is enough', async (t) => {
  for (const workers of [0, 3]) await failFast(t, workers);
});

async function failFast(t: Test, workers: number): Promise<void> {
  const [port = 0] = await freePorts(1);
  const good = await socketBackend(t, ({ socket }) => answer(socket));
  const world = await startWorld(t, {
    workers,
    names: { web: [port, good.port] },
    router: ['client: {failFast: true, failureAccrual: {kind: none}}'],
  });
  await until(async () => {
    t.strictSame(await statuses(world, 1, 'POST'), ['200']);
    return (await statusOf(world, port)) === 'unreachable';
  });
  const scope = 'rt/http/client/#/io.l5d.fs/web';
  await until(async () => (await world.metrics())[`${scope}/failfast/is_marked_dead`] === 1);
  const metrics = await world.metrics();
  t.match(metrics, {
    [`${scope}/failfast/marked_dead`]: 1,
    [`${scope}/loadbalancer/size`]: 2,
  });
  const back = await socketBackend(t, ({ socket }) => answer(socket, 'back'), port);
  await until(
    async () => {
      await statuses(world, 1);
      return back.requests.length > 0;
    },
    { timeoutMs: 60_000 },
  );
  t.equal(await statusOf(world, port), 'open');
  await until(async () => (await world.metrics())[`${scope}/failfast/is_marked_dead`] === 0);
}

test('gauges of the balancer follow what other workers find out', async (t) => {
  let works = true;
  const backends = await Promise.all(
    [1, 2].map((n) =>
      socketBackend(t, ({ socket }) => reply(socket, works || n === 1 ? '200 OK' : '500 Internal Server Error')),
    ),
  );
  const world = await startWorld(t, {
    workers: 3,
    names: { web: backends.map(({ port }) => port) },
    router: [`client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 2, ${FOREVER}}}`],
  });
  const scope = 'rt/http/client/#/io.l5d.fs/web/loadbalancer';
  const gauges = async () => {
    const metrics = await world.metrics();
    return ['size', 'available', 'busy'].map((name) => metrics[`${scope}/${name}`]);
  };
  // So many connections that every worker has some.
  await statuses(world, 60);
  t.strictSame(await gauges(), [2, 2, 0]);
  works = false;
  await until(async () => {
    await statuses(world, 1);
    return (await statusOf(world, backends[1]?.port ?? 0)) === 'ejected';
  });
  await until(async () => (await gauges()).join() === '2,1,1');
  t.pass('no request came to the other workers since');
});
