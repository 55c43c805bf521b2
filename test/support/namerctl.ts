/** namerctl as people run it: its own process, by the file that a shell would start. */
import { type Exit, runProgram } from './program.ts';

interface Test {
  teardown(fn: () => Promise<unknown>): void;
}

export interface NamerctlOptions {
  /** Where namerd is, for NAMERCTL_BASE_URL. */
  readonly baseUrl?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string | undefined;
}

export function startNamerctl(t: Test, args: readonly string[], options: NamerctlOptions = {}) {
  const { baseUrl, env = {}, cwd, input } = options;
  return runProgram(t, 'packaging/bin/namerctl.js', args, {
    env: { ...(baseUrl === undefined ? {} : { NAMERCTL_BASE_URL: baseUrl }), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    input,
  });
}

export async function namerctl(t: Test, args: readonly string[], options: NamerctlOptions = {}): Promise<Exit> {
  return await startNamerctl(t, args, options).exited;
}
