/**
 * Loads a config in a process that ends with it. The schema language and the YAML parser are needed once; loaded here they
 * would stay in the memory of a process that runs for months (17 MiB; on a thread of this process even 40, since what a thread
 * frees does not go back to the system). It works while this process loads what it needs itself.
 */
import { spawn } from 'node:child_process';
import { enableCompileCache } from 'node:module';
import type { Loaded } from '../config/load.ts';
import type { LinkerdConfig } from './config.ts';

/** As loadConfigFile: a file, or standard input for `-`. */
export async function loadConfigApart(path: string): Promise<Loaded<LinkerdConfig>> {
  const printed = await printedByLoader(path);
  if (printed !== null) return JSON.parse(printed) as Loaded<LinkerdConfig>;
  // No process to be had, as in a narrow sandbox: then here.
  const { loadConfigFile } = await import('./load-config.ts');
  return await loadConfigFile(path);
}

/** What the loader prints; null when it can't be started. Rejects when it fails, which a bad config is no reason for. */
function printedByLoader(path: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const loader = spawn(process.execPath, [import.meta.filename, path], { stdio: ['inherit', 'pipe', 'inherit'] });
    let printed = '';
    loader.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    loader.once('error', () => resolve(null));
    loader.once('close', (code, signal) => {
      if (code === 0) resolve(printed);
      else if (code !== null || signal !== null)
        reject(new Error(`the config could not be loaded: ${signal ?? `exit code ${code}`}`));
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  enableCompileCache();
  const { loadConfigFile } = await import('./load-config.ts');
  process.stdout.write(JSON.stringify(await loadConfigFile(process.argv[2] as string)));
}
