// What the three commands have in common: finding the program and a Node that can run it.
//
// In a checkout the program is TypeScript source, run as it is, whatever an older build left in dist/; a published
// package has dist/ only. `#!/usr/bin/env node` takes the first Node on the PATH, which outside of npm scripts may be an
// old one, while `npm ci` brought the right one: then that one is started. Plain JavaScript, for that old one to read.

import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR = 26;
/** EX_CONFIG of sysexits.h: this machine is not set up to run the command. */
const EXIT_UNSUITABLE = 78;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * @param {string} program path from the root, without extension, e.g. `src/main`
 */
export async function launch(program) {
  endWithNpx();
  const source = path.join(root, `${program}.ts`);
  const file = existsSync(source) ? source : path.join(root, 'dist', `${program}.js`);
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) {
    // What is compiled, and stripped of its types, is kept for the next start: of the program's first file too.
    module.enableCompileCache();
    process.argv[1] = file;
    await import(pathToFileURL(file).href);
    return;
  }
  // Of a checkout; or of the project that this package and a Node are dependencies of.
  const node = [path.join(root, 'node_modules/.bin/node'), path.join(root, '../.bin/node')].find(existsSync);
  if (node === undefined) {
    process.stderr.write(
      `signpost needs Node ${NODE_MAJOR} or later; this is ${process.version} (${process.execPath}).\n` +
        'In a checkout `npm ci` brings one. Otherwise install it from https://nodejs.org/en/download\n',
    );
    process.exitCode = EXIT_UNSUITABLE;
    return;
  }
  await runWith(node, file);
}

/**
 * @param {string} node
 * @param {string} file
 */
async function runWith(node, file) {
  // Loaded only here: namerctl starts in less time than they take.
  const [{ spawn }, { constants }] = await Promise.all([import('node:child_process'), import('node:os')]);
  const preload = new URL('end-with-parent.js', import.meta.url).href;
  const child = spawn(node, ['--import', preload, file, ...process.argv.slice(2)], {
    // The channel tells the child when this process is killed, which hands on no signal.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal, and whoever ends a whole group, has told the child too: programs take a signal that comes twice at once for one.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`);
    process.exitCode = EXIT_UNSUITABLE;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}

const LOOK_MS = 250;

/**
 * npx runs a command in a shell and passes its own signals on to that shell alone, which ends without a word to the command: this
 * process would go on with the ports. So where npx has started it, it takes the end of that shell for a SIGTERM.
 */
function endWithNpx() {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = '' } = process.env;
  // Whatever is started by another command of npx inherits these variables too.
  if (event !== 'npx' || !/\b(signpost|namerd|namerctl)\b/.test(script)) return;
  const parent = process.ppid;
  const looking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(looking);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  looking.unref();
}
