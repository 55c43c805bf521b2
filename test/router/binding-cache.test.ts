import http from 'node:http';
import { test } from 'tap';
import { failed, ok, pending, variable } from '../../src/live/index.ts';
import { type Addr, NEG } from '../../src/naming/index.ts';
import { bound, endpoints, NOWHERE, startDataSide } from '../support/data-side.ts';
import { send } from '../support/http-client.ts';
import { httpRequest } from '../support/http-get.ts';
import { type Arrived, answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';

/** Sends so many requests with names of the test's choice over kept connections; the statuses by their number. */
async function flood(port: number, count: number, host: (i: number) => string, headers: http.OutgoingHttpHeaders = {}) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const statuses: Record<number, number> = {};
  let next = 0;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (next < count) {
        const name = host(next++);
        const { status } = await httpRequest(`http://127.0.0.1:${port}/`, {
          agent,
          headers: { host: name, ...headers },
        });
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  agent.destroy();
  return statuses;
}

const ask = (port: number, host: string, headers: readonly (readonly [string, string])[] = []) =>
  send(port, { host, headers });

test('made-up names drive out only each other: hot ones stay bound, memory stays bounded', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t);
  const addr = variable<Addr>(endpoints(backend.port));
  data.others((name) => (name.startsWith('/svc/x') ? NOWHERE : ok(bound('web', addr))));
  const hot = Array.from({ length: 20 }, (_, i) => `hot${i}`);
  for (const name of [...hot, ...hot]) await ask(data.port, name);
  t.equal(data.asked.length, 20);
  await flood(data.port, 2000, (i) => `x${i}`);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const asked = data.asked.length;
  t.strictSame(await flood(data.port, 6000, (i) => `x2.${i}`), { 502: 6000 });
  t.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
  for (const name of hot) t.match(await ask(data.port, name), { start: 'HTTP/1.1 200 OK' });
  t.equal(data.asked.length, asked + 6000, 'nothing was bound again');
  // The control side watches what the cache holds, no more.
  await until(() => data.watched() <= 1000 / 4 + hot.length);
});

test('names that are bound but used once do not drive out hot ones either', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t, { bindingCache: { paths: 64 } });
  const addr = variable<Addr>(endpoints(backend.port));
  data.others(() => ok(bound('web', addr)));
  for (const name of ['hot', 'hot', 'hot']) await ask(data.port, name);
  await flood(data.port, 500, (i) => `once${i}`);
  await ask(data.port, 'hot');
  t.equal(data.asked.filter((name) => name === '/svc/hot').length, 1);
});

test('overrides, bound or not, do not drive out plain names', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t, { bindingCache: { paths: 16 } });
  const addr = variable<Addr>(endpoints(backend.port));
  data.others((name) => (name === '/svc/nowhere' ? NOWHERE : ok(bound('web', addr))));
  for (const name of ['web', 'web', 'nowhere', 'nowhere']) await ask(data.port, name);
  for (let i = 0; i < 40; i++) {
    const override = [['l5d-dtab', `/a${i}=>/b`]] as const;
    t.match(await ask(data.port, 'web', override), { start: 'HTTP/1.1 200 OK' });
    t.match(await ask(data.port, 'nowhere', override), { start: 'HTTP/1.1 502 Bad Gateway' });
  }
  await ask(data.port, 'web');
  await ask(data.port, 'nowhere');
  t.equal(data.asked.filter((name) => name === '/svc/web').length, 1);
  t.equal(data.asked.filter((name) => name === '/svc/nowhere').length, 1);
});

test('when all are busy, a binding serves one request and goes', async (t) => {
  const waiting: Arrived[] = [];
  const backend = await socketBackend(t, (arrived) => waiting.push(arrived));
  const data = await startDataSide(t, { bindingCache: { paths: 2 } });
  const addr = variable<Addr>(endpoints(backend.port));
  data.others(() => ok(bound('web', addr)));
  const replies = [];
  for (const host of ['a', 'b', 'c', 'd']) {
    replies.push(ask(data.port, host));
    await until(() => waiting.length === replies.length);
  }
  for (const { socket } of waiting.splice(0)) answer(socket);
  t.strictSame(
    (await Promise.all(replies)).map((reply) => reply?.start),
    Array(4).fill('HTTP/1.1 200 OK'),
  );
  const again = ask(data.port, 'a');
  await until(() => waiting.length === 1);
  answer((waiting[0] as Arrived).socket);
  await again;
  t.equal(data.asked.filter((name) => name === '/svc/a').length, 1);
});

test('names that differ in case only share a binding, which is let go whole', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t, { bindingCache: { idleTtlSecs: 1 } });
  data.bind('/svc/web', bound('web', variable<Addr>(endpoints(backend.port))));
  for (let round = 1; round <= 2; round++) {
    for (const host of ['web', 'WEB', 'Web', 'web', 'WEB']) t.match(await ask(data.port, host), { start: /200/ });
    t.equal(data.asked.length, round);
    await until(() => data.watched() === 0);
  }
});

test('a name that leads nowhere is served as soon as it leads somewhere, and back', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t);
  const web = bound('web', variable<Addr>(endpoints(backend.port)));
  data.bind('/svc/web', ok(NEG));
  t.match(await ask(data.port, 'web'), { start: /502/ });
  data.bind('/svc/web', web);
  await until(async () => (await ask(data.port, 'web'))?.start === 'HTTP/1.1 200 OK');
  data.bind('/svc/web', failed(new Error('the namer is down'), ok(web)));
  for (let i = 0; i < 3; i++) t.match(await ask(data.port, 'web'), { start: /200/ }, 'a failure takes nothing away');
  data.bind('/svc/web', ok(NEG));
  await until(async () => (await ask(data.port, 'web'))?.start === 'HTTP/1.1 502 Bad Gateway');
  data.bind('/svc/web', web);
  await until(async () => (await ask(data.port, 'web'))?.start === 'HTTP/1.1 200 OK');
  t.equal(data.asked.length, 1);
});

test('a binding that failed says why, and is not kept failing', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t);
  data.bind('/svc/web', failed(new Error('the namer is down')));
  t.match(await ask(data.port, 'web'), { start: /502/, body: 'the namer is down' });
  data.bind('/svc/web', bound('web', variable<Addr>({ state: 'failed', cause: 'no addresses today' })));
  await until(async () => (await ask(data.port, 'web'))?.body === 'no addresses today');
  data.bind('/svc/web', bound('web', variable<Addr>(endpoints(backend.port))));
  await until(async () => (await ask(data.port, 'web'))?.body === 'ok');
});

test('an unused binding is dropped after its idle time, and its client with it', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const data = await startDataSide(t, { bindingCache: { idleTtlSecs: 1 } });
  data.bind('/svc/web', bound('web', variable<Addr>(endpoints(backend.port))));
  await ask(data.port, 'web');
  t.equal(backend.sockets.size, 1);
  await until(() => backend.sockets.size === 0);
  t.match(await ask(data.port, 'web'), { start: /200/ });
  t.equal(data.asked.length, 2);
});

test('requests that gave up waiting are forgotten though the name stays pending', async (t) => {
  const data = await startDataSide(t, { bindingTimeoutMs: 50 });
  data.bind('/svc/web', pending());
  t.strictSame(await flood(data.port, 64, () => 'web'), { 502: 64 });
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  data.bind('/svc/web', bound('web', variable<Addr>(endpoints(backend.port))));
  t.match(await ask(data.port, 'web'), { start: /200/ });
  t.equal(backend.requests.length, 1, 'and are not sent any more');
});
