/** How every program here begins, how it comes to serve its admin server, and how it ends. */
import { setFlagsFromString } from 'node:v8';
import type { AdminConfig } from '../admin/config.ts';
import { adminUrl } from '../admin/server.ts';
import * as defaults from '../config/defaults.ts';
import type { ControlServer } from '../control-http/index.ts';
import type { Log } from '../port/log.ts';
import type { HeapPolicy } from './heaps.ts';
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

/** Logs what there is to warn of; from now on an error that nobody catches ends nothing, and memory is collected soon. */
export function begin(
  { logLevel, warnings }: Pick<StartOptions<unknown>, 'logLevel' | 'warnings'>,
  heaps: HeapPolicy,
): Begun {
  for (const flag of heaps) setFlagsFromString(flag);
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
