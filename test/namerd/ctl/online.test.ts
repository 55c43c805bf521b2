// The commands of ours that ask namerd: explain, watch, diff, test.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'tap';
import { Dtab } from '../../../src/naming/index.ts';
import { startController } from '../../support/controller.ts';
import { namerctl, startNamerctl } from '../../support/namerctl.ts';
import { portOf } from '../../support/ports.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

const NAMESPACES = {
  internal: '/svc => /host ; /host => /#/io.l5d.fs ; /host/both => 3 * /#/io.l5d.fs/web & /#/io.l5d.fs/api',
};
const FILES = { web: '127.0.0.1 9001\n', api: '127.0.0.1 9002\n' };
const GONE = 'http://127.0.0.1:1';

test('explain: the steps, and whether the path is bound', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES, files: FILES });
  const explain = (...args: string[]) => namerctl(t, ['explain', 'internal', ...args], { baseUrl });
  t.match(await explain('/svc/web'), {
    code: 0,
    stderr: '',
    stdout: [
      '/svc/web',
      '  /host/web  (by /svc => /host)',
      '    /#/io.l5d.fs/web  (by /host => /#/io.l5d.fs)',
      '      bound to /#/io.l5d.fs/web: 127.0.0.1:9001',
      '',
    ].join('\n'),
  });
  t.match(await explain('/svc/nobody'), { code: 1, stdout: 'not bound' });
  t.match(await explain('/svc/nobody', '-d', '/host/nobody => /host/web'), { code: 0, stdout: '127.0.0.1:9001' });
  t.match(await explain('/svc/web', '--dtab=/host/web => !'), { code: 1, stdout: 'fails' });
  t.match(await explain('/svc/web', '-d', '/host/web => /$/nope'), { code: 1, stdout: 'Unknown namer: nope' });
  t.match(await explain('/svc/both', '-d', '/host/both => /nowhere'), { code: 0 }, 'the next alternative');
  t.match(await namerctl(t, ['explain', 'none', '/svc/web'], { baseUrl }), {
    code: 3,
    stdout: '',
    stderr: 'There is no dtab "none".',
  });

  for (const flags of [['-o', 'json'], ['--json']]) {
    const json = await explain('/svc/web', ...flags);
    t.equal(json.code, 0);
    t.match(JSON.parse(json.stdout), { type: 'delegate', path: '/svc/web', delegate: { type: 'delegate' } });
  }
});

test('explain: colours only where they are wanted', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES, files: FILES });
  const explain = async (env: NodeJS.ProcessEnv) =>
    (await namerctl(t, ['explain', 'internal', '/svc/web'], { baseUrl, env })).stdout;
  const plain = await explain({});
  t.notOk(plain.includes('\x1b'), 'not into a pipe');
  const coloured = await explain({ FORCE_COLOR: '1' });
  t.match(coloured, '\x1b[32mbound to /#/io.l5d.fs/web\x1b[39m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that colour
  t.equal(coloured.replaceAll(/\x1b\[\d+m/g, ''), plain, 'nothing else differs');
  t.equal(await explain({ FORCE_COLOR: '1', NO_COLOR: '1' }), plain);
});

test('explain: what can not be asked', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES, files: FILES });
  const explain = (...args: string[]) => namerctl(t, ['explain', ...args], { baseUrl });
  t.match(await explain('internal', 'svc'), { code: 5, stderr: "Invalid path: svc / '/' expected but 's' found" });
  t.match(await explain('internal', '/svc', '-d', 'x'), { code: 5, stderr: 'Invalid dtab: ' });
  t.match(await explain('internal'), { code: 2, stderr: "Run 'namerctl explain --help' for usage." });
  t.match(await explain('internal', '/svc', '-o', 'xml'), { code: 2, stderr: '--output must be text or json' });
  t.match(await explain('internal', '/svc', '--frob'), {
    code: 2,
    stderr: 'unknown flag: --frob\n`namerctl explain --help`',
  });
  t.match(await namerctl(t, ['explain', 'a', '/b']), { code: 2, stderr: 'export NAMERCTL_BASE_URL=' });
  t.match(await namerctl(t, ['explain', 'a', '/b'], { baseUrl: GONE }), {
    code: 6,
    stdout: '',
    stderr: 'connection refused\nIs namerd running there',
  });
});

test('diff: same and different', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: { internal: '/svc => /host ; /host => /a | /b' } });
  const cwd = tempDir(t);
  const diff = async (text: string, ...args: string[]) => {
    writeFileSync(join(cwd, 'routes.dtab'), text);
    return await namerctl(t, ['dtab', 'diff', 'internal', 'routes.dtab', ...args], { baseUrl, cwd });
  };
  t.match(await diff('# same\n/svc=>/host;\n/host => /a|/b'), { code: 0, stdout: /^$/, stderr: /^$/ });
  t.match(await diff('{"dtab":[{"prefix":"/svc","dst":"/host"},{"prefix":"/host","dst":"/a | /b"}]}'), { code: 0 });
  t.match(await diff('/host => /a | /b ; /svc => /host'), { code: 1 }, 'the order of entries counts');
  const changed = '/svc => /host ; /new => /x ; /host => /a';
  t.match(await diff(changed), {
    code: 1,
    stdout: [
      '--- internal (version AAAAAAAAAAE=)',
      '+++ routes.dtab',
      ' /svc => /host ;',
      '-/host => /a | /b ;',
      '+/new => /x ;',
      '+/host => /a ;',
      '',
    ].join('\n'),
  });
  t.same(JSON.parse((await diff(changed, '-o', 'json')).stdout), {
    namespace: 'internal',
    version: 'AAAAAAAAAAE=',
    same: false,
    changes: [
      { op: 'removed', entry: '/host => /a | /b' },
      { op: 'added', entry: '/new => /x' },
      { op: 'added', entry: '/host => /a' },
    ],
  });
  t.same(JSON.parse((await diff(changed, '--json')).stdout).same, false, 'as the original asks for JSON');
  t.match(await diff('/a = /b'), { code: 2, stderr: "routes.dtab:1:5: '>' expected but ' ' found" });
  t.match(await namerctl(t, ['dtab', 'diff', 'intrenal', 'routes.dtab'], { baseUrl, cwd }), { code: 2 });
  await diff('');
  t.match(await namerctl(t, ['dtab', 'diff', 'intrenal', 'routes.dtab'], { baseUrl, cwd }), {
    code: 3,
    stderr: 'Did you mean "internal"? There are: internal',
  });
});

test('diff: of a large dtab only what is around the changes', async (t) => {
  const entries = Array.from({ length: 1000 }, (_, index) => `/e${index} => /x`);
  const { url: baseUrl } = await startController(t, { namespaces: { internal: entries.join(';') } });
  const input = entries.with(500, '/e500 => /y').join(';');
  const { stdout, code } = await namerctl(t, ['dtab', 'diff', 'internal', '-'], { baseUrl, input });
  t.equal(code, 1);
  t.equal(stdout.trimEnd().split('\n').length, 2 + 1 + 3 + 2 + 3, stdout);
  t.match(stdout, '  ... 497 unchanged\n /e497 => /x ;');
});

test('test: by the dtab and the namers of namerd', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES, files: FILES });
  const input = [
    '/svc/web -> /#/io.l5d.fs/web',
    '/svc/nobody -> ~',
    '/svc/both -> 3 * /#/io.l5d.fs/web & 1 * /#/io.l5d.fs/api',
    '/svc/web [/host/web => /#/io.l5d.fs/new | /#/io.l5d.fs/api] -> /#/io.l5d.fs/api',
    '/host/added => /#/io.l5d.fs/api ;',
    '/svc/added -> /#/io.l5d.fs/api',
  ].join('\n');
  const run = (...args: string[]) => namerctl(t, ['dtab', 'test', '-', ...args], { baseUrl, input });
  const { code, stdout } = await run('-n', 'internal');
  t.match(stdout, /<stdin>: 5 passed, 0 failed\n$/);
  t.equal(code, 0);
  t.match(await run('-n', 'intrenal'), { code: 3, stderr: 'Did you mean "internal"?' });
});

test('watch: a dtab and its changes', async (t) => {
  const { url: baseUrl, storage } = await startController(t, { namespaces: NAMESPACES });
  const watching = startNamerctl(t, ['watch', 'internal', '-n', '3'], { baseUrl });
  await watching.printed(/^\/svc +=> \/host ;$/m);
  await storage.put('internal', Dtab.parse('/svc => /host ; /host => /#/io.l5d.fs'), {});
  await watching.printed(/^-\/host\/both => .*$/m);
  await storage.put('internal', Dtab.parse('/svc => /host ; /host => /#/io.l5d.fs ; /x => /y'), {});
  const { code, stdout } = await watching.exited;
  t.equal(code, 0);
  t.match(stdout, /\n \/host => \/#\/io\.l5d\.fs ;\n\+\/x => \/y ;\n$/);
  t.equal(stdout.match(/^# \d{4}-\d\d-\d\dT[\d:.]+Z internal$/gm)?.length, 3, 'each with its time');
});

test('watch: what a path is bound to', async (t) => {
  const { url: baseUrl, file } = await startController(t, { namespaces: NAMESPACES, files: FILES });
  const args = ['watch', 'internal', '/svc/web', '-n', '2', '-o', 'json'];
  const watching = startNamerctl(t, args, { baseUrl });
  await watching.printed(/9001/);
  file('web', '127.0.0.1 9009\n');
  const { code, stdout } = await watching.exited;
  t.equal(code, 0);
  const states = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  t.match(states, [
    { type: 'leaf', bound: { id: '/#/io.l5d.fs/web', addr: { addrs: [{ port: 9001 }] } } },
    { type: 'leaf', bound: { id: '/#/io.l5d.fs/web', addr: { addrs: [{ port: 9009 }] } } },
  ]);

  // A branch of a union joins when its addresses are known.
  const both = startNamerctl(t, ['watch', 'internal', '/svc/both'], { baseUrl });
  await both.printed(
    /^# \S+Z\n\/svc\/both: by weight\n {2}- 3 \* \/svc\/both\n {6}bound to \/#\/io\.l5d\.fs\/web: 127\.0\.0\.1:9009\n {2}- 1/m,
  );
});

test('watch: outlives namerd, and ends with Ctrl-C', async (t) => {
  const first = await startController(t, { namespaces: NAMESPACES });
  const watching = startNamerctl(t, ['watch', 'internal', '-o', 'json'], { baseUrl: first.url });
  await watching.printed(/both/);
  await first.close();
  const second = await startController(t, { namespaces: NAMESPACES, config: { port: first.port } });
  await until(async () => {
    await second.storage.put('internal', Dtab.parse('/svc => /new'), {});
    return /\/new/.test(watching.soFar());
  });
  watching.kill('SIGINT');
  const { code, stdout, stderr } = await watching.exited;
  t.equal(code, 130);
  t.match(stderr, /; trying again\n/);
  t.equal(stdout.match(/both/g)?.length, 1, 'the state that was told already is not told again');
});

test('watch: what can not be watched', async (t) => {
  const { url: baseUrl } = await startController(t, { namespaces: NAMESPACES });
  const watch = (...args: string[]) => namerctl(t, ['watch', ...args], { baseUrl });
  t.match(await watch('intrenal'), { code: 3, stderr: 'Did you mean "internal"?' });
  t.match(await watch('internal', 'x'), { code: 5, stderr: 'Invalid path' });
  t.match(await watch('internal', '-n', '0'), { code: 2, stderr: '--count must be' });
  t.match(await namerctl(t, ['watch', 'internal'], { baseUrl: GONE }), { code: 6 });
});

test('tokens: from a file or the environment, and who may do what', async (t) => {
  const server = createServer(({ headers }, response) => {
    const status = headers.authorization === 'Bearer right' ? 200 : headers.authorization === undefined ? 401 : 403;
    response.writeHead(status).end(status === 200 ? '["x"]' : 'no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const baseUrl = `http://127.0.0.1:${portOf(server)}`;
  const cwd = tempDir(t);
  writeFileSync(join(cwd, 'token'), 'right\n');
  const list = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    namerctl(t, ['dtab', 'list', ...args], { baseUrl, cwd, env });
  const listed = { code: 0, stdout: 'x\n', stderr: '' };
  t.match(await list(['--token-file', 'token']), listed);
  t.match(await list([], { NAMERCTL_TOKEN_FILE: 'token' }), listed);
  t.match(await list([], { NAMERCTL_TOKEN: 'right' }), listed);
  t.match(await list([]), {
    code: 255,
    stdout: 'unexpected response: 401 Unauthorized\n',
    stderr: 'give a token with --token-file',
  });
  t.match(await list([], { NAMERCTL_TOKEN: 'wrong' }), {
    code: 255,
    stderr: 'Whoever this token or certificate is of',
  });
  t.match(await list(['--token-file', 'none']), {
    code: 255,
    stdout: 'token-file: open none: no such file or directory\n',
  });
  writeFileSync(join(cwd, '.namerctl.yaml'), 'token-file: token\n');
  t.match(await list([]), listed, 'the config file');
});
