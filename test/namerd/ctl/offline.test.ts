// What namerctl says of dtabs without asking a namerd: `dtab check` and, with a file, `dtab test`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { NAMER_KINDS } from '../../../namerd/ctl/known-namers.ts';
import { namerKinds } from '../../../src/namers/index.ts';
import { notBuiltYet } from '../../../src/process/not-built-yet.ts';
import { namerctl } from '../../support/namerctl.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** A folder with these files, and namerctl in it. */
function inFolder(t: Test, files: Readonly<Record<string, string>>) {
  const cwd = tempDir(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return async (...args: string[]) => await namerctl(t, args, { cwd });
}

test('check: a dtab with nothing wrong', async (t) => {
  const run = inFolder(t, {
    'good.dtab': '# routes\n/svc => /host ; # c\n/host => /#/io.l5d.fs ;\n/host/x => /#/own/x | /$/inet/127.1/80 ;',
    'good.json': '{"version":"AA==","dtab":[{"prefix":"/svc","dst":"/#/io.l5d.fs"}]}',
    'empty.dtab': '',
  });
  for (const file of ['good.dtab', 'good.json', 'empty.dtab']) {
    t.match(await run('dtab', 'check', file), { code: 0, stdout: `${file}: ok\n`, stderr: '' }, file);
  }
  const json = await run('dtab', 'check', 'good.dtab', '-o', 'json');
  t.same(JSON.parse(json.stdout), { file: 'good.dtab', ok: true, problems: [] });
});

test('check: what is wrong stands with its place and entry', async (t) => {
  const run = inFolder(t, {
    'bad.dtab': [
      '/svc => /host ;',
      '  /a => /b ;',
      '/b => /a ;',
      '/host => /#/io.l5d.fss ; /host/w => /$/inett/x/80 ;',
      '/z => 0 * /#/io.l5d.fs/a & 0 * /#/io.l5d.fs/b ;',
      '/dead => /nowhere ;',
      '/never => /#/io.l5d.fs ; /never => $ ;',
    ].join('\n'),
  });
  const { code, stdout } = await run('dtab', 'check', 'bad.dtab');
  t.equal(code, 1);
  for (const line of [
    /^bad\.dtab:2:3: warning: \/a => \/b: .*circles/m,
    /^bad\.dtab:4:1: warning: \/host => \/#\/io\.l5d\.fss: there is no namer \/#\/io\.l5d\.fss$/m,
    /^bad\.dtab:4:26: warning: \/host\/w => .*there is no namer \/\$\/inett$/m,
    /^bad\.dtab:5:1: warning: \/z => .*zero/m,
    /^bad\.dtab:6:1: warning: \/dead => \/nowhere: leads nowhere/m,
    /^bad\.dtab:7:1: warning: \/never => \/#\/io\.l5d\.fs: is never used/m,
    /^bad\.dtab: not ok, 6 warnings/m,
  ]) {
    t.match(stdout, line);
  }
  const json = await run('dtab', 'check', 'bad.dtab', '-o', 'json');
  t.equal(json.code, 1);
  const { ok, problems } = JSON.parse(json.stdout) as { ok: boolean; problems: { kind: string }[] };
  t.equal(ok, false);
  t.match(
    problems.find(({ kind }) => kind === 'dead'),
    { severity: 'warning', line: 6, column: 1, entry: '/dead => /nowhere' },
  );
});

test('check: a text that is no dtab is shown with a caret', async (t) => {
  const run = inFolder(t, { 'bad.dtab': '/svc => /host ;\n/a = /b', 'open.dtab': '/a => /b\n/c => /d' });
  t.match(await run('dtab', 'check', 'bad.dtab'), {
    code: 1,
    stdout: [
      "bad.dtab:2:5: error: '>' expected but ' ' found",
      '    /a = /b',
      '        ^',
      'bad.dtab: not ok, 1 error',
      '',
    ].join('\n'),
  });
  t.match(await run('dtab', 'check', 'open.dtab'), {
    code: 1,
    stdout: "open.dtab:2:1: error: ';' or end of input expected",
  });
  t.match(await run('dtab', 'check', 'none.dtab'), { code: 2, stdout: '', stderr: 'open none.dtab: no such file' });
  t.match(await run('dtab', 'check'), { code: 2, stderr: 'check requires a file' });
});

test('check: the namers that there are', async (t) => {
  const run = inFolder(t, {
    'own.dtab': '/svc => /#/own/x ; /host => /#/io.l5d.fs ;',
    'namerd.yaml':
      'storage: {kind: io.l5d.inMemory}\nnamers:\n- {kind: io.l5d.fs, rootDir: x}\n- {kind: io.l5d.rewrite, prefix: /own}\n',
    'bad.yaml': 'namers: 5',
  });
  const codeOf = async (...args: string[]) => (await run('dtab', 'check', 'own.dtab', ...args)).code;
  t.equal(await codeOf(), 0, 'a name of its own may be a namer');
  t.equal(await codeOf('--namers', 'io.l5d.fs, /own'), 0);
  t.equal(await codeOf('--namers', 'io.l5d.fs'), 1);
  t.equal(await codeOf('--namers-of', 'namerd.yaml'), 0);
  t.equal(await codeOf('--namers-of', 'namerd.yaml', '--namers', 'x'), 0, 'both count');
  t.equal(await codeOf('--namers-of', 'bad.yaml'), 2);
  t.equal(await codeOf('--namers', '/a//b'), 2);
});

test('check knows every kind of namer', (t) => {
  const built = namerKinds.map(({ kind }) => kind);
  const planned = notBuiltYet.flatMap(({ at, kind }) => (at === 'namers[]' && kind !== undefined ? [kind] : []));
  t.same([...NAMER_KINDS].sort(), [...built, ...planned].sort());
  t.end();
});

const ROUTES = [
  '/svc => /host ;',
  '/host => /#/io.l5d.k8s/prod/http ;',
  '/host/split => 9 * /#/io.l5d.fs/v1 & 1 * /#/io.l5d.fs/v2 ;',
  '/host/closed => ! ;',
  '/host/local => /$/inet/127.1/8080 ;',
  '/loop => /loop ;',
].join('\n');

test('test: expectations that are met', async (t) => {
  const run = inFolder(t, {
    'routes.dtab': ROUTES,
    'routes.test': [
      '# what matters',
      '',
      '/svc/web -> /#/io.l5d.k8s/prod/http/web   # the rule',
      '/svc/split -> 9 * /#/io.l5d.fs/v1 & 1 * /#/io.l5d.fs/v2',
      '/svc/split->0.1 * /#/io.l5d.fs/v2 & 0.9 * /#/io.l5d.fs/v1',
      '/svc/web [/host/web => /#/io.l5d.fs/v2] -> /#/io.l5d.fs/v2',
      '/svc/web [ /host => /x | /#/io.l5d.fs ] -> /#/io.l5d.fs/v1 | /#/io.l5d.fs/web',
      '/svc/closed -> !',
      '/other -> ~',
      '/svc/local/rest -> /$/inet/127.1/8080',
      '/svc/local/rest -> /$/inet/127.1/8080/rest',
    ].join('\n'),
  });
  const { code, stdout } = await run('dtab', 'test', 'routes.test', '--file', 'routes.dtab');
  t.equal(code, 0, stdout);
  t.match(stdout, /\nroutes\.test: 9 passed, 0 failed\n$/);
});

test('test: expectations that are not met are explained', async (t) => {
  const run = inFolder(t, {
    'routes.dtab': ROUTES,
    'routes.test':
      '/svc/web -> /#/io.l5d.k8s/test/http/web\n/svc/split -> /#/io.l5d.fs/v1\n/loop -> ~\n/svc/closed -> !\n',
  });
  const { code, stdout } = await run('dtab', 'test', 'routes.test', '-f', 'routes.dtab');
  t.equal(code, 1);
  t.ok(
    stdout.startsWith(
      [
        'FAIL  /svc/web',
        '      routes.test:1 expects: /#/io.l5d.k8s/test/http/web',
        '      but it leads to: /#/io.l5d.k8s/prod/http/web',
        '        /svc/web',
        '          /host/web  (by /svc => /host)',
        '            /#/io.l5d.k8s/prod/http/web  (by /host => /#/io.l5d.k8s/prod/http)',
      ].join('\n'),
    ),
    stdout,
  );
  t.match(stdout, 'but it leads to: 9 * /#/io.l5d.fs/v1 & 1 * /#/io.l5d.fs/v2');
  t.match(stdout, 'but it leads to: it fails: ');
  t.match(stdout, /1 passed, 3 failed\n$/);

  const json = await run('dtab', 'test', 'routes.test', '-f', 'routes.dtab', '-o', 'json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), {
    file: 'routes.test',
    passed: 1,
    failed: 3,
    results: [{ line: 1, path: '/svc/web', dtab: '', ok: false, actual: '/#/io.l5d.k8s/prod/http/web' }],
  });
});

test('test: entries in the test file', async (t) => {
  const run = inFolder(t, {
    'whole.test': '/svc => /host ;\n/host => /#/io.l5d.fs ; /host/a => /#/io.l5d.fs/b ;\n/svc/a -> /#/io.l5d.fs/b\n',
    'more.test': '/host/web => /#/io.l5d.fs/staging ;\n/svc/web -> /#/io.l5d.fs/staging\n',
    'routes.dtab': ROUTES,
  });
  t.match(await run('dtab', 'test', 'whole.test'), { code: 0, stdout: '1 passed, 0 failed' });
  t.match(await run('dtab', 'test', 'more.test', '-f', 'routes.dtab'), { code: 0, stdout: '1 passed, 0 failed' });
});

test('test: files that say nothing, or nothing readable', async (t) => {
  const run = inFolder(t, {
    'empty.test': '# nothing\n',
    'lost.test': '/svc/web -> /#/io.l5d.fs/web\n',
    'word.test': '/a => /b ;\nhello\n',
    'path.test': '/svc//web -> /b\n',
    'tree.test': '/svc/web -> /b & 2 */c )\n',
    'override.test': '/svc/web [/a = /b] -> /c\n',
  });
  t.match(await run('dtab', 'test', 'empty.test'), { code: 2, stderr: 'empty.test expects nothing' });
  t.match(await run('dtab', 'test', 'lost.test'), { code: 2, stderr: 'which dtab is to be tested' });
  t.match(await run('dtab', 'test', 'lost.test', '-n', 'a', '-f', 'b'), { code: 2, stderr: 'not both' });
  for (const [file, stderr] of [
    [
      'word.test',
      'word.test:2:1: write an expectation, /path -> /name, or an entry, /prefix => /name ;\n    hello\n    ^',
    ],
    ['path.test', "path.test:1:6: a letter, a digit or one of '_:.#$%-' expected but '/' found"],
    ['tree.test', "tree.test:1:24: ';' or end of input expected but ')' found"],
    [
      'override.test',
      "override.test:1:15: '>' expected but ' ' found\n    /svc/web [/a = /b] -> /c\n                  ^",
    ],
  ] as const) {
    t.match(await run('dtab', 'test', file), { code: 2, stdout: '', stderr }, file);
  }
});
