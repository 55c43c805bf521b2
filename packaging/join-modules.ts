/**
 * Joins the modules of a thread or process in dist/ into few files. Node finds, reads and links each module by itself, which
 * for the hundreds of a start is most of its time, and keeps memory for each. Run by `npm run build`.
 *
 * Only what has a thread or process to itself, or stands behind the command line, is joined, so that no module that is known
 * by identity exists twice on one thread. The single modules stay: other commands load them, and source maps lead to them.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

/** Stay by themselves: they look for files beside them, or their class is known to the module that loads the joined one. */
const APART = ['src/admin/page.js', 'src/program/version.js', 'src/program/start-error.js'];

/** Each is built alone: what several share would move to where it no longer finds the files beside it. */
const ENTRIES = [
  'src/process/signpost.js',
  'src/process/worker.js',
  'src/process/load-config.js',
  'namerd/load-config.js',
];

/** zod has a hundred modules, half of them messages in other languages, which nobody asks for. */
const JOINED_PACKAGE = 'zod';
const englishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: join(ROOT, 'node_modules', 'zod', 'v4', 'locales'),
    }));
  },
};

const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { dependencies } = manifest as { readonly dependencies: Readonly<Record<string, string>> };
const packages = Object.keys(dependencies).filter((name) => name !== JOINED_PACKAGE);

for (const entry of ENTRIES) {
  await build({
    entryPoints: [join(DIST, entry)],
    // Its own folder, chunks too: the paths of what stays apart are relative to it.
    outdir: dirname(join(DIST, entry)),
    allowOverwrite: true,
    bundle: true,
    // What is loaded only when it is wanted stays in files of its own.
    splitting: true,
    chunkNames: 'joined-[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node26',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [englishOnly],
    external: [...APART.map((path) => join(DIST, path)), ...packages],
  });
}

// Its licence goes where its code goes.
copyFileSync(join(ROOT, 'node_modules', JOINED_PACKAGE, 'LICENSE'), join(DIST, `LICENSE.${JOINED_PACKAGE}`));
