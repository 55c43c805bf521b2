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

export class Keyed<T> {
  readonly #lingering: Lingering;
  readonly #entries = new Map<string, Live<T>>();

  constructor(lingerMs?: number) {
    this.#lingering = new Lingering(lingerMs);
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
    return this.#entries.get(key);
  }

  /** The value of `key`, made by `make` when the key is new. */
  get(key: string, make: (readership: Readership) => Kept<T>): Live<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const end = () => {
      if (this.#entries.get(key) === kept.live) this.#entries.delete(key);
      kept.close?.();
    };
    const kept = make({
      watched: () => {
        this.#lingering.delete(end);
        // Whoever held on to a forgotten value and reads it again makes it the key's value, unless there is a new one.
        if (!this.#entries.has(key)) this.#entries.set(key, kept.live);
      },
      unwatched: () => this.#lingering.add(end),
    });
    this.#entries.set(key, kept.live);
    // A value that is asked for but never read must not stay for ever either.
    this.#lingering.add(end);
    return kept.live;
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
