/** `signpost CONFIG`: loads the config, starts, and stops on SIGTERM or SIGINT. */
import { showProblem } from '../config/problem.ts';
import type { CommandLine } from './flags.ts';
import { loadConfigApart } from './load-config-apart.ts';

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof signalNumbers;

/**
 * Runs a config. Answers an exit code when there is nothing (more) to run; while Signpost runs there is none, and the
 * process ends with 0 after a graceful stop.
 */
export async function run({ operands, validate, logLevel, ignored }: CommandLine): Promise<number | undefined> {
  const [path, ...more] = operands;
  if (path === undefined || more.length > 0) {
    process.stderr.write('usage: signpost path/to/config\nTry "signpost --help".\n');
    return 1;
  }
  const loading = loadConfigApart(path);
  // What running needs is loaded meanwhile.
  if (!validate) await import('./signpost.ts');
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
  const { startSignpost, StartError } = await import('./signpost.ts');
  // A signal during the start counts: it stops what has just been started.
  const firstSignal = listenForSignals();
  try {
    const running = await startSignpost({ config: loaded.config, configPath: path, warnings, logLevel });
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

/** Resolves with the first signal; a second one ends the process at once, with the shell's code for it. */
function listenForSignals(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  const onSignal = (signal: StopSignal): void => {
    if (++signals > 1) process.exit(128 + signalNumbers[signal]);
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
