/** Distributions of values, as the thread that records them has them. */
import { bucketOf, MAX_STEPS, OCTAVE_BUCKETS, OCTAVES } from './buckets.ts';
import { STAT_COUNT, STAT_EXTREMES, STAT_OCTAVES, STAT_SUM, STAT_WINDOWS } from './layout.ts';
import type { SlabPool } from './slab-pool.ts';

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

/** Gives a stat its slot when the first value comes. */
export interface StatSource {
  statSlot(name: string, stepsPerUnit: number): StatSlot;
}

/** A distribution: percentiles, count, sum, least and greatest value. It takes no memory and has no name until it has a value. */
export class Stat {
  readonly #source: StatSource;
  readonly #name: string;
  readonly #stepsPerUnit: number;
  #slot: StatSlot | null = null;

  constructor(source: StatSource, name: string, stepsPerUnit: number) {
    this.#source = source;
    this.#name = name;
    this.#stepsPerUnit = stepsPerUnit;
  }

  /** Records a value in the stat's unit (such as ms, with fractions). Negative ones and NaN count as 0. */
  record(value: number): void {
    this.#slot ??= this.#source.statSlot(this.#name, this.#stepsPerUnit);
    this.#slot.record(value);
  }
}

const NO_COUNTS = new Float64Array(OCTAVE_BUCKETS);

/** A stat's place in the slabs. */
export class StatSlot {
  #place: StatPlace | null;
  /** The octave that was counted in last, since most values of a stat fall into one or two: -1 for none, and where it is. */
  #octave = -1;
  #counts: Float64Array = NO_COUNTS;
  #base = 0;

  /** Null: what is recorded is lost. */
  constructor(place: StatPlace | null) {
    this.#place = place;
  }

  record(value: number): void {
    const place = this.#place;
    if (place === null) return;
    const amount = value > 0 ? value : 0;
    const { floats, index } = place;
    const scaled = amount * place.stepsPerUnit;
    const bucket = bucketOf(scaled < MAX_STEPS ? scaled | 0 : MAX_STEPS);
    if (bucket >>> 5 !== this.#octave) this.#turnTo(place, bucket >>> 5);
    this.#counts[this.#base + (bucket & (OCTAVE_BUCKETS - 1))]! += 1;
    floats[index + STAT_SUM]! += amount;
    this.#extend(place, amount);
    // Last: whoever reads a count that has not changed has nothing else to read again.
    floats[index + STAT_COUNT]! += 1;
  }

  /** Leaves its slots to others: those of the octaves that it has taken. It takes no more. */
  retire(): number[] {
    const place = this.#place;
    this.#place = null;
    this.#octave = -1;
    this.#counts = NO_COUNTS;
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
