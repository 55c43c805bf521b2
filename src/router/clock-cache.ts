/**
 * A bounded map that keeps what is used. New keys are on probation in a small share of it; what is used again there is
 * kept by the clock algorithm: the oldest goes, unless it was used since it was last looked at. A flood of new keys
 * therefore drives out only other new keys.
 *
 *     set --> [fresh: at least an eighth] --used again--> [proven]
 *                      \--> dropped                \--> second chance, or dropped
 */

import { Rounds } from './rounds.ts';

/** Why an entry went: for another one, because it was stale, or with the cache. */
export type DropCause = 'evicted' | 'stale' | 'cleared';

export interface Cached {
  /** Must not be dropped now. */
  readonly isBusy: boolean;
  /** Whether it was used since the cache last looked: set by `get`, and by whoever uses it without asking the cache. */
  used: boolean;
}

type Slots<V> = Map<string, V>;

/** Where the cache is full, fresh entries make room for fresh ones once they have this share of it. */
const FRESH_SHARE = 1 / 8;
/** Entries that a sweep looks at, of either sort. */
const SWEPT_AT_ONCE = 1000;

export class ClockCache<V extends Cached> {
  readonly capacity: number;
  readonly #fresh: Slots<V> = new Map();
  readonly #proven: Slots<V> = new Map();
  readonly #swept = [this.#fresh, this.#proven].map((slots) => ({
    slots,
    rounds: new Rounds(() => slots.entries(), SWEPT_AT_ONCE),
  }));
  readonly #onDrop: (value: V, cause: DropCause) => void;

  constructor(capacity: number, onDrop: (value: V, cause: DropCause) => void) {
    this.capacity = capacity;
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
    if (this.size >= this.capacity && !this.#evict()) return false;
    value.used = false;
    this.#fresh.set(key, value);
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

  #evict(): boolean {
    const isFlooded = this.#fresh.size >= this.capacity * FRESH_SHARE;
    return isFlooded
      ? this.#evictFrom(this.#fresh) || this.#evictFrom(this.#proven)
      : this.#evictFrom(this.#proven) || this.#evictFrom(this.#fresh);
  }

  /** At most two rounds: the first may clear all marks. */
  #evictFrom(slots: Slots<V>): boolean {
    for (let left = slots.size * 2; left > 0; left--) {
      const oldest = slots.entries().next();
      if (oldest.done) return false;
      const [key, value] = oldest.value;
      if (!value.used && !value.isBusy) {
        this.#drop(slots, key, value, 'evicted');
        return true;
      }
      slots.delete(key);
      (value.used ? this.#proven : slots).set(key, value);
      value.used = false;
    }
    return false;
  }

  #drop(slots: Slots<V>, key: string, value: V, cause: DropCause): void {
    slots.delete(key);
    this.#onDrop(value, cause);
  }
}
