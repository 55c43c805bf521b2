/** Live values kept by key: who asks for the same key shares one, and a key that nobody reads any more is forgotten. */
import { DEFAULT_LINGER_MS } from './linger.ts';
import { derive, type Live } from './live.ts';

/** What a kept value tells about its readers. */
export interface Readership {
  /** The first reader came. */
  readonly watched: () => void;
  /** The last reader left. */
  readonly unwatched: () => void;
}

interface Entry<T> {
  live: Live<T>;
  idle: NodeJS.Timeout | undefined;
}

export class Keyed<T> {
  readonly #lingerMs: number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(lingerMs: number = DEFAULT_LINGER_MS) {
    this.#lingerMs = lingerMs;
  }

  /** The number of keys remembered, whether read or lingering. */
  get size(): number {
    return this.#entries.size;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** The value of `key`, made by `make` when the key is new. */
  get(key: string, make: (readership: Readership) => Live<T>): Live<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known.live;
    const entry: Entry<T> = {
      live: make({
        watched: () => {
          clearTimeout(entry.idle);
          // Whoever held on to a forgotten value and reads it again makes it the key's value, unless there is a new one.
          if (!this.#entries.has(key)) this.#entries.set(key, entry);
        },
        unwatched: () => this.#forgetLater(key, entry),
      }),
      idle: undefined,
    };
    this.#entries.set(key, entry);
    // A value that is asked for but never read must not stay for ever either.
    this.#forgetLater(key, entry);
    return entry.live;
  }

  clear(): void {
    for (const entry of this.#entries.values()) clearTimeout(entry.idle);
    this.#entries.clear();
  }

  #forgetLater(key: string, entry: Entry<T>): void {
    clearTimeout(entry.idle);
    entry.idle = setTimeout(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    }, this.#lingerMs);
    entry.idle.unref();
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
    return this.#keyed.get(key, (readership) => derive(compute, this.#equals, readership));
  }

  close(): void {
    this.#keyed.clear();
  }
}
