// Rules about the project as a whole that neither the compiler nor the linter knows.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { ROOT } from './support/program.ts';
import { projectFiles } from './support/project-files.ts';
import { tempDir } from './support/temp-dir.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const files = projectFiles();
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const manifest: Manifest = JSON.parse(read('package.json'));

/** `from 'x'`, `import 'x'`, `import('x')`, as whole specifiers. */
const IMPORT = /(?:^|[\s;}*])(?:from\s*|import\s*\(?\s*)(['"])([^'"\n]+)\1/g;

/** Packages that a file imports, without those of Node and without the project's own files. */
function importedPackages(path: string): string[] {
  return [...read(path).matchAll(IMPORT)]
    .map((match) => match[2]!)
    .filter((specifier) => /^(@[\w.-]+\/)?[\w-][\w.-]*(\/|$)/.test(specifier) && !builtinModules.includes(specifier))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
}

const importsOf = (paths: readonly string[]) => new Set(paths.flatMap(importedPackages));
const source = files.filter((path) => /\.(ts|js)$/.test(path));
/** What a published package contains, see tsconfig.build.json. */
const isPublished = (path: string) => /^(src|namerd|examples|packaging\/bin)\//.test(path);
const published = source.filter(isPublished);
const others = source.filter((path) => !isPublished(path));

test('published files import dependencies, each of them, and nothing else', async (t) => {
  t.same([...importsOf(published)].sort(), Object.keys(manifest.dependencies).sort());
});

test('every development dependency is used, and every import is declared', async (t) => {
  const imported = importsOf(others);
  const scripts = Object.values(manifest.scripts).join(' ');
  for (const name of Object.keys(manifest.devDependencies)) {
    const { bin = {} } = JSON.parse(read(`node_modules/${name}/package.json`)) as { bin?: Record<string, string> };
    const isCalled = Object.keys(bin).some((command) => new RegExp(`(^|[ &])${command}( |$)`).test(scripts));
    t.ok(imported.has(name) || isCalled || name === '@types/node', `${name} is used`);
  }
  const declared = { ...manifest.dependencies, ...manifest.devDependencies };
  t.same(
    [...imported].filter((name) => !(name in declared)),
    [],
  );
});

test('only live/ knows the signals library', async (t) => {
  const users = source.filter((path) => importedPackages(path).includes('@preact/signals-core'));
  t.ok(users.length > 0);
  t.same(
    users.filter((path) => !/^(src|test)\/live\//.test(path)),
    [],
  );
});

test('the lockfile names no registry and pins what it installs', async (t) => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
  };
  const installed = Object.entries(lock.packages).filter(
    ([path, { link }]) => path.startsWith('node_modules/') && link !== true,
  );
  t.ok(installed.length > 50);
  for (const [path, { resolved, integrity }] of installed) {
    if (resolved !== undefined) t.fail(`${path} is taken from ${resolved}`);
    if (integrity === undefined) t.fail(`${path} has no integrity`);
  }
  for (const path of files.filter((name) => /(^|\/)\.npmrc$/.test(name))) t.notMatch(read(path), /registry/i, path);
});

test('no file knows the machine it was written on', async (t) => {
  const folders = [ROOT, homedir()].filter((folder) => folder.split('/').length > 2);
  const machine = new RegExp(
    [...folders.map(RegExp.escape), String.raw`(?<![\w.])/(home|Users|root|work)/[\w.-]+`].join('|'),
  );
  const guilty = files.filter((path) => path !== 'test/project.test.ts' && machine.test(read(path)));
  t.same(guilty, []);
});

test('each command is an executable file', async (t) => {
  t.same(Object.keys(manifest.bin).sort(), ['namerctl', 'namerd', 'signpost']);
  for (const path of [...Object.values(manifest.bin), '.ci/run', '.ci/full']) {
    t.match(read(path), /^#!\/usr\/bin\/env (node|bash)\n/, path);
    t.equal(statSync(join(ROOT, path)).mode & 0o111, 0o111, `${path} is executable`);
  }
});

test('the documents that people look for are there', async (t) => {
  for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']) {
    t.ok(files.includes(path), path);
  }
  t.match(read('LICENSE'), /Apache License\s+Version 2\.0/);
  t.match(read('README.md'), /npm ci && npm start/);
  t.match(read('README.md'), /npm ci && npm test/);
});

test('links between the documents lead somewhere', async (t) => {
  for (const path of files.filter((name) => name.endsWith('.md') && !name.startsWith('test/fixtures/'))) {
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const found = join(dirname(path), target);
      t.ok(
        files.some((name) => name === found || name.startsWith(`${found.replace(/\/$/, '')}/`)),
        `${path}: ${target}`,
      );
    }
  }
});

test('the linter refuses imports that point the wrong way', async (t) => {
  const refused: [string, string][] = [
    ...['naming', 'live', 'wire', 'metrics', 'port', 'config', 'dns', 'certs', 'files', 'control-http'].flatMap(
      (room): [string, string][] => [
        [`src/${room}`, '../router/x.ts'],
        [`src/${room}`, '../namers/x.ts'],
        [`src/${room}`, '../process/x.ts'],
      ],
    ),
    ['src/namers', '../router/x.ts'],
    ['src/interpreters', '../admin/x.ts'],
    ['src/transformers', '../router/client/x.ts'],
    ['src/router', '../namers/fs/x.ts'],
    ['src/router/client', '../../interpreters/x.ts'],
    ['src/router', '../process/x.ts'],
    ['src/telemetry', '../process/x.ts'],
    ['src/admin', '../main.ts'],
    ['src/admin', '../program/x.ts'],
    ['src/program', '../process/x.ts'],
    ['src/program', '../router/x.ts'],
    ['src/process', '../../namerd/main.ts'],
  ];
  const allowed: [string, string][] = [
    ['src/naming', '../live/x.ts'],
    ['src/namers', '../naming/x.ts'],
    ['src/router', '../wire/http1/x.ts'],
    ['src/admin', '../router/x.ts'],
    ['src/process', '../namers/x.ts'],
    ['src/process', '../program/x.ts'],
    ['namerd', '../src/naming/x.ts'],
    ['namerd', '../src/program/x.ts'],
  ];

  const folder = tempDir(t);
  writeFileSync(join(folder, 'biome.json'), read('biome.json'));
  const probes = new Map([...refused, ...allowed].map((probe, index) => [`${probe[0]}/probe${index}.ts`, probe]));
  for (const [path, [room, specifier]] of probes) {
    mkdirSync(join(folder, room), { recursive: true });
    writeFileSync(join(folder, path), `import { x } from '${specifier}';\n\nexport const y = x;\n`);
  }
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const arguments_ = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json'];
  const { stdout, status } = spawnSync(biome, arguments_, { cwd: folder, encoding: 'utf8' });
  t.not(status, 0);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const complaints = new Set(
    diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location }) => location.path),
  );
  for (const [path, probe] of probes) {
    const [room, specifier] = probe;
    t.equal(complaints.has(path), refused.includes(probe), `${room} importing ${specifier}`);
  }
});
