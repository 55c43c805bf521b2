/**
 * A bounded map that keeps what is used. New keys are on probation in a share of it; what is used again there is kept by the
 * clock algorithm: the oldest goes, unless it was used since it was last looked at. Of what probation had no room for the hash of
 * the key is remembered, so that a key that comes again is known to be in use. A flood of new keys therefore drives out only other
 * new keys, and holds no more than their share.
 *
 *     set --> [fresh: at most a quarter] --used again--> [proven]
 *      |             \--> dropped, its hash remembered     \--> second chance, or dropped
 *      \--a hash that is remembered----------------------> [proven]
 */

import { Rounds } from './rounds.ts';
import { hashOf } from './text-hash.ts';

/** Why an entry went: for another one, because it was stale, or with the cache. */
export type DropCause = 'evicted' | 'stale' | 'cleared';

export interface Cached {
  /** Must not be dropped now. */
  readonly isBusy: boolean;
  /** Whether it was used since the cache last looked: set by `get`, and by whoever uses it without asking the cache. */
  used: boolean;
}

type Slots<V> = Map<string, V>;

/** The share of fresh entries: of a small cache it may be all. */
const FRESH_SHARE = 1 / 4;
const FEWEST_FRESH = 100;
/** Where the cache is full, fresh entries make room for fresh ones once they have this share of it. */
const FULL_FRESH_SHARE = 1 / 8;
/** Fresh entries that are looked at to make room for one: some may be busy, or proven by now. */
const LOOKED_AT = 8;
/** Entries that a sweep looks at, of either sort. */
const SWEPT_AT_ONCE = 1000;

export class ClockCache<V extends Cached> {
  readonly capacity: number;
  readonly #maxFresh: number;
  readonly #fresh: Slots<V> = new Map();
  readonly #proven: Slots<V> = new Map();
  /** Hashes of the keys that left `#fresh` for want of room, the last ones; as many as the cache has room for. */
  readonly #remembered = new Set<number>();
  readonly #swept = [this.#fresh, this.#proven].map((slots) => ({
    slots,
    rounds: new Rounds(() => slots.entries(), SWEPT_AT_ONCE),
  }));
  readonly #onDrop: (value: V, cause: DropCause) => void;

  constructor(capacity: number, onDrop: (value: V, cause: DropCause) => void) {
    this.capacity = capacity;
    this.#maxFresh = Math.max(FEWEST_FRESH, Math.floor(capacity * FRESH_SHARE));
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#fresh.size + this.#proven.size;
  }

  get(key: string): V | undefined {
    const value = this.#proven.get(key) ?? this.#fresh.get(key);
    if (value !== undefined) value.used = true;
    return value;
  }

  /** Makes room and adds; false when everything in the cache is busy. The key must be new. */
  set(key: string, value: V): boolean {
    const isKnown = this.#remembered.delete(hashOf(key));
    if (!isKnown) this.#thinFresh();
    if (this.size >= this.capacity && !this.#evict()) return false;
    value.used = false;
    (isKnown ? this.#proven : this.#fresh).set(key, value);
    return true;
  }

  /** Takes an entry out without dropping it. */
  delete(key: string): void {
    if (!this.#proven.delete(key)) this.#fresh.delete(key);
  }

  /** Drops entries that the test names and that are not busy; where there are thousands, some now and others the next time. */
  sweep(isStale: (value: V) => boolean): void {
    for (const { slots, rounds } of this.#swept) {
      rounds.turn(([key, value]) => {
        if (!value.isBusy && isStale(value)) this.#drop(slots, key, value, 'stale');
      });
    }
  }

  clear(): void {
    for (const slots of [this.#proven, this.#fresh]) {
      for (const [key, value] of slots) this.#drop(slots, key, value, 'cleared');
    }
  }

  /** Brings the fresh entries down to what there may be, unless too many are busy. */
  #thinFresh(): void {
    for (let left = LOOKED_AT; left > 0 && this.#fresh.size >= this.#maxFresh; left--) this.#judgeOldest(this.#fresh);
  }

  #evict(): boolean {
    const isFlooded = this.#fresh.size >= this.capacity * FULL_FRESH_SHARE;
    return isFlooded
      ? this.#evictFrom(this.#fresh) || this.#evictFrom(this.#proven)
      : this.#evictFrom(this.#proven) || this.#evictFrom(this.#fresh);
  }

  /** At most two rounds: the first may clear all marks. */
  #evictFrom(slots: Slots<V>): boolean {
    for (let left = slots.size * 2; left > 0; left--) if (this.#judgeOldest(slots)) return true;
    return false;
  }

  /** The oldest goes or has another chance; true when it went. */
  #judgeOldest(slots: Slots<V>): boolean {
    const oldest = slots.entries().next();
    if (oldest.done) return false;
    const [key, value] = oldest.value;
    if (!value.used && !value.isBusy) {
      if (slots === this.#fresh) this.#remember(hashOf(key));
      this.#drop(slots, key, value, 'evicted');
      return true;
    }
    slots.delete(key);
    (value.used ? this.#proven : slots).set(key, value);
    value.used = false;
    return false;
  }

  #remember(hash: number): void {
    if (this.#remembered.size >= this.capacity)
      this.#remembered.delete(this.#remembered.values().next().value as number);
    this.#remembered.add(hash);
  }

  #drop(slots: Slots<V>, key: string, value: V, cause: DropCause): void {
    slots.delete(key);
    this.#onDrop(value, cause);
  }
}
