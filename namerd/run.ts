/** `namerd CONFIG`. */
import { extname, join } from 'node:path';
import type { CommandLine } from '../src/program/flags.ts';
import { loadConfigApart } from '../src/program/load-config-apart.ts';
import { run } from '../src/program/run.ts';
import type { NamerdConfig } from './config.ts';

const LOADER = join(import.meta.dirname, `load-config${extname(import.meta.filename)}`);

/** The exit code, or none while namerd runs. */
export async function runNamerd(commandLine: CommandLine): Promise<number | undefined> {
  return await run<NamerdConfig>(
    {
      name: 'namerd',
      load: (path) => loadConfigApart(LOADER, path),
      prepare: async () => ({ start: (await import('./namerd.ts')).startNamerd }),
    },
    commandLine,
  );
}
