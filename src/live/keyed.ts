/** Live values kept by key: who asks for the same key shares one, and a key that nobody reads any more is forgotten. */
import { Lingering } from './linger.ts';
import { derive, type Live } from './live.ts';

/** What a kept value tells about its readers. */
export interface Readership {
  /** The first reader came. */
  readonly watched: () => void;
  /** The last reader left. */
  readonly unwatched: () => void;
}

/** A value to be kept. */
export interface Kept<T> {
  readonly live: Live<T>;
  /** Stops what runs behind the value, when its readers have been gone for long enough. Must not throw. */
  readonly close?: () => void;
}

/** There are several for each name, so what they all do alike is not made for each. */
interface Entry<T> {
  readonly key: string;
  readonly live: Live<T>;
  readonly close: (() => void) | undefined;
}

export class Keyed<T> {
  readonly #lingering: Lingering<Entry<T>>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(lingerMs?: number) {
    this.#lingering = new Lingering((entry) => this.#end(entry), lingerMs);
  }

  /** The number of keys remembered, whether read or lingering. */
  get size(): number {
    return this.#entries.size;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** The value of a key that is remembered. */
  peek(key: string): Live<T> | undefined {
    return this.#entries.get(key)?.live;
  }

  /** The value of `key`, made by `make` when the key is new. */
  get(key: string, make: (readership: Readership) => Kept<T>): Live<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known.live;
    const { live, close } = make({
      watched: () => this.#onWatched(entry),
      unwatched: () => this.#lingering.add(entry),
    });
    const entry: Entry<T> = { key, live, close };
    this.#entries.set(key, entry);
    // A value that is asked for but never read must not stay for ever either.
    this.#lingering.add(entry);
    return live;
  }

  #onWatched(entry: Entry<T>): void {
    this.#lingering.delete(entry);
    // Whoever held on to a forgotten value and reads it again makes it the key's value, unless there is a new one.
    if (!this.#entries.has(entry.key)) this.#entries.set(entry.key, entry);
  }

  #end(entry: Entry<T>): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    entry.close?.();
  }

  clear(): void {
    this.#lingering.clear();
    this.#entries.clear();
  }
}

/** Derived values by key: equal questions share one answer. */
export class Derivations<T> {
  readonly #keyed: Keyed<T>;
  readonly #equals: (a: T, b: T) => boolean;

  constructor(options: { lingerMs?: number; equals?: (a: T, b: T) => boolean } = {}) {
    this.#keyed = new Keyed(options.lingerMs);
    this.#equals = options.equals ?? Object.is;
  }

  get size(): number {
    return this.#keyed.size;
  }

  /** `compute` is taken the first time a key is asked for; it must depend on nothing but the key and live values. */
  get(key: string, compute: () => T): Live<T> {
    return this.#keyed.get(key, (readership) => ({ live: derive(compute, this.#equals, readership) }));
  }

  close(): void {
    this.#keyed.clear();
  }
}
