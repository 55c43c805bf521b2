/** What runs on for a while after its last reader, since one often comes back; and the bound on how much may. */

/** How long things run on after their last reader, ms: a reload or a flapping branch must not restart a watch. */
export const DEFAULT_LINGER_MS = 10_000;

/**
 * How many may run on at once in one collection. Names that are asked for once and never again (a flood of made-up hosts)
 * could otherwise hold memory, and file or DNS watches, for all of the time above, as fast as requests come. What has
 * readers does not count, so this has to be no larger than what a reload or a flapping branch lets go of for a moment.
 */
export const MAX_LINGERING = 1_000;

/** Ends what was added some time after it was added, or sooner when too much has come since; the oldest goes first. */
export class Lingering<T> {
  readonly #end: (item: T) => void;
  readonly #lingerMs: number;
  /** When each is to end, ms on performance.now(); in this order, as all linger alike. */
  readonly #deadlines = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;
  #trimming = false;

  /** `end` must not throw. */
  constructor(end: (item: T) => void, lingerMs: number = DEFAULT_LINGER_MS) {
    this.#end = end;
    this.#lingerMs = lingerMs;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** Adding it again begins its time anew. */
  add(item: T): void {
    this.#deadlines.delete(item);
    this.#deadlines.set(item, performance.now() + this.#lingerMs);
    this.#timer ??= this.#wakeIn(this.#lingerMs);
    if (this.#deadlines.size <= MAX_LINGERING || this.#trimming) return;
    this.#trimming = true;
    // Not here: readers leave in the midst of a derivation, where nothing else may be ended.
    queueMicrotask(() => {
      this.#trimming = false;
      this.#endOldest((now) => now > MAX_LINGERING);
    });
  }

  /** It is in use again, or has ended otherwise. */
  delete(item: T): void {
    this.#deadlines.delete(item);
  }

  /** Forgets all without ending them. */
  clear(): void {
    this.#deadlines.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #endOldest(due: (left: number, deadline: number) => boolean): void {
    for (const [item, deadline] of this.#deadlines) {
      if (!due(this.#deadlines.size, deadline)) break;
      this.#deadlines.delete(item);
      this.#end(item);
    }
  }

  #wakeIn(ms: number): NodeJS.Timeout {
    // Not held open by a timer: a process that has nothing else to do may end.
    return setTimeout(() => this.#wake(), ms).unref();
  }

  #wake(): void {
    this.#timer = undefined;
    const now = performance.now();
    this.#endOldest((_left, deadline) => deadline <= now);
    const [next] = this.#deadlines.values();
    if (next !== undefined) this.#timer ??= this.#wakeIn(Math.max(1, next - now));
  }
}
