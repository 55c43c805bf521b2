/** Sources kept by key: who asks for the same key shares one source, and a key that nobody reads is stopped and forgotten. */
import type { Activity } from './activity.ts';
import { Keyed } from './keyed.ts';
import { DEFAULT_LINGER_MS } from './linger.ts';
import type { Live } from './live.ts';
import { openSource, type SourceOptions } from './source.ts';

export interface SourcesOptions {
  /** How long a source runs, and its key is remembered, after the last reader, ms. */
  readonly lingerMs?: number;
}

/** All sources of one kind linger alike. */
export type KeyedSource<T> = Omit<SourceOptions<T>, 'lingerMs'>;

export class Sources<T> {
  readonly #create: (key: string) => KeyedSource<T>;
  readonly #lingerMs: number;
  readonly #keyed: Keyed<Activity<T>>;
  readonly #running = new Set<() => void>();
  #closed = false;

  constructor(create: (key: string) => KeyedSource<T>, options: SourcesOptions = {}) {
    this.#create = create;
    this.#lingerMs = options.lingerMs ?? DEFAULT_LINGER_MS;
    this.#keyed = new Keyed(this.#lingerMs);
  }

  /** The number of keys remembered, whether read or lingering. */
  get size(): number {
    return this.#keyed.size;
  }

  /** The keys remembered, for state pages. */
  keys(): IterableIterator<string> {
    return this.#keyed.keys();
  }

  get(key: string): Live<Activity<T>> {
    return this.#keyed.get(key, (readership) => {
      const options = this.#create(key);
      const opened = openSource(
        {
          equals: options.equals,
          lingerMs: this.#lingerMs,
          start: (publish) => {
            if (this.#closed) throw new Error('closed');
            const stop = options.start(publish);
            this.#running.add(opened.close);
            return () => {
              this.#running.delete(opened.close);
              stop();
            };
          },
        },
        readership,
      );
      return opened.live;
    });
  }

  /** Stops every source now. Readers keep the last values; a source that is started afterwards fails. */
  close(): void {
    this.#closed = true;
    for (const close of [...this.#running]) close();
    this.#keyed.clear();
  }
}
