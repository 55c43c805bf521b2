// What a running Signpost tells of requests: their counters by how they ended, the latest of them, its own admin server.
import { connect } from 'node:net';
import { test } from 'tap';
import type { RequestRecord } from '../../src/port/protocol.ts';
import { requestText, send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

const CLIENT = 'rt/http/client/#/io.l5d.fs/web';
const SERVICE = 'rt/http/service/svc/web';
const CANCELLED = 'com.twitter.finagle.CancelledRequestException';

test('a request without a connection is a failure of the service and of what its client makes', async (t) => {
  const { port, metrics } = await startWorld(t, { names: { web: await freePorts(2) } });
  await send(port());
  const failure = 'com.twitter.finagle.naming.buoyant.RichConnectionFailedException';
  t.match(await metrics(), {
    [`${CLIENT}/requests`]: 0,
    [`${CLIENT}/connects`]: 0,
    [`${CLIENT}/retries/requeues`]: 1,
    [`${CLIENT}/service_creation/failures`]: 2,
    [`${CLIENT}/service_creation/failures/${failure}`]: 2,
    [`${SERVICE}/failures/restartable`]: 1,
    [`${SERVICE}/failures/restartable/${failure}WithPath`]: 1,
    [`rt/http/server/127.0.0.1/${port()}/status/502`]: 1,
  });
});

test('whoever leaves before the answer is counted everywhere as one who cancelled', async (t) => {
  const asked: (() => void)[] = [];
  const backend = await socketBackend(t, ({ socket }) => asked.push(() => answer(socket)));
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  const connection = connect(port(), '127.0.0.1');
  connection.write(requestText({}));
  await until(() => asked.length === 1);
  t.match(await metrics(), {
    [`${CLIENT}/pending`]: 1,
    [`${CLIENT}/service/svc/web/pending`]: 1,
    [`${CLIENT}/pool_size`]: 1,
    [`${CLIENT}/pool_cached`]: 0,
    [`${CLIENT}/loadbalancer/load`]: 1,
    [`${SERVICE}/pending`]: 1,
  });
  // An orderly end might be a half-close.
  connection.resetAndDestroy();
  const server = `rt/http/server/127.0.0.1/${port()}`;
  await until(async () => (await metrics())[`${server}/pending`] === 0);
  const after = await metrics();
  t.match(after, {
    [`${CLIENT}/pending`]: 0,
    [`${CLIENT}/pool_size`]: 0,
    [`${CLIENT}/loadbalancer/load`]: 0,
    [`${CLIENT}/status/error`]: 1,
    [`${server}/status/error`]: 1,
  });
  for (const scope of [CLIENT, `${CLIENT}/service/svc/web`, SERVICE, server]) {
    t.match(after, { [`${scope}/failures`]: 1, [`${scope}/failures/${CANCELLED}`]: 1 }, scope);
  }
});

test('what is refused for the limit is a nack', async (t) => {
  const asked: (() => void)[] = [];
  const backend = await socketBackend(t, ({ socket }) => asked.push(() => answer(socket)));
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, server: 'maxConcurrentRequests: 1' });
  const first = await RawConnection.open(port());
  t.teardown(() => first.destroy());
  await first.send(requestText({}));
  await until(() => asked.length === 1);
  t.match(await send(port()), { start: /^HTTP\/1.1 503/ });
  const server = `rt/http/server/127.0.0.1/${port()}`;
  t.match(await metrics(), {
    [`${server}/nacks`]: 1,
    [`${server}/failures/rejected`]: 1,
    [`${server}/failures/rejected/com.twitter.finagle.Failure`]: 1,
    [`${SERVICE}/requests`]: 1,
  });
});

test('a full pool: who waits, and who may not', async (t) => {
  const asked: (() => void)[] = [];
  const backend = await socketBackend(t, ({ socket }) => asked.push(() => answer(socket)));
  const router = ['client: {hostConnectionPool: {maxSize: 1, maxWaiters: 1}}'];
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, router });
  const both = await Promise.all([RawConnection.open(port()), RawConnection.open(port())]);
  t.teardown(() => {
    for (const connection of both) connection.destroy();
  });
  for (const connection of both) await connection.send(requestText({}));
  await until(async () => (await metrics())[`${CLIENT}/pool_waiters`] === 1);
  t.match(await send(port()), { start: /^HTTP\/1.1 503/ });
  t.match(await metrics(), {
    [`${CLIENT}/pool_num_waited`]: 1,
    [`${CLIENT}/pool_num_too_many_waiters`]: 1,
    [`${CLIENT}/service_creation/failures/com.twitter.finagle.TooManyWaitersException`]: 1,
    [`${CLIENT}/requests`]: 1,
  });
  asked[0]?.();
  await until(() => asked.length === 2);
  asked[1]?.();
  await until(async () => (await metrics())[`${CLIENT}/pool_cached`] === 1);
  t.match(await metrics(), { [`${CLIENT}/pool_waiters`]: 0, [`${CLIENT}/pool_size`]: 0, [`${CLIENT}/success`]: 2 });
});

test('latencies of requests have classic buckets; prefix and path are those of the config', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const telemetry = '[{kind: io.l5d.prometheus, path: /metrics, prefix: sp_}]';
  const { port, signpost } = await startWorld(t, { names: { web: [backend.port] }, telemetry });
  await send(port());
  const text = await (await fetch(`${signpost.adminUrl}/metrics`)).text();
  const labels = `rt="http", client="#/io.l5d.fs/web"`;
  t.match(text, `# TYPE sp_rt:client:request_latency_ms_hist histogram`);
  t.match(text, `sp_rt:client:request_latency_ms_hist_bucket{${labels}, le="+Inf"} 1\n`);
  t.match(text, /^sp_jvm:heap:used [1-9]/m);
  t.match(text, /^sp_adminhttp:connections 1\.0$/m);
  t.match(text, /^process_cpu_user_seconds_total /m, 'of the process, not prefixed');
});

for (const workers of [0, 2]) {
  test(`the latest requests, workers: ${workers}`, async (t) => {
    const backend = await socketBackend(t, ({ socket }) => answer(socket));
    const telemetry = '[{kind: io.l5d.recentRequests, sampleRate: 1.0, capacity: 2}]';
    const { port, signpost } = await startWorld(t, { names: { web: [backend.port] }, telemetry, workers });
    for (const host of ['web', 'web', 'nosuch']) await send(port(), { host });
    const shown = async (): Promise<RequestRecord[]> => {
      const response = await fetch(`${signpost.adminUrl}/requests?json=true`);
      return (await response.json()) as RequestRecord[];
    };
    await until(async () => (await shown())[0]?.logical === '/svc/nosuch');
    t.match(await shown(), [
      { logical: '/svc/nosuch', concrete: null, destination: null, router: 'http' },
      {
        logical: '/svc/web',
        concrete: '/#/io.l5d.fs/web',
        destination: `127.0.0.1:${backend.port}`,
        server: `127.0.0.1:${port()}`,
        source: /^127\.0\.0\.1:\d+$/,
      },
    ]);
    t.equal((await shown()).length, 2);
  });
}
