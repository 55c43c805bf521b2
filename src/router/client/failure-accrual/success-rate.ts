/**
 * io.l5d.successRate and io.l5d.successRateWindowed: a success rate that is too low. It is a moving average over about so
 * many requests, or so much time, and is looked at when a request fails.
 */
import { defineKind, type Z } from '../../../config/kind.ts';
import { required } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import type { Cell } from '../../../port/cells.ts';
import { elapsedMs } from '../../../port/process-clock.ts';
import { Word } from '../endpoint-cell.ts';
import type { AccrualPolicy } from './policy.ts';

/** The rate is a fixed-point number in a word: 0 is none yet, 1 is 0 %, this and one more 100 %. */
const WHOLE = 2 ** 30;

/** Adds an outcome (1 or 0) to the average, which keeps the share `kept` of what it was. Returns the new rate, 0 to 1. */
function average({ words, at }: Cell, outcome: number, kept: number): number {
  const index = at + Word.rate;
  for (;;) {
    const before = Atomics.load(words, index);
    const rate = before === 0 ? outcome : outcome * (1 - kept) + ((before - 1) / WHOLE) * kept;
    if (Atomics.compareExchange(words, index, before, 1 + Math.round(rate * WHOLE)) === before) return rate;
  }
}

/** Over so many requests. */
export class SuccessRate implements AccrualPolicy {
  readonly #required: number;
  readonly #requests: number;
  readonly #kept: number;

  constructor(required: number, requests: number) {
    this.#required = required;
    this.#requests = requests;
    this.#kept = Math.exp(-1 / requests);
  }

  succeeded(cell: Cell): void {
    Atomics.add(cell.words, cell.at + Word.counted, 1);
    average(cell, 1, this.#kept);
  }

  failed(cell: Cell): boolean {
    const seen = Atomics.add(cell.words, cell.at + Word.counted, 1) + 1;
    return average(cell, 0, this.#kept) < this.#required && seen >= this.#requests;
  }

  reset({ words, at }: Cell): void {
    Atomics.store(words, at + Word.counted, 0);
    Atomics.store(words, at + Word.rate, 0);
  }
}

/** Requests that a window must have seen. 1.7.5. */
const MIN_REQUESTS = 5;
const SLICES = 5;
const SLICE_COUNT_BITS = 16;
const SLICE_COUNT_MASK = 2 ** SLICE_COUNT_BITS - 1;

/** Over so much time. */
export class SuccessRateWindowed implements AccrualPolicy {
  readonly #required: number;
  readonly #windowMs: number;

  constructor(required: number, windowMs: number) {
    this.#required = required;
    this.#windowMs = windowMs;
  }

  succeeded(cell: Cell, nowMs: () => number): void {
    this.#outcome(cell, 1, nowMs());
  }

  failed(cell: Cell, nowMs: number): boolean {
    const rate = this.#outcome(cell, 0, nowMs);
    const measuredMs = sinceMs(Atomics.load(cell.words, cell.at + Word.measuredSinceMs), nowMs);
    return rate < this.#required && measuredMs >= this.#windowMs && this.#requestsOfLate(cell, nowMs) >= MIN_REQUESTS;
  }

  reset({ words, at }: Cell, nowMs: number): void {
    Atomics.store(words, at + Word.rate, 0);
    Atomics.store(words, at + Word.ratedAtMs, nowMs);
    Atomics.store(words, at + Word.measuredSinceMs, nowMs);
    for (let i = 0; i < SLICES; i++) Atomics.store(words, at + Word.slices + i, 0);
  }

  #outcome(cell: Cell, outcome: number, nowMs: number): number {
    this.#countInSlice(cell, nowMs);
    const ratedAtMs = Atomics.exchange(cell.words, cell.at + Word.ratedAtMs, nowMs);
    return average(cell, outcome, Math.exp(-sinceMs(ratedAtMs, nowMs) / this.#windowMs));
  }

  /** A slice's word: its number, and how many requests came in it. */
  #countInSlice({ words, at }: Cell, nowMs: number): void {
    const slice = this.#sliceAt(nowMs);
    const index = at + Word.slices + (slice % SLICES);
    for (;;) {
      const before = Atomics.load(words, index);
      const count =
        before >>> SLICE_COUNT_BITS === slice ? Math.min((before & SLICE_COUNT_MASK) + 1, SLICE_COUNT_MASK) : 1;
      const after = (slice << SLICE_COUNT_BITS) | count;
      if (Atomics.compareExchange(words, index, before, after) === before) return;
    }
  }

  #requestsOfLate({ words, at }: Cell, nowMs: number): number {
    const slice = this.#sliceAt(nowMs);
    let requests = 0;
    for (let i = 0; i < SLICES; i++) {
      const word = Atomics.load(words, at + Word.slices + i);
      const age = (slice - (word >>> SLICE_COUNT_BITS)) & SLICE_COUNT_MASK;
      if (age < SLICES) requests += word & SLICE_COUNT_MASK;
    }
    return requests;
  }

  /** The number of the running fifth of a window, 16 bits of it. */
  #sliceAt(nowMs: number): number {
    return Math.floor(((nowMs >>> 0) * SLICES) / this.#windowMs) & SLICE_COUNT_MASK;
  }
}

/** Another thread may have read the clock a moment later. */
const MAX_SKEW_MS = 60_000;

/** ms since a time in the past; what seems to lie in the future is so long ago that the word has wrapped round. */
function sinceMs(fromMs: number, nowMs: number): number {
  const ms = elapsedMs(fromMs, nowMs);
  return ms < -MAX_SKEW_MS ? Number.POSITIVE_INFINITY : Math.max(0, ms);
}

const rate = (z: Z) =>
  required(scalars.num(z, { min: 0, max: 1 }), 'Share of successes, 0 to 1, below which an endpoint is taken out.');

export const successRate = defineKind({
  kind: 'io.l5d.successRate',
  thread: 'data',
  summary: 'Takes an endpoint out when its success rate over so many requests falls too low.',
  config: (z) =>
    z.strictObject({
      successRate: rate(z),
      requests: required(scalars.int(z, { min: 1 }), 'Requests over which the rate is taken.'),
    }),
  create: (config, _context: undefined): AccrualPolicy => new SuccessRate(config.successRate, config.requests),
});

export const successRateWindowed = defineKind({
  kind: 'io.l5d.successRateWindowed',
  thread: 'data',
  summary: 'Takes an endpoint out when its success rate over some time falls too low.',
  config: (z) =>
    z.strictObject({
      successRate: rate(z),
      window: required(scalars.int(z, { min: 1, max: 1_000_000 }), 'Seconds over which the rate is taken.'),
    }),
  create: (config, _context: undefined): AccrualPolicy =>
    new SuccessRateWindowed(config.successRate, config.window * 1000),
});
