// The configurations in examples/namerd/ that need no other server: valid as they stand, and doing what their headers promise. Those
// on etcd and Consul are run in test/etcd and test/interop.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { startNamerd } from '../support/namerd.ts';
import { namerdExamples } from '../support/namerd-examples.ts';
import { ROOT, runProgram } from '../support/program.ts';
import { startSignpost } from '../support/signpost.ts';
import { tempFile } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const FOLDER = join(ROOT, 'examples/namerd');

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'))) {
  test(`examples/namerd/${name} is valid and says how to run it`, async (t) => {
    const program = name === 'linkerd.yaml' ? 'signpost' : 'namerd';
    const main = program === 'signpost' ? 'src/main.ts' : 'namerd/main.ts';
    const { code, stdout } = await runProgram(t, main, ['check', `examples/namerd/${name}`]).exited;
    t.equal(code, 0);
    t.equal(stdout, `examples/namerd/${name}: ok\n`);
    const text = readFileSync(join(FOLDER, name), 'utf8');
    t.match(text, `#   npx ${program} examples/namerd/${name}\n`);
    t.notMatch(text, /^# +node /m, 'the first node of the PATH may be an old one');
  });
}

test('namerd.yaml and linkerd.yaml: names are made and moved with namerctl', async (t) => {
  const examples = await namerdExamples(t);
  for (const [port, text] of [
    ['7778', 'hello-v1'],
    ['7779', 'hello-v2'],
  ] as const) {
    const address = `127.0.0.1:${examples.port(port)}`;
    await runProgram(t, 'examples/helloworld/main.ts', ['-addr', address, '-text', text]).printed(/serving http on/);
  }
  const config = await examples.config('namerd.yaml');
  const namerd = await startNamerd(t, config);
  await startSignpost(t, await examples.config('linkerd.yaml'));
  const namerctl = async (command: string, dtab: string) => {
    const file = tempFile(t, 'dtab', dtab);
    const url = `http://127.0.0.1:${examples.port('4180')}`;
    const args = ['--base-url', url, 'dtab', command, 'default', file];
    t.match(await runProgram(t, 'namerd/ctl/main.ts', args).exited, { code: 0 });
  };
  const hello = async () => {
    const { status, body } = await httpRequest('http://hello/', { proxyPort: examples.port('4140') });
    return status === 200 ? body : `${status}`;
  };
  await namerctl('create', '/svc => /#/io.l5d.fs ; /svc/hello => /svc/hello-v1');
  await until(async () => (await hello()) === 'hello-v1!');
  await namerctl('update', '/svc => /#/io.l5d.fs ; /svc/hello => 9 * /svc/hello-v1 & 1 * /svc/hello-v2');
  const bodies = new Set<string>();
  await until(async () => bodies.add(await hello()).size === 2);
  t.same([...bodies].sort(), ['hello-v1!', 'hello-v2!'], 'and no request failed');

  // What was written is there after a restart, and Signpost serves on meanwhile.
  await namerd.stop();
  t.match(await hello(), /^hello-v[12]!$/);
  await startNamerd(t, config);
  const { body } = await httpRequest(`http://127.0.0.1:${examples.port('4180')}/api/1/dtabs`);
  t.equal(body, '["default"]\n');
});

test('in-memory.yaml: the dtabs of the config', async (t) => {
  const examples = await namerdExamples(t);
  await startNamerd(t, await examples.config('in-memory.yaml'));
  const api = `http://127.0.0.1:${examples.port('4180')}/api/1`;
  t.equal((await httpRequest(`${api}/dtabs`)).body, '["default"]\n');
  const { body } = await httpRequest(`${api}/delegate/default?path=/svc/hello`);
  t.match(JSON.parse(body), { type: 'alt', path: '/svc/hello', alt: [{ type: 'union' }, {}] });
});
