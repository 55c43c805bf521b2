// A Signpost that is bound by a namerd over HTTP: traffic follows the dtab, and a namerd that goes fails no request.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { startController } from '../support/controller.ts';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

async function backend(t: Test, name: string): Promise<string> {
  const server = http.createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1 ${(server.address() as AddressInfo).port}\n`;
}

/** Sends requests one after another until it is stopped, and remembers the answers. */
function load(url: string, host: string) {
  const answers: string[] = [];
  let isRunning = true;
  const running = (async () => {
    while (isRunning) {
      const { status, body } = await httpRequest(url, { headers: { host } });
      answers.push(status === 200 ? body : `${status} ${body}`);
    }
  })();
  return {
    answers,
    stop: async () => {
      isRunning = false;
      await running;
    },
  };
}

test('an update moves traffic, and restarts of namerd fail no request', async (t) => {
  const files = { 'web-v1': await backend(t, 'v1'), 'web-v2': await backend(t, 'v2') };
  const [namerdPort = 0] = await freePorts(1);
  const config = { port: namerdPort };
  const namespaces = (version: string) => ({
    default: `/svc => /#/io.l5d.fs; /svc/web => /#/io.l5d.fs/web-${version}`,
  });
  const first = await startController(t, { namespaces: namespaces('v1'), files, config });
  const interpreter =
    `{kind: io.l5d.namerd.http, experimental: true, dst: /$/inet/127.0.0.1/${namerdPort}, ` +
    `retry: {baseSeconds: 0.1, maxSeconds: 0.2}, snapshot: {dir: ${JSON.stringify(tempDir(t))}}}`;
  const world = await startWorld(t, {
    routers: `- {protocol: http, interpreter: ${interpreter}, servers: [{port: 0}], bindingTimeoutMs: 1000}`,
    workers: 1,
  });
  const url = `http://127.0.0.1:${world.port()}`;
  const { answers, stop } = load(url, 'web');
  await until(() => answers.length > 20);

  const dtab = `${first.url}/api/1/dtabs/default`;
  const shift = await fetch(dtab, {
    method: 'PUT',
    body: '/svc => /#/io.l5d.fs; /svc/web => /#/io.l5d.fs/web-v2',
    headers: { 'Content-Type': 'application/dtab' },
  });
  t.equal(shift.status, 204);
  await until(() => answers.at(-1) === 'v2');
  t.strictSame([...new Set(answers)], ['v1', 'v2']);

  await first.close();
  const before = answers.length;
  const state = async () => {
    const { body } = await httpRequest(
      `${world.signpost.adminUrl}/http/interpreter_state/io.l5d.namerd.http/default.json`,
    );
    return JSON.parse(body) as { connected: boolean };
  };
  await until(async () => !(await state()).connected);
  await until(() => answers.length > before + 50);
  t.match(
    await httpRequest(url, { headers: { host: 'web-v1' } }),
    { status: 502 },
    'a name never seen fails in the end',
  );

  await startController(t, { namespaces: namespaces('v1'), files, config });
  await until(() => answers.at(-1) === 'v1');
  t.match(await httpRequest(url, { headers: { host: 'web-v1' } }), { status: 200, body: 'v1' }, 'and is not stuck');
  await stop();
  t.strictSame([...new Set(answers)].sort(), ['v1', 'v2'], 'no request failed');
});
