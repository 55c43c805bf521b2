// What `npm pack` makes, installed in an empty folder: it must run without the sources.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Test, test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { ROOT, runProgram } from '../support/program.ts';
import { projectFiles } from '../support/project-files.ts';
import { tempDir, tempFile } from '../support/temp-dir.ts';

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function run(cwd: string, command: string, ...argv: string[]): void {
  // Without tap's preloads, which the compiler does not bear.
  const { status, stdout, stderr } = spawnSync('env', ['-u', 'NODE_OPTIONS', command, ...argv], {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
}

/**
 * Packs a copy of the project, so that the build leaves nothing in this checkout, and unpacks it where npm would install
 * it, beside links to its dependencies.
 */
function packAndInstall(t: Test): string {
  const project = join(tempDir(t), 'project');
  for (const path of projectFiles()) {
    mkdirSync(join(project, dirname(path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(project, path));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  run(project, 'npm', 'pack', '--silent');
  const [tarball = 'none'] = readdirSync(project).filter((name) => name.endsWith('.tgz'));

  const installed = join(tempDir(t), 'node_modules/signpost');
  mkdirSync(installed, { recursive: true });
  run(installed, 'tar', '-xzf', join(project, tarball), '--strip-components=1');
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  for (const name of Object.keys(dependencies)) {
    const link = join(installed, '..', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
  return installed;
}

test('the package', async (t) => {
  const installed = packAndInstall(t);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const manifest: Manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const command = (name: string) => join(installed, manifest.bin[name] ?? 'none');

  t.test('contains what runs, and nothing else', async (t) => {
    for (const path of [
      'dist/src/main.js',
      'dist/namerd/main.js',
      'dist/namerd/ctl/main.js',
      'dist/src/admin/ui/style.css',
      'README.md',
      'LICENSE',
    ]) {
      t.ok(files.includes(path), path);
    }
    t.same(
      files.filter((path) => /\.ts$|(^|\/)(test|bench|node_modules|\.ci)(\/|$)/.test(path)),
      [],
    );
  });

  t.test('does not carry a Node', async (t) => {
    const all = { ...manifest.dependencies, ...manifest.optionalDependencies };
    t.same(
      Object.keys(all).filter((name) => /^node(-|$)/.test(name)),
      [],
    );
  });

  t.test('runs its commands from dist/', async (t) => {
    const version = await runProgram(t, command('signpost'), ['--version']).exited;
    t.match(version, { code: 0, stdout: `${manifest.version}\n` });
    const config = join(ROOT, 'examples/http-proxy.yaml');
    t.match(await runProgram(t, command('signpost'), ['check', config]).exited, { code: 0, stdout: /ok/ });
    t.match(await runProgram(t, command('namerd'), ['--version']).exited, { code: 0, stdout: `${manifest.version}\n` });
    const routes = tempFile(t, 'routes.dtab', '/svc => /#/io.l5d.fs');
    t.match(await runProgram(t, command('namerctl'), ['dtab', 'check', routes]).exited, {
      code: 0,
      stdout: `${routes}: ok\n`,
    });
  });

  t.test('runs the demo from dist/', async (t) => {
    const variables = ['OUTGOING', 'INCOMING', 'ADMIN', 'NAMERD', 'MESH', 'NAMERD_ADMIN'];
    const ports = await freePorts(variables.length);
    const env = Object.fromEntries(variables.map((name, i) => [`DEMO_${name}_PORT`, `${ports[i]}`]));
    const demo = runProgram(t, command('signpost'), ['demo'], { cwd: tempDir(t), env });
    await demo.printed(/^Ctrl-C ends all of it\.$/m);
    const { body } = await httpRequest('http://hello', { proxyPort: ports[0] ?? 0 });
    t.equal(body, 'Hello world-v1!!');
    demo.kill('SIGTERM');
    t.match(await demo.exited, { code: 0, signal: null });
  });
});
