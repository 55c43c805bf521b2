/**
 * A bounded map that keeps what is used. When it is full the oldest entry goes, unless it was used since it was last
 * looked at: then it gets another round. A flood of new keys therefore drives out only other new keys.
 */
export interface Cached {
  /** Must not be dropped now. */
  readonly isBusy: boolean;
}

interface Slot<V> {
  readonly value: V;
  used: boolean;
}

export class ClockCache<V extends Cached> {
  readonly capacity: number;
  readonly #slots = new Map<string, Slot<V>>();
  readonly #onDrop: (value: V) => void;

  constructor(capacity: number, onDrop: (value: V) => void) {
    this.capacity = capacity;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#slots.size;
  }

  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  /** Makes room and adds; false when everything in the cache is busy. */
  set(key: string, value: V): boolean {
    if (this.#slots.size >= this.capacity && !this.#evict()) return false;
    this.#slots.set(key, { value, used: false });
    return true;
  }

  /** Takes an entry out without dropping it. */
  delete(key: string): void {
    this.#slots.delete(key);
  }

  /** Drops every entry that the test names and that is not busy. */
  sweep(isStale: (value: V) => boolean): void {
    for (const [key, { value }] of this.#slots) if (!value.isBusy && isStale(value)) this.#drop(key, value);
  }

  clear(): void {
    for (const [key, { value }] of this.#slots) this.#drop(key, value);
  }

  *values(): Iterable<V> {
    for (const { value } of this.#slots.values()) yield value;
  }

  /** At most two rounds: the first may clear all marks. */
  #evict(): boolean {
    for (let left = this.#slots.size * 2; left > 0; left--) {
      const [key, slot] = this.#slots.entries().next().value as [string, Slot<V>];
      if (!slot.used && !slot.value.isBusy) {
        this.#drop(key, slot.value);
        return true;
      }
      slot.used = false;
      this.#slots.delete(key);
      this.#slots.set(key, slot);
    }
    return false;
  }

  #drop(key: string, value: V): void {
    this.#slots.delete(key);
    this.#onDrop(value);
  }
}
