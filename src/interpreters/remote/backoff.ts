/** Waits between attempts: each about twice the one before, and random, so that a fleet does not come back all at once. */

/** `retry:` of an interpreter, in ms. */
export interface Retry {
  readonly baseMs: number;
  readonly maxMs: number;
}

export class Backoff {
  readonly #retry: Retry;
  #attempts = 0;

  constructor(retry: Retry) {
    this.#retry = retry;
  }

  /** The attempt succeeded: the next wait is the first again. */
  reset(): void {
    this.#attempts = 0;
  }

  /** The time in ms to wait now: random in the upper half of a time that doubles with each call, up to the most. */
  next(): number {
    const { baseMs, maxMs } = this.#retry;
    const most = Math.min(maxMs, baseMs * 2 ** Math.min(this.#attempts++, 30));
    return most * (0.5 + Math.random() / 2);
  }
}
