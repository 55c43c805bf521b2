/** For tests: waiting for a condition, without a duration that the outcome depends on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Live, observe } from '../../src/live/index.ts';

const GENEROUS_MS = 20_000;

/** Resolves with the first result that is neither undefined nor false; rejects when there is none in 20 s. */
export async function eventually<T>(probe: () => T | undefined | false, what = 'the condition'): Promise<T> {
  const end = performance.now() + GENEROUS_MS;
  for (;;) {
    const result = probe();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await sleep(2);
  }
}

/** A reader of a live value that remembers all it saw. */
export class Watcher<T> {
  readonly seen: T[] = [];
  readonly stop: () => void;

  constructor(live: Live<T>) {
    this.stop = observe(live, (value) => this.seen.push(value));
  }

  get last(): T | undefined {
    return this.seen.at(-1);
  }

  /** Resolves with the latest value as soon as that satisfies the condition. */
  until(condition: (value: T) => boolean, what?: string): Promise<T> {
    return eventually(
      () => {
        const last = this.last;
        return last !== undefined && condition(last) ? last : undefined;
      },
      what ?? `a value with ${condition}; last ${JSON.stringify(this.last)}`,
    );
  }
}
