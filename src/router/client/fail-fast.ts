/**
 * `failFast`: an endpoint that can't be connected to is left alone, and connects are tried in the background, further and
 * further apart, until one is through. One worker tries for all; the state is in the endpoint's cell.
 */

import { type Backoff, equalJitter } from '../../config/backoff.ts';
import * as defaults from '../../config/defaults.ts';
import type { Cell } from '../../port/cells.ts';
import { elapsedMs } from '../../port/process-clock.ts';
import { mark, OPEN, OUT, stateOf, TRYING, Word, waitMs } from './endpoint-cell.ts';
import type { FailFastMetrics } from './metrics.ts';

/** Beyond the connect timeout, and beyond what a blocked thread takes: a worker that tries and dies is then replaced. */
const MAX_TRY_MS = 30_000;

export class FailFast {
  readonly #backoff: Backoff;
  readonly #metrics: FailFastMetrics;
  /** All workers are to look again which endpoints requests may go to. */
  readonly #changed: () => void;

  constructor(metrics: FailFastMetrics, random: () => number, changed: () => void) {
    this.#backoff = equalJitter(defaults.failFastBackoffMs, defaults.failFastMaxBackoffMs, random);
    this.#metrics = metrics;
    this.#changed = changed;
  }

  /** ms until the endpoint may be connected to; 0 when it may now. */
  waitMs({ words, at }: Cell, nowMs: number): number {
    const word = Atomics.load(words, at + Word.failFast);
    return waitMs(word, nowMs, Math.max(MAX_TRY_MS, defaults.failFastMaxBackoffMs));
  }

  isMarked({ words, at }: Cell): boolean {
    return Atomics.load(words, at + Word.failFast) !== OPEN;
  }

  /** Claims the next try for this worker; false when it is not time, or another has it. */
  claims({ words, at }: Cell, nowMs: number): boolean {
    const word = Atomics.load(words, at + Word.failFast);
    if (word === OPEN || this.waitMs({ words, at }, nowMs) > 0) return false;
    const trying = mark(TRYING, nowMs, MAX_TRY_MS);
    return Atomics.compareExchange(words, at + Word.failFast, word, trying) === word;
  }

  connected({ words, at }: Cell): void {
    if (Atomics.load(words, at + Word.failFast) === OPEN) return;
    if (Atomics.exchange(words, at + Word.failFast, OPEN) === OPEN) return;
    this.#metrics.markedAvailable.increment();
    this.#changed();
  }

  connectFailed({ words, at }: Cell, nowMs: number): void {
    const word = Atomics.load(words, at + Word.failFast);
    // Connects that were under way when it was marked say nothing new.
    if (stateOf(word) === OUT && this.waitMs({ words, at }, nowMs) > 0) return;
    const tries = word === OPEN ? 0 : Atomics.load(words, at + Word.failedConnects);
    const out = mark(OUT, nowMs, this.#backoff(tries, 0));
    if (Atomics.compareExchange(words, at + Word.failFast, word, out) !== word) return;
    Atomics.store(words, at + Word.failedConnects, tries + 1);
    if (word === OPEN) {
      Atomics.store(words, at + Word.failingSinceMs, nowMs);
      this.#metrics.markedDead.increment();
    }
    this.#changed();
  }

  /** For how long connects have failed in ms, and how often; null when they don't. */
  unhealthy({ words, at }: Cell, nowMs: number): { readonly ms: number; readonly tries: number } | null {
    if (Atomics.load(words, at + Word.failFast) === OPEN) return null;
    const ms = Math.max(0, elapsedMs(Atomics.load(words, at + Word.failingSinceMs), nowMs));
    return { ms, tries: Atomics.load(words, at + Word.failedConnects) };
  }
}
