// The commands' launcher, in folders that look like a checkout, a package, and machines with an old Node.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { childrenOf, isAlive } from '../support/processes.ts';
import { ROOT, runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const SAYS = (what: string) => `console.log(${JSON.stringify(what)}, ...process.argv.slice(2));\n`;

/** A folder with the launcher and the given files. `minimum` stands in for the oldest Node that will do. */
function layOut(t: Test, files: Readonly<Record<string, string>>, minimum?: number): string {
  const root = tempDir(t);
  const all: Record<string, string> = { 'package.json': '{"type":"module"}', ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, 'packaging/bin'), { recursive: true });
  for (const file of ['packaging/bin/signpost.js', 'packaging/bin/end-with-parent.js']) {
    copyFileSync(join(ROOT, file), join(root, file));
  }
  const launcher = readFileSync(join(ROOT, 'packaging/bin/launch.js'), 'utf8');
  const changed = minimum === undefined ? launcher : launcher.replace('NODE_MAJOR = 26', `NODE_MAJOR = ${minimum}`);
  t.not(minimum !== undefined && changed === launcher, true, 'the minimum is set');
  writeFileSync(join(root, 'packaging/bin/launch.js'), changed);
  return root;
}

const run = (t: Test, root: string, ...argv: string[]) => runProgram(t, join(root, 'packaging/bin/signpost.js'), argv);

test('a checkout runs its source, whatever an older build left behind', async (t) => {
  const root = layOut(t, { 'src/main.ts': SAYS('source'), 'dist/src/main.js': SAYS('stale') });
  t.match(await run(t, root, 'a', '-b').exited, { code: 0, stdout: 'source a -b\n' });
});

test('a package runs what was built', async (t) => {
  const root = layOut(t, { 'dist/src/main.js': SAYS('built') });
  t.match(await run(t, root, 'a').exited, { code: 0, stdout: 'built a\n' });
});

test('an old Node hands over to the one that npm ci brought', async (t) => {
  // It prints last: whoever has read that may send it a signal.
  const main = `process.exitCode = 7;
process.on('SIGTERM', () => process.exit(8));
setTimeout(() => {}, process.argv[2] === 'stay' ? 60_000 : 0);
console.log('args', ...process.argv.slice(2));\n`;
  const root = layOut(t, { 'src/main.ts': main }, 99);
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
  t.match(await run(t, root, 'x').exited, { code: 7, stdout: 'args x\n' });

  const staying = run(t, root, 'stay');
  await staying.printed(/args stay/);
  staying.kill('SIGTERM');
  t.match(await staying.exited, { code: 8, signal: null }, 'signals are handed on');

  const killed = run(t, root, 'stay');
  await killed.printed(/args stay/);
  const [child = 0] = childrenOf(killed.pid);
  killed.kill('SIGKILL');
  await killed.exited;
  await until(() => !isAlive(child));
  t.not(child, 0, 'what it started ends with the launcher, even when that is killed');
});

test('an old Node that stands alone is told what to do', async (t) => {
  const root = layOut(t, { 'src/main.ts': SAYS('source') }, 99);
  const { code, stdout, stderr } = await run(t, root).exited;
  t.equal(code, 78);
  t.equal(stdout, '');
  t.match(stderr, /needs Node 99 or later; this is v\d+/);
  t.match(stderr, /npm ci/);
});

test('npx runs the command of a checkout that was never built', async (t) => {
  const cache = tempDir(t);
  const npx = spawnSync(
    'env',
    ['-u', 'NODE_OPTIONS', 'npx', '--offline', '--yes', 'signpost', 'check', 'examples/http-proxy.yaml'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, npm_config_cache: cache },
    },
  );
  t.match(npx.stdout, /^examples\/http-proxy\.yaml: ok$/m, npx.stderr);
  t.equal(npx.status, 0);
});

test('namerd and namerctl are started', async (t) => {
  t.match(await runProgram(t, 'packaging/bin/namerd.js', []).exited, { code: 1, stderr: /^usage: namerd path/ });
  t.match(await runProgram(t, 'packaging/bin/namerctl.js', []).exited, { code: 0, stdout: /namerctl \[command\]/ });
});
