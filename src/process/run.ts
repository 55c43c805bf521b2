/** `signpost CONFIG`. */
import { extname, join } from 'node:path';
import type { CommandLine } from '../program/flags.ts';
import { loadConfigApart } from '../program/load-config-apart.ts';
import { run } from '../program/run.ts';
import type { LinkerdConfig } from './config.ts';

const LOADER = join(import.meta.dirname, `load-config${extname(import.meta.filename)}`);

/** The exit code, or none while Signpost runs. */
export async function runSignpost(commandLine: CommandLine): Promise<number | undefined> {
  return await run<LinkerdConfig>(
    {
      name: 'signpost',
      load: (path) => loadConfigApart(LOADER, path),
      prepare: async () => ({ start: (await import('./signpost.ts')).startSignpost }),
    },
    commandLine,
  );
}
