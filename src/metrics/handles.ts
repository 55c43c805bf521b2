/**
 * What is counted with: handles into slabs that only this thread writes. A handle is taken once, when a server, service
 * or client is made; to count is to add to an element of a typed array. A handle that outlives its metric (a request may
 * outlive its client) counts into the void.
 */
import { bucketOf, MAX_STEPS, OCTAVE_BUCKETS, OCTAVES } from './buckets.ts';
import { STAT_COUNT, STAT_EXTREMES, STAT_OCTAVES, STAT_SUM, STAT_WINDOWS } from './layout.ts';
import type { SlabPool } from './slab-pool.ts';

const VOID = new Float64Array(1);

class Cell {
  protected floats: Float64Array = VOID;
  protected index = 0;

  /** Null: what is counted is lost. */
  constructor(place: { readonly floats: Float64Array; readonly index: number } | null) {
    if (place === null) return;
    this.floats = place.floats;
    this.index = place.index;
  }

  get value(): number {
    return this.floats[this.index] as number;
  }

  /** Leaves the slot to others. */
  retire(): undefined {
    this.floats = VOID;
    this.index = 0;
  }
}

/** A whole number that only grows. */
export class Counter extends Cell {
  increment(): void {
    this.floats[this.index]! += 1;
  }

  add(amount: number): void {
    this.floats[this.index]! += amount;
  }
}

/** A number that goes up and down. */
export class Gauge extends Cell {
  set(value: number): void {
    this.floats[this.index] = value;
  }

  increment(): void {
    this.floats[this.index]! += 1;
  }

  decrement(): void {
    this.floats[this.index]! -= 1;
  }

  add(amount: number): void {
    this.floats[this.index]! += amount;
  }
}

/** Where a stat's slot is, and what else recording takes. */
export interface StatPlace {
  readonly floats: Float64Array;
  readonly ints: Int32Array;
  /** The slot's first double. */
  readonly index: number;
  readonly octaves: SlabPool;
  /** The word that has the number of the running window. */
  readonly window: Int32Array;
  readonly windowIndex: number;
  readonly stepsPerUnit: number;
}

/** A distribution: percentiles, count, sum, least and greatest value. */
export class Stat {
  #place: StatPlace | null;
  /** The octave that was counted in last, since most values of a stat fall into one or two: -1 for none, and where it is. */
  #octave = -1;
  #counts: Float64Array = VOID;
  #base = 0;

  /** Null: what is recorded is lost. */
  constructor(place: StatPlace | null) {
    this.#place = place;
  }

  /** Records a value in the stat's unit (such as ms, with fractions). Negative ones and NaN count as 0. */
  record(value: number): void {
    const place = this.#place;
    if (place === null) return;
    const amount = value > 0 ? value : 0;
    const { floats, index } = place;
    const scaled = amount * place.stepsPerUnit;
    const bucket = bucketOf(scaled < MAX_STEPS ? scaled | 0 : MAX_STEPS);
    if (bucket >>> 5 !== this.#octave) this.#turnTo(place, bucket >>> 5);
    this.#counts[this.#base + (bucket & (OCTAVE_BUCKETS - 1))]! += 1;
    floats[index + STAT_COUNT]! += 1;
    floats[index + STAT_SUM]! += amount;
    this.#extend(place, amount);
  }

  /** The slots of the octaves that it has taken; it takes no more. */
  retire(): number[] {
    const place = this.#place;
    this.#place = null;
    this.#octave = -1;
    this.#counts = VOID;
    if (place === null) return [];
    const table = place.index * 2 + STAT_OCTAVES;
    return Array.from(place.ints.subarray(table, table + OCTAVES), (entry) => entry - 1).filter((slot) => slot >= 0);
  }

  #extend({ floats, ints, index, window, windowIndex }: StatPlace, amount: number): void {
    const now = window[windowIndex] as number;
    const parity = now & 1;
    const min = index + STAT_EXTREMES + 2 * parity;
    const tag = index * 2 + STAT_WINDOWS + parity;
    if (ints[tag] !== now) {
      ints[tag] = now;
      floats[min] = amount;
      floats[min + 1] = amount;
      return;
    }
    if (amount < (floats[min] as number)) floats[min] = amount;
    if (amount > (floats[min + 1] as number)) floats[min + 1] = amount;
  }

  /** Finds an octave's counts, or takes a slot for them. */
  #turnTo({ ints, index, octaves }: StatPlace, octave: number): void {
    const entry = index * 2 + STAT_OCTAVES + octave;
    if (ints[entry] === 0) ints[entry] = octaves.take() + 1;
    const slot = (ints[entry] as number) - 1;
    this.#octave = octave;
    this.#counts = octaves.slabOf(slot).floats;
    this.#base = octaves.placeOf(slot) * OCTAVE_BUCKETS;
  }
}
