/** Sources kept by key: who asks for the same key shares one source, and a key that nobody reads is stopped and forgotten. */
import type { Activity } from './activity.ts';
import { Keyed } from './keyed.ts';
import { type Live, untracked } from './live.ts';
import { openSource, type SourceParts } from './source.ts';

export interface SourcesOptions {
  /** How long a source runs, and its key is remembered, after the last reader, ms. */
  readonly lingerMs?: number;
}

export class Sources<T> {
  readonly #create: (key: string) => SourceParts<T>;
  readonly #keyed: Keyed<Activity<T>>;
  readonly #running = new Set<() => void>();
  #closed = false;

  constructor(create: (key: string) => SourceParts<T>, options: SourcesOptions = {}) {
    this.#create = create;
    this.#keyed = new Keyed(options.lingerMs);
  }

  /** The number of keys remembered, whether read or lingering. */
  get size(): number {
    return this.#keyed.size;
  }

  /** The keys remembered, for state pages. */
  keys(): IterableIterator<string> {
    return this.#keyed.keys();
  }

  /** `create` is taken when the key is new; else what the collection was made with. */
  get(key: string, create: (key: string) => SourceParts<T> = this.#create): Live<Activity<T>> {
    return this.#keyed.get(key, (readership) => {
      const options = create(key);
      const opened = openSource(
        {
          equals: options.equals,
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
      return opened;
    });
  }

  /** What is known of a key that somebody asked for; nothing is subscribed to or started. */
  peek(key: string): Activity<T> | undefined {
    return untracked(() => this.#keyed.peek(key)?.value);
  }

  /** Stops every source now. Readers keep the last values; a source that is started afterwards fails. */
  close(): void {
    this.#closed = true;
    for (const close of [...this.#running]) close();
    this.#keyed.clear();
  }
}
