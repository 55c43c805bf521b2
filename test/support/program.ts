/** Runs one of the project's programs as its own process, the way people do. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { reached } from './until.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  /** Resolves when the process is gone and its output read. */
  readonly exited: Promise<Exit>;
  /** The first match in what it printed on stdout so far or will print; throws when it ends or 30 s pass without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** What it has printed on stdout. */
  soFar(): string;
  /** And on stderr. */
  errorsSoFar(): string;
  kill(signal: NodeJS.Signals): void;
}

/**
 * @param file from the project's root, or absolute
 * @param env replaces the test's own environment, PATH and temporary folder excepted
 * @param input what stands on its standard input, which is empty otherwise
 */
export function runProgram(
  t: { teardown(fn: () => Promise<unknown>): void },
  file: string,
  argv: readonly string[],
  { env = {}, cwd = ROOT, input }: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string | undefined } = {},
): Program {
  const { PATH, TMPDIR, HOME } = process.env;
  const path = file.startsWith('/') ? file : join(ROOT, file);
  // tap puts its own preloads into NODE_OPTIONS of every process started from a test; `env` takes them out again.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, path, ...argv], {
    cwd,
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
    stdio: 'pipe',
  });
  // A program that reads none of it may be gone before it is written.
  child.stdin.on('error', () => {}).end(input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let gone = false;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      gone = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  t.teardown(() => {
    child.kill('SIGTERM');
    return exited;
  });
  return {
    pid: child.pid ?? 0,
    exited,
    async printed(pattern) {
      await reached(() => gone || pattern.test(stdout), { timeoutMs: 30_000 });
      const match = pattern.exec(stdout);
      if (match === null) throw new Error(`${file} never printed ${pattern}:\n${stdout}${stderr}`);
      return match;
    },
    soFar: () => stdout,
    errorsSoFar: () => stderr,
    kill: (signal) => void child.kill(signal),
  };
}
