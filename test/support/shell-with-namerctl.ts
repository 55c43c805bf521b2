/** A folder with a command `namerctl` in it, for shells that are to find it on their PATH. */
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './program.ts';
import { tempDir } from './temp-dir.ts';

/** The environment of such a shell. */
export function shellEnvironment(t: { teardown(fn: () => void): void }, baseUrl?: string): NodeJS.ProcessEnv {
  const bin = tempDir(t);
  const program = join(bin, 'namerctl');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'packaging/bin/namerctl.js')}" "$@"\n`);
  chmodSync(program, 0o755);
  const { PATH, HOME } = process.env;
  return { PATH: [bin, PATH].join(delimiter), HOME, ...(baseUrl === undefined ? {} : { NAMERCTL_BASE_URL: baseUrl }) };
}
