// The signpost command as people run it: its own process, its output and its exit codes.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { httpRequest } from './support/http-get.ts';
import { freePorts, portOf, takenPort } from './support/ports.ts';
import { ROOT, runProgram } from './support/program.ts';
import { startSignpost } from './support/signpost.ts';
import { tempDir, tempFile } from './support/temp-dir.ts';
import { until } from './support/until.ts';

const minimal = 'routers:\n- protocol: http\n  servers: [{port: 0}]\n';

function signpost(t: Test, ...args: string[]) {
  return runProgram(t, 'src/main.ts', args).exited;
}

function fileOf(t: Test, text: string): string {
  return tempFile(t, 'linkerd.yaml', text);
}

test('a wrong command line says what to do and ends with 1', async (t) => {
  const file = fileOf(t, minimal);
  const cases: [string[], RegExp][] = [
    [[], /^usage: signpost path\/to\/config\n/],
    [[file, 'x'], /^usage: signpost path\/to\/config\n/],
    [['-nope', file], /^Error parsing flag "nope": flag undefined\n/],
    [['-log.level=LOUD', file], /none of OFF, FATAL/],
    [['--nope'], /unknown option '--nope'/],
    [['check'], /missing required argument/],
    [['check', file, '-o', 'xml'], /Allowed choices are text, json/],
    [['/no/such/file.yaml'], /^\/no\/such\/file\.yaml: config is not a file: \/no\/such\/file\.yaml\n/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await signpost(t, ...args);
    t.equal(code, 1, args.join(' '));
    t.equal(stdout, '', args.join(' '));
    t.match(stderr, expected, args.join(' '));
  }
});

test('help and version', async (t) => {
  for (const flag of ['--help', '-help', '-h']) {
    const { code, stdout } = await signpost(t, flag);
    t.equal(code, 0, flag);
    for (const part of ['Usage: signpost', 'check', 'schema', 'explain', 'demo', '-log.level=', 'Exit codes:', '143']) {
      t.ok(stdout.includes(part), `${flag} names ${part}`);
    }
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.match(await signpost(t, '--version'), { code: 0, stdout: `${version}\n` });
});

test('check says errors and warnings, and ends with 0 or 1', async (t) => {
  const good = fileOf(t, minimal.replace('http\n', 'http\n  httpAccessLog: access.log\n'));
  const warning = 'known but not built yet: no access log is written';
  t.match(await signpost(t, 'check', good), {
    code: 0,
    stdout: `${good}:3:3: warning: routers[0].httpAccessLog: ${warning}\n${good}: ok, 1 warning\n`,
  });
  const bad = fileOf(t, `foo: 1\n${minimal}`);
  const { code, stdout } = await signpost(t, 'check', bad);
  t.equal(code, 1);
  t.match(stdout, `${bad}:1:1: foo: unknown key; allowed: `);
  t.match(stdout, `${bad}: not ok, 1 error\n`);

  const json = await signpost(t, 'check', '-o', 'json', bad);
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), {
    ok: false,
    errors: [{ severity: 'error', file: bad, line: 1, column: 1, path: 'foo', message: 'unknown key' }],
    warnings: [],
  });
});

test('-validate checks and starts nothing', async (t) => {
  t.match(await signpost(t, '-validate', fileOf(t, minimal)), { code: 0, stdout: '', stderr: '' });
  const bad = fileOf(t, minimal.replace('port: 0', 'port: 70000'));
  t.match(await signpost(t, '-validate', bad), { code: 1, stderr: `${bad}:3:20: routers[0].servers[0].port: must be` });
});

test('a config on standard input', async (t) => {
  const check = (input: string) =>
    spawnSync(process.execPath, [join(ROOT, 'src/main.ts'), 'check', '-'], { input, encoding: 'utf8' });
  t.match(check(minimal), { status: 0, stdout: '-: ok\n' });
  t.match(check('{"routers": 5}'), { status: 1, stdout: '<stdin>:1:13: routers: must be a list' });
});

test('schema prints the JSON Schema', async (t) => {
  const { code, stdout } = await signpost(t, 'schema');
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { type: 'object', required: ['routers'], properties: { admin: { type: 'object' } } });
});

test('output that nobody reads to its end is no error', (t) => {
  // More than a pipe holds, so that the reader is gone before it is written.
  const bad = fileOf(t, `routers:\n${'- {protocol: http, foo: 1}\n'.repeat(400)}`);
  for (const [args, code] of [
    [['schema'], 0],
    [['check', bad], 1],
  ] as const) {
    const command = `"$0" "$@" | head -1 >/dev/null; exit "\${PIPESTATUS[0]}"`;
    const node = [process.execPath, join(ROOT, 'src/main.ts'), ...args];
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { status, stderr } = spawnSync('bash', ['-c', command, ...node], { encoding: 'utf8', env });
    t.match({ status, stderr }, { status: code, stderr: /^$/ }, args.join(' '));
  }
  t.end();
});

test('explain shows how a path is bound', async (t) => {
  const disco = tempDir(t);
  writeFileSync(join(disco, 'web'), '127.0.0.1 9001\n');
  const file = fileOf(
    t,
    [
      `namers: [{kind: io.l5d.fs, rootDir: ${disco}}]`,
      'routers:',
      '- {protocol: http, dtab: "/svc => /#/io.l5d.fs", servers: [{port: 0}]}',
      '- {protocol: http, label: other, dtab: "/svc/a => /$/inet/127.0.0.1/80", servers: [{port: 0}],',
      '   interpreter: {kind: default, transformers: [{kind: io.l5d.port, port: 4141}]}}',
    ].join('\n'),
  );
  t.match(await signpost(t, 'explain', file, '/svc/web'), {
    code: 0,
    stdout: /^\/svc\/web\n.*bound to \/#\/io\.l5d\.fs\/web: 127\.0\.0\.1:9001\n$/s,
  });
  t.match(await signpost(t, 'explain', file, '/svc/nope'), { code: 2, stdout: 'not bound' });
  t.match(await signpost(t, 'explain', file, '/svc/nope', '-d', '/svc/nope => /svc/web'), { code: 0 });
  const other = await signpost(t, 'explain', file, '/svc/a', '--router', 'other', '-o', 'json');
  t.equal(other.code, 0);
  t.match(JSON.parse(other.stdout), { type: 'delegate', path: '/svc/a' });
  t.match(other.stdout, '/%/io.l5d.port/4141/$/inet/127.0.0.1/80');
  t.match(await signpost(t, 'explain', file, '/svc/a', '-r', 'x'), { code: 1, stderr: 'there are: http, other' });
  t.match(await signpost(t, 'explain', file, 'svc'), { code: 1, stderr: "PATH: '/' expected" });
  t.match(await signpost(t, 'explain', file, '/svc', '-d', 'x'), { code: 1, stderr: '--dtab: ' });
});

test('explain asks the rules for overrides of the server that the request would come to', async (t) => {
  const file = fileOf(
    t,
    [
      'routers:',
      '- protocol: http',
      '  dtab: /svc => /$/inet/127.0.0.1/80',
      '  servers: [{port: 4140}, {port: 4141, overrides: {allow: [/svc]}}, {port: 4142, clearContext: true}]',
    ].join('\n'),
  );
  const explain = (...args: string[]) => signpost(t, 'explain', file, '/svc/a', ...args);
  t.match(await explain('-d', '/svc/a => /$/inet/127.0.0.1/81'), { code: 0, stdout: '127.0.0.1:81' });
  t.match(await explain('-d', '/svc/a => /$/inet/169.254.0.1/80'), {
    code: 2,
    stderr: '--dtab: a dtab override may not',
  });
  t.match(await explain('-d', '/svc/a => /svc/b', '-s', '4141'), { code: 0 });
  t.match(await explain('-d', '/svc/a => /$/inet/127.0.0.1/81', '-s', '4141'), { code: 1, stderr: 'may not lead to' });
  t.match(await explain('-d', '/svc/a => /svc/b', '-s', '4142'), { code: 1, stderr: 'accepts no overrides' });
  t.match(await explain('-s', '4142'), { code: 0 });
  t.match(await explain('-s', '1'), { code: 1, stderr: 'no server on port 1' });
});

test('a config with errors does not start', async (t) => {
  const bad = fileOf(t, `foo: 1\nadmin: {prt: 1}\n${minimal}`);
  const { code, stderr } = await signpost(t, bad);
  t.equal(code, 1);
  t.match(stderr, `${bad}:1:1: foo: unknown key`);
  t.match(stderr, `${bad}:2:9: admin.prt: unknown key`);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`runs until ${signal} and ends with 0`, async (t) => {
    const [admin, port] = await freePorts(2);
    const config = `admin: {port: ${admin}}\nrouters: [{protocol: http, servers: [{port: ${port}}]}]`;
    const running = await startSignpost(t, config, { flags: ['-log.level=DEBUG'] });
    running.kill(signal);
    t.match(await running.exited, { code: 0, signal: null });
  });
}

test('ends with 0 when the admin server is asked to shut down', async (t) => {
  const [admin, port] = await freePorts(2);
  const config = `admin: {port: ${admin}}\nrouters: [{protocol: http, servers: [{port: ${port}}]}]`;
  const running = await startSignpost(t, config);
  t.equal((await httpRequest(`http://127.0.0.1:${admin}/admin/shutdown`, { method: 'POST' })).status, 200);
  t.match(await running.exited, { code: 0, signal: null });
});

/** Whether nobody takes connections on a port any more. */
function isRefused(port: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(Number(port), '127.0.0.1', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/** A Signpost that has a request on its way to an endpoint which answers when it is told to. */
async function withRequest(t: Test) {
  const held: Socket[] = [];
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => held.push(socket));
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const [admin, port] = await freePorts(2);
  const running = await startSignpost(
    t,
    [
      `admin: {port: ${admin}, shutdownGraceMs: 60000}`,
      'routers:',
      '- protocol: http',
      `  dtab: /svc => /$/inet/127.0.0.1/${portOf(silent)};`,
      `  servers: [{port: ${port}}]`,
    ].join('\n'),
  );
  const response = httpRequest(`http://127.0.0.1:${port}/`).catch((error: Error) => error);
  await until(() => held.length > 0);
  const answer = () => held[0]?.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  return { running, response, answer, isDraining: () => isRefused(port) };
}

test('a second signal ends at once what the first one is draining', async (t) => {
  const { running, isDraining } = await withRequest(t);
  running.kill('SIGTERM');
  await until(isDraining);
  const ended = running.exited.then(() => true);
  while (!(await Promise.race([ended, sleep(50)]))) running.kill('SIGTERM');
  t.match(await running.exited, { code: 143 });
});

test('two signals at once are one: of a terminal and of a launcher that passes it on', async (t) => {
  const { running, response, answer, isDraining } = await withRequest(t);
  running.kill('SIGINT');
  running.kill('SIGTERM');
  await until(isDraining);
  answer();
  t.match(await response, { status: 200, body: 'ok' });
  t.match(await running.exited, { code: 0, signal: null });
});

test('a port that is taken is told with its key', async (t) => {
  const taken = await takenPort(t);
  const [admin] = await freePorts(1);
  const router = (port: number) => `routers: [{protocol: http, servers: [{port: ${port}}]}]`;
  const server = await signpost(t, fileOf(t, `admin: {port: ${admin}}\n${router(taken)}`));
  t.equal(server.code, 1);
  t.match(server.stderr, 'routers[0].servers[0]');
  t.match(server.stderr, String(taken));
  const administration = await signpost(t, fileOf(t, `admin: {port: ${taken}}\n${router(0)}`));
  t.equal(administration.code, 1);
  t.match(administration.stderr, 'admin');
  t.match(administration.stderr, String(taken));
});
