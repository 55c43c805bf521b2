/**
 * Processes that the benchmark starts: pinned to a core, ready before they are used, and gone when it ends, however it ends.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

const READY_TIMEOUT_MS = 20_000;
const READY_POLL_MS = 10;
const STOP_TIMEOUT_MS = 3_000;
const KEPT_CHARS = 4_000;
/** Below the kernel's usual range of outgoing ports (from 32768), so that no client socket sits on a port found free. */
const FIRST_PORT = 21_000;
const LAST_PORT = 31_999;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process has ended, with its exit status (null: a signal ended it). */
  readonly ended: Promise<number | null>;
  hasEnded(): boolean;
  /** The line that tells best why it failed, of what it wrote last. */
  lastWords(): string;
  /** SIGTERM, then SIGKILL for whatever is left of the process group. */
  stop(): Promise<void>;
}

const running = new Map<number, ChildProcessByStdio<Writable, Readable, Readable>>();

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group is gone already, which is what was wanted.
  }
}

/** Kills every process that is still there. Synchronous, since it runs as the last act of this process. */
export function killAll(): void {
  for (const pid of running.keys()) killGroup(pid, 'SIGKILL');
}

/** Makes sure that no child outlives this process, except when it is itself killed by SIGKILL. */
export function killChildrenOnExit(): void {
  process.once('exit', killAll);
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(status));
  }
}

/** The first line that speaks of an error, else the last one: programs surround it with notices or with a stack. */
function gist(output: string): string {
  const lines = output.trim().split('\n');
  return (lines.find((line) => /\b\w*error\b|alert|emerg|fatal/i.test(line)) ?? lines.at(-1) ?? '').trim();
}

/**
 * Starts a program on one core (or several, as taskset(1) lists them), in a process group of its own: a Ctrl-C at the terminal
 * reaches this process alone.
 */
export function launch(name: string, core: number | string, command: Command): Child {
  const child = spawn('taskset', ['-c', String(core), command.file, ...command.args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  let stdout = '';
  let over = false;
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-KEPT_CHARS);
  });
  child.stdout.on('data', (chunk: Buffer) => {
    stdout = (stdout + chunk).slice(-KEPT_CHARS);
  });
  // A child that ends early breaks the pipe; what matters then is its exit status and stderr.
  child.stdin.on('error', () => {});
  const { pid } = child;
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      stderr += error.message;
      over = true;
      resolve(null);
    });
    child.once('close', (status) => {
      over = true;
      if (pid !== undefined) running.delete(pid);
      resolve(status);
    });
  });
  if (pid !== undefined) running.set(pid, child);
  return {
    name,
    pid: pid ?? -1,
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    hasEnded: () => over,
    lastWords: () => gist(stderr) || gist(stdout) || 'it said nothing',
    stop: async () => {
      if (pid === undefined || over) return;
      killGroup(pid, 'SIGTERM');
      await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      killGroup(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** Runs a program to its end and returns its stdout; throws with its last words when it fails. */
export async function run(name: string, core: number, command: Command): Promise<string> {
  const child = launch(name, core, command);
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  const status = await child.ended;
  if (status !== 0) throw new Error(`${name} failed (status ${status}): ${child.lastWords()}`);
  return stdout;
}

/** Status of one GET, or undefined when no whole response came. */
function statusOf(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, headers: { host }, agent: false, timeout: 2_000 }, (response) => {
      response.on('end', () => resolve(response.statusCode));
      response.on('error', () => resolve(undefined));
      response.resume();
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

/** Waits until the child answers a GET with 200; throws when it ends first or never does. */
export async function untilReady(child: Child, port: number, host: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let status: number | undefined;
  while (Date.now() < deadline) {
    if (child.hasEnded()) throw new Error(`${child.name} ended at once: ${child.lastWords()}`);
    status = await statusOf(port, host);
    if (status === 200) return;
    await delay(READY_POLL_MS);
  }
  const answer = `${status ?? 'nothing'} on port ${port} for ${READY_TIMEOUT_MS / 1000} s, expected 200`;
  throw new Error(`${child.name} answered ${answer}; its last words: ${child.lastWords()}`);
}

let nextPort = FIRST_PORT;

/** A TCP port that nothing listens on, never the same twice. */
export async function freePort(): Promise<number> {
  while (nextPort <= LAST_PORT) {
    const port = nextPort++;
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT}`);
}
