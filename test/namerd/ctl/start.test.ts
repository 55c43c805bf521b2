// What namerctl loads: scripts call it many times, so it starts with little.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { startController } from '../../support/controller.ts';
import { ROOT, runProgram } from '../../support/program.ts';
import { tempDir } from '../../support/temp-dir.ts';

interface Loaded {
  /** Of the project, from its root. */
  readonly files: readonly string[];
  readonly packages: readonly string[];
  /** Parts of Node, as Node calls them. */
  readonly builtins: readonly string[];
}

/** Runs a command with a program around it that notes what is loaded. */
async function loadedBy(t: Test, baseUrl: string, args: readonly string[], input?: string): Promise<Loaded> {
  const folder = tempDir(t);
  const trace = join(folder, 'trace.json');
  const program = join(folder, 'traced.mjs');
  writeFileSync(
    program,
    `import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
process.on('exit', () => writeFileSync(${JSON.stringify(trace)}, JSON.stringify({ urls, builtins: process.moduleLoadList })));
await import(${JSON.stringify(join(ROOT, 'packaging/bin/namerctl.js'))});
`,
  );
  const { code, stderr } = await runProgram(t, program, args, { env: { NAMERCTL_BASE_URL: baseUrl }, input }).exited;
  t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  const { urls, builtins } = JSON.parse(readFileSync(trace, 'utf8')) as { urls: string[]; builtins: string[] };
  const paths = urls.filter((url) => url.startsWith('file:')).map((url) => url.split(`${ROOT}/`)[1] ?? url);
  return {
    files: paths.filter((path) => !path.startsWith('node_modules/')),
    packages: paths.filter((path) => path.startsWith('node_modules/')),
    builtins,
  };
}

test('the original commands load no package, no server and nothing of naming', async (t) => {
  const { url } = await startController(t, { namespaces: { x: '/a => /#/b' } });
  for (const [args, input] of [
    [['dtab', 'list']],
    [['dtab', 'get', 'x']],
    [['dtab', 'update', 'x', '-'], '/a => /#/c'],
    [['dtab', 'create', 'y', '-'], '/a => /#/c'],
    [['dtab', 'delete', 'y']],
  ] as [string[], string?][]) {
    const name = args.join(' ');
    const { files, packages, builtins } = await loadedBy(t, url, args, input);
    t.ok(files.includes('namerd/ctl/original.ts'), name);
    t.same(packages, [], `${name}: packages`);
    const foreign = files.filter((path) => !/^(namerd\/ctl|packaging\/bin)\//.test(path));
    t.same(foreign, ['src/config/problem.ts'], `${name}: the rest of the project`);
    t.notOk(
      builtins.some((builtin) => /undici|child_process|http2|sqlite/.test(builtin)),
      `${name}: parts of Node`,
    );
  }
});

test('help loads nothing to speak to namerd with', async (t) => {
  for (const args of [[], ['dtab', '--help'], ['help', 'explain']]) {
    const { builtins } = await loadedBy(t, '', args);
    t.notOk(
      builtins.some((builtin) => /^NativeModule (_?http|https|tls)/.test(builtin)),
      args.join(' '),
    );
  }
});

test('the other commands load neither the servers nor what they are made with', async (t) => {
  const { url } = await startController(t, { namespaces: { x: '/a => /$/inet/127.1/80' } });
  for (const [args, input] of [
    [['explain', 'x', '/a']],
    [['dtab', 'diff', 'x', '-'], '/a => /$/inet/127.1/80'],
    [['dtab', 'check', '-'], '/a => /#/b'],
    [['dtab', 'test', '-'], '/a => /#/b\n/a -> /#/b'],
    [['dtab', 'history', 'x']],
    [['watch', 'x', '-n', '1']],
  ] as [string[], string?][]) {
    const name = args.join(' ');
    const { files, packages } = await loadedBy(t, url, args, input);
    const foreign = files.filter((path) => !/^(namerd\/ctl|packaging\/bin|src\/(naming|live))\//.test(path));
    t.same(foreign, ['src/config/problem.ts'], name);
    t.same(
      packages.filter((path) => !path.startsWith('node_modules/@preact/signals-core/')),
      [],
      `${name}: packages`,
    );
  }
});
