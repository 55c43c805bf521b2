/** Running a config as a process: loads it, starts, and stops on SIGTERM or SIGINT. What is started is the program's matter. */
import type { Loaded } from '../config/load.ts';
import { showProblem } from '../config/problem.ts';
import type { CommandLine } from './flags.ts';
import { StartError } from './start-error.ts';

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof signalNumbers;

export interface StartOptions<Config> {
  readonly config: Config;
  /** For messages only. */
  readonly configPath: string;
  readonly warnings: readonly string[];
  /** A level name of Linkerd or pino, in any case. */
  readonly logLevel: string;
}

export interface Running {
  /** Drains and stops; `graceMs` overrides `admin.shutdownGraceMs`. */
  close(graceMs?: number): Promise<void>;
  /** Resolves when it has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

export interface Runnable<Config> {
  /** The command, for the usage line. */
  readonly name: string;
  readonly load: (path: string) => Promise<Loaded<Config>>;
  /** Loads what running takes, while the config is loaded. */
  readonly prepare: () => Promise<{ start(options: StartOptions<Config>): Promise<Running> }>;
}

/**
 * Answers an exit code when there is nothing (more) to run; while the program runs there is none, and the process ends with
 * 0 after a graceful stop.
 */
export async function run<Config>(
  { name, load, prepare }: Runnable<Config>,
  { operands, validate, logLevel, ignored }: CommandLine,
): Promise<number | undefined> {
  const [path, ...more] = operands;
  if (path === undefined || more.length > 0) {
    process.stderr.write(`usage: ${name} path/to/config\nTry "${name} --help".\n`);
    return 1;
  }
  const loading = load(path);
  if (!validate) await prepare();
  const loaded = await loading;
  if (!loaded.ok || validate) {
    const errors = loaded.ok ? [] : loaded.errors;
    for (const problem of [...errors, ...loaded.warnings]) process.stderr.write(`${showProblem(problem)}\n`);
    return loaded.ok ? 0 : 1;
  }
  const warnings = [
    ...ignored.map((flag) => `the flag ${flag} does nothing here`),
    ...loaded.warnings.map((problem) => showProblem(problem)),
  ];
  const { start } = await prepare();
  const firstSignal = listenForSignals();
  try {
    const starting = start({ config: loaded.config, configPath: path, warnings, logLevel });
    const running = await Promise.race([starting, firstSignal]);
    // What has not been started is not waited for, and has nothing to drain.
    if (running === undefined) process.exit(0);
    firstSignal.then(() => running.close()).catch(failToStop);
    // Also when the admin server asked for it.
    running.stopped.then(() => process.exit(0));
    return undefined;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/**
 * Within so many ms, signals are one: a terminal and a supervisor tell the whole group, and npm and our own launcher, which
 * belong to it, pass on what they were told. Nobody's impatience is that quick.
 */
const SAME_SIGNAL_MS = 250;

/** Resolves with the first signal; a second one ends the process at once, with the shell's code for it. */
function listenForSignals(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | null = null;
  const onSignal = (signal: StopSignal): void => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(128 + signalNumbers[signal]);
    resolve();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return promise;
}

function failToStop(error: unknown): never {
  process.stderr.write(`the shutdown failed: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
