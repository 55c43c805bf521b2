/** Live values that come from outside: a watched file, a DNS name, a long poll. They run only while somebody reads them. */
import { signal } from '@preact/signals-core';
import { type Activity, failed, hasValue, ok, pending, toError } from './activity.ts';
import type { Readership } from './keyed.ts';
import { Lingering } from './linger.ts';
import { type Live, untracked } from './live.ts';

/** `fail` and `pending` keep the last value. Calls after the source was stopped are ignored. */
export interface Publisher<T> {
  ok(value: T): void;
  fail(error: Error): void;
  pending(): void;
}

export interface SourceParts<T> {
  /** Begins to publish, and returns what stops it. Called for the first reader; what it throws becomes a failed activity. */
  readonly start: (publish: Publisher<T>) => () => void;
  /** Values that are equal are not published again. */
  readonly equals?: ((a: T, b: T) => boolean) | undefined;
}

export interface SourceOptions<T> extends SourceParts<T> {
  readonly lingerMs?: number | undefined;
}

/**
 * A source starts with its first reader and stops `lingerMs` after its last one. Its last value is kept, and is pending: a later
 * reader must not take it for what is so now.
 */
export function source<T>(options: SourceOptions<T>): Live<Activity<T>> {
  const lingering = new Lingering<() => void>((close) => close(), options.lingerMs);
  const opened = openSource(options, {
    watched: () => lingering.delete(opened.close),
    unwatched: () => lingering.add(opened.close),
  });
  return opened.live;
}

/** A source that runs until its owner closes it: the owner hears of its readers. A later reader starts it again. */
export function openSource<T>(
  parts: SourceParts<T>,
  readership: Readership,
): { readonly live: Live<Activity<T>>; readonly close: () => void } {
  const { start, equals = Object.is } = parts;
  let stop: (() => void) | undefined;
  let isRead = false;

  const state = signal<Activity<T>>(pending(), {
    watched: () => {
      isRead = true;
      readership.watched();
      stop ??= begin();
    },
    unwatched: () => {
      isRead = false;
      readership.unwatched();
    },
  });

  function begin(): () => void {
    let running = true;
    const change = (next: (last: Activity<T>) => Activity<T>): void => {
      if (running) state.value = next(state.peek());
    };
    const publish: Publisher<T> = {
      ok: (value) =>
        change((last) => {
          if (!hasValue(last) || !equals(last.value, value)) return ok(value);
          // An equal value after a failure keeps its identity, so that what is derived from it need not change.
          return last.phase === 'ok' ? last : ok(last.value);
        }),
      fail: (error) =>
        change((last) =>
          last.phase === 'failed' && last.error.message === error.message ? last : failed(error, last),
        ),
      pending: () => change((last) => (last.phase === 'pending' ? last : pending(last))),
    };
    // Untracked: what start() reads is its own business, and must not become a dependency of the reader that woke it.
    const inner = untracked(() => attempt(() => start(publish), publish.fail));
    return () => {
      running = false;
      if (inner !== undefined)
        attempt(inner, (error) => {
          state.value = failed(error, state.peek());
        });
    };
  }

  function close(): void {
    const stopping = stop;
    stop = undefined;
    if (stopping === undefined) return;
    stopping();
    if (!isRead) state.value = pending(state.peek());
  }

  return { live: state, close };
}

/** Somebody else's start or stop must never throw into a reader. */
function attempt<R>(action: () => R, onError: (error: Error) => void): R | undefined {
  try {
    return action();
  } catch (thrown) {
    onError(toError(thrown));
    return undefined;
  }
}
