/** Where live values meet code that acts on them: once a tick, and without throwing into anybody else. */
import { effect } from '@preact/signals-core';
import { toError } from './activity.ts';
import type { Live } from './live.ts';

const waiting = new Set<Observer<unknown>>();
let scheduled = false;
let caught = 0;

/** Errors that callbacks or derivations have thrown at observers since the process began; a metric of the process. */
export function observerErrors(): number {
  return caught;
}

/**
 * Calls back with the value, and again after every change, at most once a tick (a turn of the event loop) with the latest
 * value. What the callback or the derivation throws is counted and given to `onError`. Returns what stops it: after that no
 * callback comes.
 */
export function observe<T>(
  live: Live<T>,
  callback: (value: T) => void,
  onError: (error: Error) => void = () => {},
): () => void {
  const observer = new Observer(live, callback, onError);
  return () => observer.stop();
}

/** There is no value, or none that is to be delivered. */
const NONE: unique symbol = Symbol('none');

class Observer<T> {
  readonly #callback: (value: T) => void;
  readonly #onError: (error: Error) => void;
  readonly #dispose: () => void;
  #latest: T | Thrown | typeof NONE = NONE;
  #delivered: T | typeof NONE = NONE;

  constructor(live: Live<T>, callback: (value: T) => void, onError: (error: Error) => void) {
    this.#callback = callback;
    this.#onError = onError;
    this.#dispose = effect(() => {
      try {
        this.#latest = live.value;
      } catch (thrown) {
        this.#latest = new Thrown(thrown);
      }
      enqueue(this as Observer<unknown>);
    });
  }

  deliver(): void {
    const now = this.#latest;
    this.#latest = NONE;
    if (now === NONE) return;
    if (now instanceof Thrown) {
      this.#delivered = NONE;
      report(now.error, this.#onError);
      return;
    }
    // A value that changed and changed back within the tick is no news.
    if (Object.is(this.#delivered, now)) return;
    this.#delivered = now;
    try {
      this.#callback(now);
    } catch (thrown) {
      report(thrown, this.#onError);
    }
  }

  stop(): void {
    this.#dispose();
    this.#latest = NONE;
    waiting.delete(this as Observer<unknown>);
  }
}

class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * The first value that satisfies `condition`; it may be the present one. Reads until then, so a source is started by it.
 * Rejects when `signal` aborts, or with what the derivation throws.
 */
export function until<T, S extends T>(
  live: Live<T>,
  condition: (value: T) => value is S,
  options?: { signal?: AbortSignal },
): Promise<S>;
export function until<T>(
  live: Live<T>,
  condition: (value: T) => boolean,
  options?: { signal?: AbortSignal },
): Promise<T>;
export function until<T>(
  live: Live<T>,
  condition: (value: T) => boolean,
  options: { signal?: AbortSignal } = {},
): Promise<T> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => finish(() => reject(signal?.reason));
    const stop = observe(
      live,
      (value) => {
        if (condition(value)) finish(() => resolve(value));
      },
      (error) => finish(() => reject(error)),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    function finish(settle: () => void): void {
      signal?.removeEventListener('abort', onAbort);
      stop();
      settle();
    }
  });
}

function enqueue(observer: Observer<unknown>): void {
  waiting.add(observer);
  if (scheduled) return;
  scheduled = true;
  setImmediate(deliverAll);
}

function deliverAll(): void {
  scheduled = false;
  const batch = [...waiting];
  waiting.clear();
  for (const observer of batch) observer.deliver();
}

function report(thrown: unknown, onError: (error: Error) => void): void {
  caught++;
  try {
    onError(toError(thrown));
  } catch {
    // Counted above; a broken error handler must not keep the other observers from their values.
  }
}
