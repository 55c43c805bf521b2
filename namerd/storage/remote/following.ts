/** Follows a server's changes for as long as the storage is open: begins again when that breaks off, and says once that it did. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backoff } from '../../../src/config/backoff.ts';
import type { Log } from '../../../src/port/log.ts';
import type { NamespaceTable } from '../table.ts';

/** A server that is down must not be asked in a tight circle, whatever the config says, ms. */
const MIN_WAIT_MS = 50;

export interface FollowingOptions {
  /** What is followed, for messages. */
  readonly origin: string;
  readonly table: NamespaceTable;
  readonly log: Log;
  readonly backoff: Backoff;
  /**
   * Reads all there is, calls `current`, and goes on telling the table what changes. Resolves when it has to begin anew at once;
   * rejects when the server fails.
   */
  readonly follow: (current: () => void, signal: AbortSignal) => Promise<void>;
}

export class Following {
  readonly #options: FollowingOptions;
  readonly #ending = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { follow, backoff } = this.#options;
    const { signal } = this.#ending;
    let failures = 0;
    let waitMs = 0;
    const current = (): void => {
      failures = 0;
      this.#answers();
    };
    while (!signal.aborted) {
      try {
        await follow(current, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#fails(error as Error);
        waitMs = Math.max(MIN_WAIT_MS, backoff(failures++, waitMs));
        await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  #answers(): void {
    const { table, log, origin } = this.#options;
    const { failure } = table;
    if (failure !== null) log.info({ origin, awayMs: Date.now() - failure.since }, 'the storage answers again');
    table.loaded();
  }

  #fails(error: Error): void {
    const { table, log, origin } = this.#options;
    if (table.failure === null) {
      const fields = { origin, reason: error.message };
      log.error(fields, 'the storage does not answer; what was last known is served, and nothing can be written');
    }
    table.fail(error);
  }
}
