// Requests that are turned away: when, and what they are told about coming back.
import { test } from 'tap';
import { MemoryGuard, usualMemoryBytes } from '../../../src/router/server/memory-guard.ts';
import { Stay } from '../../../src/router/server/stay.ts';
import { TimerWheel } from '../../../src/wire/timer-wheel.ts';
import { send } from '../../support/http-client.ts';
import { header } from '../../support/http-message.ts';
import { freePorts } from '../../support/ports.ts';
import { startSignpost } from '../../support/signpost.ts';
import { type Arrived, answer, socketBackend } from '../../support/socket-backend.ts';
import { until } from '../../support/until.ts';
import { startWorld } from '../../support/world.ts';

/** A wheel whose time is the test's. */
function clock(): { wheel: TimerWheel; passed(ms: number): void } {
  const wheel = new TimerWheel();
  wheel.close();
  return {
    wheel,
    passed(ms) {
      wheel.nowMs += ms;
    },
  };
}

test('how long requests stay: the time that each takes, whatever their number', (t) => {
  for (const [inFlight, everyMs] of [
    [1, 3000],
    [30, 100],
    [1000, 5],
  ] as const) {
    const { wheel, passed } = clock();
    const stay = new Stay(wheel);
    for (let i = 0; i < inFlight; i++) stay.entered();
    for (let ms = 0; ms < 60_000; ms += everyMs) {
      passed(everyMs);
      stay.left();
      stay.entered();
    }
    const seconds = (inFlight * everyMs) / 1000;
    t.ok(Math.abs(stay.seconds() - seconds) <= 1, `${stay.seconds()} where ${seconds} are right`);
  }
  t.end();
});

test('requests that hang stay longer and longer; a server that has just begun says a second', (t) => {
  const { wheel, passed } = clock();
  const stay = new Stay(wheel);
  passed(3_600_000);
  stay.entered();
  t.equal(stay.seconds(), 1);
  passed(20_000);
  t.equal(stay.seconds(), 20);
  passed(600_000);
  t.equal(stay.seconds(), 60, 'no more than a minute');
  stay.left();
  stay.entered();
  for (let i = 0; i < 300; i++) {
    passed(100);
    stay.left();
    stay.entered();
  }
  t.equal(stay.seconds(), 1, 'it works again');
  t.end();
});

test('memory is short above the limit, which is a share of what there is if nobody says', (t) => {
  const { wheel } = clock();
  t.ok(new MemoryGuard(wheel, 1).isShort);
  t.notOk(new MemoryGuard(wheel, 1_000_000).isShort);
  t.notOk(new MemoryGuard(wheel, undefined).isShort);
  t.ok(usualMemoryBytes() > process.memoryUsage.rss());
  t.end();
});

test('above maxMemoryMB requests are refused before anything is kept of them; the admin server answers', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const [port, admin] = (await freePorts(2)) as [number, number];
  for (const workers of [0, 2]) {
    const router = `{protocol: http, dtab: '/svc => /$/inet/127.0.0.1/${backend.port}', servers: [{port: ${port}}]}`;
    const config = `workers: ${workers}\nadmin: {port: ${admin}}\nrouters: [${router}]\n`;
    const short = await startSignpost(t, `${config}maxMemoryMB: 1\n`);
    const refused = await send(port, { method: 'POST', body: 'x' });
    t.equal(refused?.start, 'HTTP/1.1 503 Service Unavailable');
    const headers = refused?.headers ?? [];
    t.match(header(headers, 'l5d-err'), /short\+of\+memory/);
    t.match(header(headers, 'retry-after'), /^[1-9]\d*$/);
    t.equal(header(headers, 'l5d-retryable'), 'true');
    t.equal(header(headers, 'finagle-http-nack'), 'true');
    t.equal(backend.requests.length, 0);
    const response = await fetch(`http://127.0.0.1:${admin}/admin/metrics.json`);
    const metrics = (await response.json()) as Record<string, number>;
    t.equal(metrics[`rt/http/server/127.0.0.1/${port}/nacks`], 1);
    await short.stop();

    const enough = await startSignpost(t, `${config}maxMemoryMB: 100000\n`);
    t.match(await send(port), { start: 'HTTP/1.1 200 OK' });
    await enough.stop();
    backend.requests.length = 0;
  }
});

test('Retry-After of maxConcurrentRequests grows with the time that requests take', async (t) => {
  const waiting: Arrived[] = [];
  const backend = await socketBackend(t, (arrived) => waiting.push(arrived));
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'maxConcurrentRequests: 1' });
  const first = send(port());
  await until(() => waiting.length === 1);
  const after = async () => Number(header((await send(port()))?.headers ?? [], 'retry-after'));
  t.equal(await after(), 1);
  await until(async () => (await after()) >= 2);
  for (const { socket } of waiting) answer(socket);
  await first;
});
