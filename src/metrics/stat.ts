/** Distributions of values, as the thread that records them has them. */
import { bucketOf, MAX_STEPS, OCTAVE_BUCKETS, OCTAVES } from './buckets.ts';
import { STAT_COUNT, STAT_EXTREMES, STAT_OCTAVES, STAT_SUM, STAT_WINDOWS } from './layout.ts';
import type { SlabPool } from './slab-pool.ts';

/** Where a stat's slot is. */
export interface StatPlace {
  readonly floats: Float64Array;
  readonly ints: Int32Array;
  /** The slot's first double. */
  readonly base: number;
}

/** What all stats of a thread share. */
export interface StatCommons {
  readonly octaves: SlabPool;
  /** The word that has the number of the running window. */
  readonly window: Int32Array;
  readonly windowIndex: number;
}

/** Gives a stat its slot when the first value comes. */
export interface StatSource {
  readonly statCommons: StatCommons;
  /** Null: what is recorded is lost. */
  statPlace(name: string, stepsPerUnit: number): StatPlace | null;
}

const NO_INTS = new Int32Array(0);
const NO_FLOATS = new Float64Array(0);

/** What `#base` says of a stat that has no slot. */
const NOT_YET = -1;
const NEVER = -2;

/**
 * A distribution: percentiles, count, sum, least and greatest value. It takes no slot and has no name until it has a value. Flat,
 * since a request for one of many names finds nothing of it in the processor's caches.
 */
export class Stat {
  readonly #commons: StatCommons;
  readonly #stepsPerUnit: number;
  #floats: Float64Array = NO_FLOATS;
  #ints: Int32Array = NO_INTS;
  #base: number = NOT_YET;
  /** The octave that was counted in last, since most values of a stat fall into one or two: -1 for none, and where it is. */
  #octave = -1;
  #counts: Float64Array = NO_FLOATS;
  #countsBase = 0;
  readonly #source: StatSource;
  readonly #name: string;
  /** The one that its source made before. */
  readonly previous: Stat | null;

  constructor(source: StatSource, name: string, stepsPerUnit: number, previous: Stat | null) {
    this.#commons = source.statCommons;
    this.#stepsPerUnit = stepsPerUnit;
    this.#source = source;
    this.#name = name;
    this.previous = previous;
  }

  /** Records a value in the stat's unit (such as ms, with fractions), once or several times. Negative ones and NaN count as 0. */
  record(value: number, times = 1): void {
    if (this.#base < 0 && !this.#settle()) return;
    const base = this.#base;
    const amount = value > 0 ? value : 0;
    const floats = this.#floats;
    const scaled = amount * this.#stepsPerUnit;
    const bucket = bucketOf(scaled < MAX_STEPS ? scaled | 0 : MAX_STEPS);
    if (bucket >>> 5 !== this.#octave) this.#turnTo(bucket >>> 5);
    this.#counts[this.#countsBase + (bucket & (OCTAVE_BUCKETS - 1))]! += times;
    floats[base + STAT_SUM]! += amount * times;
    this.#extend(amount);
    // Last: whoever reads a count that has not changed has nothing else to read again.
    floats[base + STAT_COUNT]! += times;
  }

  /** Leaves its slot, which may soon be another's. What is recorded from now on is lost. */
  retire(): void {
    this.#floats = NO_FLOATS;
    this.#ints = NO_INTS;
    this.#base = NEVER;
    this.#octave = -1;
    this.#counts = NO_FLOATS;
  }

  /** Takes a slot for the first value; false when there is none. */
  #settle(): boolean {
    if (this.#base === NEVER) return false;
    const place = this.#source.statPlace(this.#name, this.#stepsPerUnit);
    if (place === null) {
      this.#base = NEVER;
      return false;
    }
    this.#floats = place.floats;
    this.#ints = place.ints;
    this.#base = place.base;
    return true;
  }

  #extend(amount: number): void {
    const { window, windowIndex } = this.#commons;
    const [floats, ints, base] = [this.#floats, this.#ints, this.#base];
    const now = window[windowIndex] as number;
    const parity = now & 1;
    const min = base + STAT_EXTREMES + 2 * parity;
    const tag = base * 2 + STAT_WINDOWS + parity;
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
  #turnTo(octave: number): void {
    const { octaves } = this.#commons;
    const ints = this.#ints;
    const entry = this.#base * 2 + STAT_OCTAVES + octave;
    if (ints[entry] === 0) ints[entry] = octaves.take() + 1;
    const slot = (ints[entry] as number) - 1;
    this.#octave = octave;
    this.#counts = octaves.slabOf(slot).floats;
    this.#countsBase = octaves.placeOf(slot) * OCTAVE_BUCKETS;
  }
}

/** The slots of the octaves that were taken at a place. */
export function octavesAt({ ints, base }: StatPlace): number[] {
  const table = base * 2 + STAT_OCTAVES;
  return Array.from(ints.subarray(table, table + OCTAVES), (entry) => entry - 1).filter((slot) => slot >= 0);
}

/** A stat whose values are mostly 0. Those are counted first and recorded by `settle`: there may be one for each of many names. */
export class MostlyZeroStat {
  readonly #stat: Stat;
  #zeros = 0;

  constructor(stat: Stat) {
    this.#stat = stat;
  }

  record(value: number): void {
    if (value === 0) this.#zeros++;
    else this.#stat.record(value);
  }

  /** To be called every now and then, and in the end. */
  settle(): void {
    if (this.#zeros === 0) return;
    this.#stat.record(0, this.#zeros);
    this.#zeros = 0;
  }
}
