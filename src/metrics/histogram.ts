/** A histogram as the collector keeps it: counts of a range of whole octaves, which grows as values come. */
import { BUCKETS, bucketMiddle, OCTAVE_BUCKETS as WIDTH } from './buckets.ts';

export class Histogram {
  /** The first bucket that `#counts` has. */
  #first = 0;
  /** An array on the heap: made and gone with each scrape, where buffers outside of it would cost many times as much. */
  #counts: number[] = [];
  #total = 0;

  /** How many values were counted. */
  get total(): number {
    return this.#total;
  }

  /** Makes room for the octaves from `first` to `last` at once. */
  reserve(first: number, last: number): void {
    this.#reach(first * WIDTH, (last + 1) * WIDTH);
  }

  /** Adds the counts of one octave, which begin at `offset`. */
  addOctave(octave: number, counts: Float64Array, offset: number): void {
    const into = this.#reach(octave * WIDTH, (octave + 1) * WIDTH);
    for (let bucket = 0; bucket < WIDTH; bucket++) {
      const count = counts[offset + bucket] as number;
      this.#counts[into + bucket]! += count;
      this.#total += count;
    }
  }

  add(other: Histogram): void {
    this.#combine(other, 1);
  }

  /** What was added since an earlier state of the same histogram. */
  since(earlier: Histogram): Histogram {
    const difference = new Histogram();
    difference.#combine(this, 1);
    difference.#combine(earlier, -1);
    return difference;
  }

  /** The value in steps below which a share of the values lies: the value of rank ceil(share * total). */
  quantile(share: number): number {
    let rank = Math.max(1, Math.ceil(share * this.#total));
    for (let at = 0; at < this.#counts.length; at++) {
      rank -= this.#counts[at] as number;
      if (rank <= 0) return bucketMiddle(this.#first + at);
    }
    return 0;
  }

  /** The first and the last bucket that have values; null when none has. */
  range(): { readonly least: number; readonly greatest: number } | null {
    let [least, greatest] = [0, this.#counts.length - 1];
    while (greatest >= 0 && !((this.#counts[greatest] as number) > 0)) greatest--;
    if (greatest === -1) return null;
    while (!((this.#counts[least] as number) > 0)) least++;
    return { least: this.#first + least, greatest: this.#first + greatest };
  }

  /** Adds all counts to `into`, see BoundMap. */
  addToBounds(map: BoundMap, into: number[]): void {
    for (let at = 0; at < this.#counts.length; at += WIDTH) {
      map.addOctave(into, (this.#first + at) / WIDTH, this.#counts, at);
    }
  }

  #combine(other: Histogram, sign: 1 | -1): void {
    if (other.#counts.length === 0) return;
    const into = this.#reach(other.#first, other.#first + other.#counts.length);
    for (let at = 0; at < other.#counts.length; at++) this.#counts[into + at]! += sign * (other.#counts[at] as number);
    this.#total += sign * other.#total;
  }

  /** Makes room for the buckets from `first` up to `end`; where `first` is in the counts. */
  #reach(first: number, end: number): number {
    const wasEmpty = this.#counts.length === 0;
    const from = wasEmpty ? first : Math.min(first, this.#first);
    const to = wasEmpty ? end : Math.max(end, this.#first + this.#counts.length);
    if (to - from > this.#counts.length) {
      const counts = new Array<number>(to - from).fill(0);
      for (let at = 0; at < this.#counts.length; at++) counts[this.#first - from + at] = this.#counts[at] as number;
      this.#counts = counts;
      this.#first = from;
    }
    return first - this.#first;
  }
}

/**
 * Upper bounds (in a stat's unit) of coarser, cumulative buckets, and which of them each bucket belongs to: that whose
 * bound its middle does not exceed. The last stands for infinity.
 */
export class BoundMap {
  readonly bounds: readonly number[];
  readonly #slot = new Uint8Array(BUCKETS);

  constructor(bounds: readonly number[], stepsPerUnit: number) {
    this.bounds = bounds;
    let at = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      while (at < bounds.length && bucketMiddle(bucket) > (bounds[at] as number) * stepsPerUnit) at++;
      this.#slot[bucket] = at;
    }
  }

  /** Adds the counts of one octave to `into`, which has a place for each bound and one for infinity. */
  addOctave(into: number[], octave: number, counts: ArrayLike<number>, offset: number): void {
    for (let bucket = 0; bucket < WIDTH; bucket++) {
      const count = counts[offset + bucket] as number;
      // Most are 0, and this is done for every latency at every scrape.
      if (count !== 0) into[this.#slot[octave * WIDTH + bucket] as number]! += count;
    }
  }
}
