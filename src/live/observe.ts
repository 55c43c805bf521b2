/** Where live values meet code that acts on them: once a tick, and without throwing into anybody else. */
import { effect } from '@preact/signals-core';
import { toError } from './activity.ts';
import type { Live } from './live.ts';

interface Delivery {
  run(): void;
}

const waiting = new Set<Delivery>();
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
  let latest: { value: T } | { error: unknown } | undefined;
  let delivered: { value: T } | undefined;
  const delivery: Delivery = {
    run: () => {
      const now = latest;
      latest = undefined;
      if (now === undefined) return;
      if ('error' in now) {
        delivered = undefined;
        return report(now.error, onError);
      }
      // A value that changed and changed back within the tick is no news.
      if (delivered !== undefined && Object.is(delivered.value, now.value)) return;
      delivered = now;
      try {
        callback(now.value);
      } catch (thrown) {
        report(thrown, onError);
      }
    },
  };
  const dispose = effect(() => {
    try {
      latest = { value: live.value };
    } catch (thrown) {
      latest = { error: thrown };
    }
    enqueue(delivery);
  });
  return () => {
    dispose();
    latest = undefined;
    waiting.delete(delivery);
  };
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

function enqueue(delivery: Delivery): void {
  waiting.add(delivery);
  if (scheduled) return;
  scheduled = true;
  setImmediate(deliverAll);
}

function deliverAll(): void {
  scheduled = false;
  const batch = [...waiting];
  waiting.clear();
  for (const delivery of batch) delivery.run();
}

function report(thrown: unknown, onError: (error: Error) => void): void {
  caught++;
  try {
    onError(toError(thrown));
  } catch {
    // Counted above; a broken error handler must not keep the other observers from their values.
  }
}
