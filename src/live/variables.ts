/** Variables kept by key, for an owner who sets many of them and is asked about any key at all. */
import { type Signal, signal } from '@preact/signals-core';
import { Lingering } from './linger.ts';
import type { Live } from './live.ts';

interface Entry<T> {
  readonly live: Live<T>;
  readonly held: Signal<{ readonly value: T }>;
  readonly forget: () => void;
  isSet: boolean;
  isRead: boolean;
}

/** A key that was set stays until it is unset; one that was only asked about is forgotten some time after its last reader. */
export class Variables<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #unset: (key: string) => T;
  readonly #lingering: Lingering<Entry<T>>;

  /** `unset` is what a key is worth that nobody has set. */
  constructor(unset: (key: string) => T, lingerMs?: number) {
    this.#unset = unset;
    this.#lingering = new Lingering((entry) => entry.forget(), lingerMs);
  }

  /** The number of keys remembered: set, read or lingering. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Live<T> {
    return this.#entry(key).live;
  }

  set(key: string, value: T): void {
    const entry = this.#entry(key);
    entry.isSet = true;
    this.#lingering.delete(entry);
    if (!Object.is(entry.held.peek().value, value)) entry.held.value = { value };
  }

  unset(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.isSet !== true) return;
    entry.isSet = false;
    entry.held.value = { value: this.#unset(key) };
    if (!entry.isRead) this.#lingering.add(entry);
  }

  /** Tells the readers of keys that are not set that these are worth something else now. */
  refreshUnset(): void {
    for (const [key, { isSet, held }] of this.#entries) if (!isSet) held.value = { value: this.#unset(key) };
  }

  #entry(key: string): Entry<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const held = signal(
      { value: this.#unset(key) },
      {
        watched: () => {
          entry.isRead = true;
          this.#lingering.delete(entry);
        },
        unwatched: () => {
          entry.isRead = false;
          if (!entry.isSet) this.#lingering.add(entry);
        },
      },
    );
    const forget = (): void => {
      this.#entries.delete(key);
      // Whoever still holds a derivation of it has to look the key up again.
      held.value = { value: held.peek().value };
    };
    const read = (): T => this.#entry(key).held.value.value;
    const live = {
      get value(): T {
        return read();
      },
    };
    const entry: Entry<T> = { live, held, forget, isSet: false, isRead: false };
    this.#entries.set(key, entry);
    // A key that is asked about but never read must not stay for ever either.
    this.#lingering.add(entry);
    return entry;
  }
}
