import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

test('edits of a disco file under load move traffic and fail no request', async (t) => {
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map((body) => socketBackend(t, ({ socket }) => setTimeout(answer, 2, socket, body))),
  );
  const ports = [a, b, c].map((backend) => backend?.port ?? 0);
  const { port, name } = await startWorld(t, { names: { web: [ports[0] as number] } });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  t.teardown(() => agent.destroy());
  const statuses: Record<string, number> = {};
  let last: string[] = [];
  let sending = true;
  const load = (async () => {
    const under: Promise<void>[] = [];
    while (sending) {
      under.push(
        httpRequest(`http://127.0.0.1:${port()}/`, { headers: { host: 'web' }, agent }).then(
          ({ status, body }) => {
            statuses[status] = (statuses[status] ?? 0) + 1;
            last = [...last.slice(-19), body];
          },
          (error: Error) => {
            statuses[error.message] = (statuses[error.message] ?? 0) + 1;
          },
        ),
      );
      await sleep(5);
    }
    await Promise.all(under);
  })();
  for (const only of [1, 2, 0, 1]) {
    name('web', ports[only] as number);
    await until(() => last.every((body) => body === 'abc'[only]), { timeoutMs: 5000 });
    // Also several edits at once, the last of which counts.
    name('web', ...ports);
    name('web', ports[0] as number, ports[2] as number);
    name('web', ...ports);
    await until(() => new Set(last).size === 3, { timeoutMs: 5000 });
  }
  sending = false;
  await load;
  t.strictSame(Object.keys(statuses), ['200']);
  t.ok((statuses[200] ?? 0) > 50);
});

test('a name whose file appears later is served, and not when it is gone', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port, name } = await startWorld(t);
  const status = async () => (await httpRequest(`http://127.0.0.1:${port()}/`, { headers: { host: 'web' } })).status;
  t.equal(await status(), 502);
  name('web', backend.port);
  await until(async () => (await status()) === 200);
  name('web');
  await until(async () => (await status()) === 502);
});
