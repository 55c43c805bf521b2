// The configurations in examples/: valid as they stand, and doing what their headers promise. For the latter they run on
// free ports, with an instance of helloworld behind each address that they name.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { ROOT, runProgram } from '../support/program.ts';
import { startSignpost } from '../support/signpost.ts';
import { tempDir } from '../support/temp-dir.ts';

const FOLDER = join(ROOT, 'examples');
const CONFIGS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(
  // The demo's is a template, which the demo's own test runs; namerd's have a test of their own.
  (path) => path.endsWith('.yaml') && !/^(demo|namerd)\//.test(path),
);

for (const path of CONFIGS) {
  test(`${path} is valid and says how to run it`, async (t) => {
    const { code, stdout } = await runProgram(t, 'src/main.ts', ['check', `examples/${path}`]).exited;
    t.equal(code, 0);
    t.match(stdout, new RegExp(`^${RegExp.escape(`examples/${path}`)}: ok`, 'm'));
    const text = readFileSync(join(FOLDER, path), 'utf8');
    t.match(text, `#   npx signpost examples/${path}\n`);
    t.notMatch(text, /^# +node /m, 'the first node of the PATH may be an old one');
  });
}

/** Starts helloworld as often as `instances` says: the port in the example's header, and the flags there. */
async function startInstances(t: Test, instances: Readonly<Record<number, readonly string[]>>) {
  const ports = new Map<number, number>();
  for (const [port, flags] of Object.entries(instances)) {
    const app = runProgram(t, 'examples/helloworld/main.ts', ['-addr', '127.0.0.1:0', ...flags]);
    ports.set(Number(port), Number((await app.printed(/serving http on 127\.0\.0\.1:(\d+)/))[1]));
  }
  return ports;
}

/** Runs an example with its ports exchanged. Resolves with the port that stands for its 4140. */
async function runExample(t: Test, path: string, instances: Readonly<Record<number, readonly string[]>>) {
  const ports = await startInstances(t, instances);
  const [admin = 0, ...own] = await freePorts(5);
  for (const [index, port] of own.entries()) ports.set(4140 + index, port);
  const exchange = (text: string) => text.replace(/\b\d{4}\b/g, (port) => `${ports.get(Number(port)) ?? port}`);

  const folder = tempDir(t);
  cpSync(FOLDER, join(folder, 'examples'), { recursive: true });
  for (const disco of ['examples/disco', 'examples/getting-started/disco']) {
    for (const name of readdirSync(join(folder, disco))) {
      const file = join(folder, disco, name);
      writeFileSync(file, exchange(readFileSync(file, 'utf8')));
    }
  }
  const config = exchange(readFileSync(join(FOLDER, path), 'utf8')).replace('rootDir: ', `rootDir: ${folder}/`);
  await startSignpost(t, `admin: { port: ${admin} }\n${config}`);
  return own[0] ?? 0;
}

test('getting-started/linkerd.yaml routes by name to the files', async (t) => {
  const port = await runExample(t, 'getting-started/linkerd.yaml', { 7777: [] });
  t.equal((await httpRequest('http://hello/', { proxyPort: port })).body, 'Hello!');
  t.equal((await httpRequest(`http://127.0.0.1:${port}/`, { headers: { host: 'hello' } })).body, 'Hello!');
});

test('http-proxy.yaml leads one name to one address', async (t) => {
  const port = await runExample(t, 'http-proxy.yaml', { 8888: ['-text', 'webapp'] });
  t.equal((await httpRequest('http://webapp/hello', { proxyPort: port })).body, 'webapp!');
  const other = await httpRequest('http://other/', { proxyPort: port });
  t.equal(other.status, 502);
  t.ok(other.headers['l5d-err']);
});

test('path-routing.yaml routes by the first segment', async (t) => {
  const port = await runExample(t, 'path-routing.yaml', {
    7778: ['-text', 'world-v1'],
    7779: ['-text', 'world-v2'],
  });
  t.equal((await httpRequest(`http://127.0.0.1:${port}/world-v1/any/path`)).body, 'world-v1!');
  t.equal((await httpRequest(`http://127.0.0.1:${port}/world-v2`)).body, 'world-v2!');
  const none = await httpRequest(`http://127.0.0.1:${port}/`);
  t.equal(none.status, 400);
  t.match(none.headers['l5d-err'], /not.enough.segments.in.path/);
});

test('traffic-split.yaml splits nine to one, and lets a request choose', async (t) => {
  const port = await runExample(t, 'traffic-split.yaml', {
    7778: ['-text', 'world-v1'],
    7779: ['-text', 'world-v2'],
  });
  const ask = async (headers = {}) => (await httpRequest('http://world/', { proxyPort: port, headers })).body;
  const seen: Record<string, number> = {};
  for (let i = 0; i < 400; i += 1) {
    const body = await ask();
    seen[body] = (seen[body] ?? 0) + 1;
  }
  t.same(Object.keys(seen).sort(), ['world-v1!', 'world-v2!']);
  // 40 expected; ten standard deviations away would be 100
  t.ok((seen['world-v2!'] ?? 0) < 100, `${seen['world-v2!']} of 400 went to world-v2`);
  for (let i = 0; i < 10; i += 1) {
    t.equal(await ask({ 'l5d-dtab': '/host/world => /srv/world-v2' }), 'world-v2!');
  }
});

for (const path of ['add-steps.yaml', 'failure-accrual.yaml']) {
  test(`${path} leads every name to the three instances`, async (t) => {
    const instances = { 8501: ['-text', 'pong'], 8502: ['-text', 'pong'], 8503: ['-text', 'pong'] };
    const port = await runExample(t, path, instances);
    for (const name of ['a', 'b', 'c']) {
      t.equal((await httpRequest(`http://${name}/`, { proxyPort: port })).body, 'pong!');
    }
  });
}

test('retries.yaml: a client notices nothing of an instance that fails', async (t) => {
  // Less than half, so that luck does not decide: each failure is tried again elsewhere.
  const instances = {
    8501: ['-text', 'pong'],
    8502: ['-text', 'pong'],
    8503: ['-text', 'pong', '-failure-rate', '0.3'],
  };
  const port = await runExample(t, 'retries.yaml', instances);
  for (let i = 0; i < 60; i += 1) {
    t.match(await httpRequest('http://app/', { proxyPort: port }), { status: 200, body: 'pong!' });
  }
});
