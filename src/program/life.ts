/** How every program here begins, how it comes to serve its admin server, and how it ends. */
import { setFlagsFromString } from 'node:v8';
import type { AdminConfig } from '../admin/config.ts';
import { adminUrl } from '../admin/server.ts';
import * as defaults from '../config/defaults.ts';
import type { ControlServer } from '../control-http/index.ts';
import type { Log } from '../port/log.ts';
import { ProcessLoggers } from './logging.ts';
import { ProcessMetrics } from './metrics.ts';
import type { Running, StartOptions } from './run.ts';
import { listenOrExplain } from './start-error.ts';
import { catchUncaught } from './uncaught.ts';

export interface Begun {
  readonly loggers: ProcessLoggers;
  readonly log: Log;
  readonly metrics: ProcessMetrics;
}

/**
 * How V8 lets the old part of a heap grow before it collects it: by so many percent of what was alive the last time. Left to
 * itself it waits for several times that much.
 */
export const HeapGrowth = {
  /** For a process beside others on a host, whose requests leave nothing there. For size, a step of growth is 2 MiB, not 8. */
  small: ['--heap-growing-percent=25', '--optimize-for-size'],
  /** Where much comes and goes that lives for a while: to look through a large heap takes time that an update waits for. */
  even: ['--heap-growing-percent=100'],
} as const;
type HeapGrowth = (typeof HeapGrowth)[keyof typeof HeapGrowth];

/**
 * How many times as large V8 makes the young part of a heap when a collection leaves much in it. It begins with 1 MiB, which is as
 * cheap to empty as a larger one, since what a request leaves is garbage at once, and stays in the processor's cache. V8 would let
 * it grow to 48 MiB a thread, and hardly ever give back what a moment with many new names took.
 */
const YOUNG_GROWTH_FACTOR = 1;

/** Logs what there is to warn of; from now on an error that nobody catches ends nothing, and memory is collected soon. */
export function begin(
  { logLevel, warnings }: Pick<StartOptions<unknown>, 'logLevel' | 'warnings'>,
  growth: HeapGrowth,
): Begun {
  // They hold for the threads that are started later, too.
  for (const flag of growth) setFlagsFromString(flag);
  setFlagsFromString(`--semi-space-growth-factor=${YOUNG_GROWTH_FACTOR}`);
  // On standard error, as the original's: what a command was asked for is on standard output.
  const loggers = new ProcessLoggers(logLevel);
  const log = loggers.root;
  for (const warning of warnings) log.warn({}, warning);
  catchUncaught(log);
  return { loggers, log, metrics: new ProcessMetrics() };
}

/** Resolves with its URL. */
export async function listenForAdmin(
  admin: ControlServer,
  config: AdminConfig | undefined,
  { configPath, usualPort }: { readonly configPath: string; readonly usualPort: number },
): Promise<string> {
  const { ip: host = defaults.adminIp, port = usualPort } = config ?? {};
  const listening = admin.listen(host, port);
  return adminUrl(config, await listenOrExplain(listening, { configPath, key: 'admin.port', host, port }));
}

export interface EndingOptions {
  readonly log: Log;
  readonly admin: AdminConfig | undefined;
  /** What gets time to finish, for the log. */
  readonly unfinished: string;
  readonly stop: (graceMs: number) => Promise<void>;
}

/** The end of a program, whoever asks for it: it comes once, and is said. */
export class Ending implements Running {
  readonly stopped: Promise<void>;
  readonly #options: EndingOptions;
  readonly #onStopped: () => void;
  #closing: Promise<void> | null = null;

  constructor(options: EndingOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#options = options;
    this.stopped = promise;
    this.#onStopped = resolve;
  }

  close(graceMs: number = this.#options.admin?.shutdownGraceMs ?? defaults.shutdownGraceMs): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** For the admin server: after the answer to who asked for it has been sent. */
  closeSoon(graceMs?: number): void {
    setImmediate(() => void this.close(graceMs));
  }

  async #close(graceMs: number): Promise<void> {
    const { log, unfinished, stop } = this.#options;
    log.info({ graceMs }, `stopping: ${unfinished} may finish`);
    await stop(graceMs);
    log.info({}, 'stopped');
    this.#onStopped();
  }
}
