/**
 * A retry budget: how many further tries all workers together may make. It is counted over a sliding window of `ttlSecs`,
 * in whole slices, in the last words of the cell that they share:
 *
 *     tries allowed = minRetriesPerSec x ttlSecs + percentCanRetry x requests in the window - tries in the window
 *
 *     words: [ for others | slice that runs | requests of the last 5 slices | tries of the last 5 slices ]
 *
 * A slice that begins anew is emptied by whoever comes first. What another thread counts in that very moment may be lost;
 * a try is counted before it is allowed, so that two threads never both take the last one.
 */
import * as defaults from '../config/defaults.ts';
import { CELL_WORDS, type Cell } from '../port/cells.ts';
import { processMs } from '../port/process-clock.ts';

/** `budget` of service.retries, or `requeueBudget` of a client. */
export interface BudgetConfig {
  readonly ttlSecs?: number | undefined;
  readonly minRetriesPerSec?: number | undefined;
  readonly percentCanRetry?: number | undefined;
}

/** The more slices, the more evenly what was used comes back. */
const SLICES = 5;
/** Words of the cell. */
const TRIES = CELL_WORDS - SLICES;
const REQUESTS = TRIES - SLICES;
const RUNNING = REQUESTS - 1;

/** Keeps sums of fractions such as 0.1 + 0.2 from missing a whole number. */
const EPSILON = 1e-9;

export class RetryBudget {
  /** The cell, see `attach`: flat, since each request of many thousand names looks for it. */
  #words: Int32Array;
  #at: number;
  readonly #reserve: number;
  readonly #perRequest: number;
  readonly #sliceMs: number;

  constructor({ words, at }: Cell, config: BudgetConfig = {}) {
    const ttlSecs = config.ttlSecs ?? defaults.budgetTtlSecs;
    this.#words = words;
    this.#at = at;
    this.#reserve = (config.minRetriesPerSec ?? defaults.budgetMinRetriesPerSec) * ttlSecs;
    this.#perRequest = config.percentCanRetry ?? defaults.budgetPercentCanRetry;
    this.#sliceMs = (ttlSecs * 1000) / SLICES;
  }

  /** From now on it is counted in this cell: the one before may be another's. */
  attach({ words, at }: Cell): void {
    this.#words = words;
    this.#at = at;
  }

  /** A request has begun. Times are by performance.now(). */
  deposit(atMs: number): void {
    const [words, at] = [this.#words, this.#at];
    Atomics.add(words, at + REQUESTS + this.#turnTo(words, at, atMs), 1);
  }

  /** Takes one further try; false when there is none. */
  withdraw(atMs: number = performance.now()): boolean {
    const [words, at] = [this.#words, this.#at];
    const index = at + TRIES + this.#turnTo(words, at, atMs);
    Atomics.add(words, index, 1);
    if (this.#left(words, at) >= 0) return true;
    Atomics.sub(words, index, 1);
    return false;
  }

  /** Further tries that are allowed now; whole, as the gauge shows it. */
  balance(atMs: number = performance.now()): number {
    const [words, at] = [this.#words, this.#at];
    this.#turnTo(words, at, atMs);
    return Math.max(0, this.#left(words, at));
  }

  #left(words: Int32Array, at: number): number {
    let requests = 0;
    let tries = 0;
    for (let slice = 0; slice < SLICES; slice++) {
      requests += Atomics.load(words, at + REQUESTS + slice);
      tries += Atomics.load(words, at + TRIES + slice);
    }
    return Math.floor(this.#reserve + this.#perRequest * requests + EPSILON) - tries;
  }

  /** The place of the slice that runs, when those that are over have been emptied. */
  #turnTo(words: Int32Array, at: number, atMs: number): number {
    const now = Math.floor((processMs(atMs) >>> 0) / this.#sliceMs);
    const running = Atomics.load(words, at + RUNNING);
    // Another thread has looked at the clock a moment later. Far ahead is the past: the clock's word wraps round.
    if (now === running || (now < running && running - now < SLICES)) return running % SLICES;
    if (Atomics.compareExchange(words, at + RUNNING, running, now) === running) {
      const passed = now > running ? Math.min(now - running, SLICES) : SLICES;
      for (let slice = now - passed + 1; slice <= now; slice++) {
        const place = (slice + SLICES) % SLICES;
        Atomics.store(words, at + REQUESTS + place, 0);
        Atomics.store(words, at + TRIES + place, 0);
      }
    }
    return now % SLICES;
  }
}
