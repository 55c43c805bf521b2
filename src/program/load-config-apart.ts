/**
 * Loads a config in a process that ends with it. The schema language and the YAML parser are needed once; loaded here they
 * would stay in the memory of a process that runs for months (17 MiB; on a thread of this process even 40, since what a thread
 * frees does not go back to the system). It works while this process loads what it needs itself.
 */
import { spawn } from 'node:child_process';
import { enableCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Loaded } from '../config/load.ts';

/** What a program's own module for loading its config exports. */
interface ConfigLoader<Config> {
  readonly loadConfigFile: (path: string) => Promise<Loaded<Config>>;
}

/** As the loader's `loadConfigFile`: a file, or standard input for `-`. `loader` is the file of a ConfigLoader. */
export async function loadConfigApart<Config>(loader: string, path: string): Promise<Loaded<Config>> {
  const printed = await printedByLoader(loader, path);
  if (printed !== null) return JSON.parse(printed) as Loaded<Config>;
  // No process to be had, as in a narrow sandbox: then here.
  return await loadHere<Config>(loader, path);
}

async function loadHere<Config>(loader: string, path: string): Promise<Loaded<Config>> {
  const { loadConfigFile } = (await import(pathToFileURL(loader).href)) as ConfigLoader<Config>;
  return await loadConfigFile(path);
}

/** What the process prints; null when it can't be started. Rejects when it fails, which a bad config is no reason for. */
function printedByLoader(loader: string, path: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [import.meta.filename, loader, path], {
      stdio: ['inherit', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.once('error', () => resolve(null));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(printed);
      else if (code !== null || signal !== null)
        reject(new Error(`the config could not be loaded: ${signal ?? `exit code ${code}`}`));
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  enableCompileCache();
  const [, , loader, path] = process.argv;
  // Who asked has been ended meanwhile, and nobody waits for the answer.
  process.stdout.on('error', () => process.exit(1));
  process.stdout.write(JSON.stringify(await loadHere(loader as string, path as string)));
}
