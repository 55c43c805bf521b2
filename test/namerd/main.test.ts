// The namerd command as people run it: its own process, its output and its exit codes.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { startNamerd } from '../support/namerd.ts';
import { freePorts, takenPort } from '../support/ports.ts';
import { ROOT, runProgram } from '../support/program.ts';
import { tempDir, tempFile } from '../support/temp-dir.ts';

const MINIMAL = 'storage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: 0}]\n';

function namerd(t: Test, ...args: string[]) {
  return runProgram(t, 'namerd/main.ts', args).exited;
}

function fileOf(t: Test, text: string): string {
  return tempFile(t, 'namerd.yaml', text);
}

test('a wrong command line says what to do and ends with 1', async (t) => {
  const file = fileOf(t, MINIMAL);
  const cases: [string[], RegExp][] = [
    [[], /^usage: namerd path\/to\/config\nTry "namerd --help"/],
    [[file, 'x'], /^usage: namerd path\/to\/config\n/],
    [['-nope', file], /^Error parsing flag "nope": flag undefined\nusage: namerd \[flags\]/],
    [['--nope'], /unknown option '--nope'/],
    [['check'], /missing required argument/],
    [['copy', '--from', file], /required option '--to <CONFIG>'/],
    [['/no/such/file.yaml'], /^\/no\/such\/file\.yaml: config is not a file: \/no\/such\/file\.yaml\n/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await namerd(t, ...args);
    t.equal(code, 1, args.join(' '));
    t.equal(stdout, '', args.join(' '));
    t.match(stderr, expected, args.join(' '));
  }
});

test('help and version', async (t) => {
  const { code, stdout } = await namerd(t, '--help');
  t.equal(code, 0);
  for (const part of ['Usage: namerd', 'check', 'schema', 'copy', '-log.level=', 'Examples:', 'Exit codes:']) {
    t.ok(stdout.includes(part), part);
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.match(await namerd(t, '--version'), { code: 0, stdout: `${version}\n` });
});

test('check, -validate and schema', async (t) => {
  const good = fileOf(t, MINIMAL);
  t.match(await namerd(t, 'check', good), { code: 0, stdout: `${good}: ok\n` });
  t.match(await namerd(t, '-validate', good), { code: 0, stdout: '', stderr: '' });
  const bad = fileOf(t, 'storage: {kind: io.l5d.inMemory, namespaces: {default: hello}}\ninterfaces: []\n');
  const { code, stdout } = await namerd(t, 'check', bad);
  t.equal(code, 1);
  t.match(stdout, `${bad}:1:56: storage.namespaces.default: not a dtab: '/' expected but 'h' found`);
  t.match(stdout, `${bad}:2:13: interfaces: One or more interfaces must be specified`);
  t.match(await namerd(t, bad), { code: 1, stdout: '', stderr: `${bad}:1:56: storage.namespaces.default` });
  const check = spawnSync(process.execPath, [join(ROOT, 'namerd/main.ts'), 'check', '-'], { input: MINIMAL });
  t.equal(check.status, 0, 'on standard input');
  const schema = await namerd(t, 'schema');
  t.match(JSON.parse(schema.stdout), { type: 'object', required: ['interfaces'], properties: { storage: {} } });
});

test('it serves, says so, drains and ends with 0', async (t) => {
  const [admin, port] = await freePorts(2);
  const interfaces = `[{kind: io.l5d.httpController, port: ${port}}, {kind: io.l5d.thriftNameInterpreter}]`;
  const config = `admin: {port: ${admin}}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: ${interfaces}\n`;
  const running = await startNamerd(t, config);
  t.same(JSON.parse((await httpRequest(`http://127.0.0.1:${port}/api/1/dtabs`)).body), []);
  const { code, stdout, stderr } = await running.stop();
  t.equal(code, 0);
  t.equal(stdout, '');
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; port?: number });
  const messages = lines.map(({ msg }) => msg);
  t.match(messages[0], /io\.l5d\.thriftNameInterpreter is known but not built yet: namerd starts without it/);
  t.match(
    lines.find(({ msg }) => msg === 'serving io.l5d.httpController interface'),
    { port },
  );
  t.same(messages.slice(-2), ['stopping: calls in work may finish', 'stopped']);
});

test('ends with 0 when the admin server is asked to shut down, and lets a call in work finish', async (t) => {
  const [admin, port] = await freePorts(2);
  const running = await startNamerd(
    t,
    `admin: {port: ${admin}}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: ${port}}]\n`,
  );
  // A watch is ended; it must not hold the process for the whole of the grace.
  const watch = await fetch(`http://127.0.0.1:${port}/api/1/dtabs?watch=true`);
  t.equal((await httpRequest(`http://127.0.0.1:${admin}/admin/shutdown`, { method: 'POST' })).status, 200);
  t.equal(await watch.text(), '[]\n');
  t.match(await running.exited, { code: 0, signal: null });
});

test('a port that is taken is told with its key', async (t) => {
  const taken = await takenPort(t);
  const [admin] = await freePorts(1);
  const config = (adminPort: number | undefined, port: number) =>
    fileOf(
      t,
      `admin: {port: ${adminPort}}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.httpController, port: ${port}}]\n`,
    );
  const reason = `can't listen on 127.0.0.1:${taken}: another process listens there already`;
  t.match(await namerd(t, config(admin, taken)), { code: 1, stderr: `interfaces[0].port: ${reason}` });
  t.match(await namerd(t, config(taken, 0)), { code: 1, stderr: `admin.port: ${reason}` });
});

test('an access log that can not be opened is told with its key', async (t) => {
  const folder = tempDir(t);
  const file = fileOf(t, `${MINIMAL.trimEnd().slice(0, -1)}, {kind: io.l5d.mesh, port: 0, h2AccessLog: ${folder}}]\n`);
  const reason = `${file}: interfaces[1].h2AccessLog: can't open the file: EISDIR`;
  t.match(await namerd(t, file), { code: 1, stderr: reason });
});

test('without a storage, dtabs are in a database in $STATE_DIRECTORY', async (t) => {
  const [admin, port] = await freePorts(2);
  const config = `admin: {port: ${admin}}\ninterfaces: [{kind: io.l5d.httpController, port: ${port}}]\n`;
  const state = join(tempDir(t), 'state');
  const url = `http://127.0.0.1:${port}/api/1/dtabs/default`;
  const first = await startNamerd(t, config, { env: { STATE_DIRECTORY: `${state}:/other` } });
  const put = { method: 'PUT', headers: { 'content-type': 'application/dtab' }, body: '/svc => /#/io.l5d.fs' };
  t.equal((await fetch(url, put)).status, 204);
  t.match(await first.stop(), { code: 0, stderr: /created the database/ });
  t.ok(existsSync(join(state, 'dtabs.sqlite')));

  const second = await startNamerd(t, config, { env: { STATE_DIRECTORY: state } });
  t.match(await (await fetch(url)).json(), [{ prefix: '/svc', dst: '/#/io.l5d.fs' }]);
  t.match(await second.stop(), { code: 0, stderr: /opened the database/ });
});

test('a storage that can not be opened is told with what to do', async (t) => {
  const file = fileOf(t, 'interfaces: [{kind: io.l5d.httpController, port: 0}]\n');
  const { code, stderr } = await runProgram(t, 'namerd/main.ts', [file], { env: { STATE_DIRECTORY: `${file}/x` } })
    .exited;
  t.equal(code, 1);
  t.match(stderr, `${file}: storage: the folder ${file}/x can not be used (ENOTDIR)`);
  t.match(stderr, 'name a file elsewhere with `storage: {kind: io.l5d.sqlite, path: FILE}`');
});
