/** Values that change, and values derived from them. This room is the only user of signals-core. */
import { computed, signal, untracked as untrackedSignals } from '@preact/signals-core';
import { type Activity, hasValue, sameActivity } from './activity.ts';

/** Reading `value` inside `derive()` or `observe()` subscribes; anywhere else it only looks. */
export interface Live<T> {
  readonly value: T;
}

export interface Variable<T> extends Live<T> {
  set(value: T): void;
}

export function constant<T>(value: T): Live<T> {
  return { value };
}

export function variable<T>(value: T, equals: (a: T, b: T) => boolean = Object.is): Variable<T> {
  const held = signal(value);
  return {
    get value(): T {
      return held.value;
    },
    set(next: T): void {
      if (!equals(held.peek(), next)) held.value = next;
    },
  };
}

/** There is no value yet. */
const NONE: unique symbol = Symbol('none');

/**
 * A value computed from other live values, again whenever one of them changes and somebody reads. `equals` stops a change
 * that makes no difference from going further: readers keep the previous object. `compute` must be pure; what it throws
 * surfaces at whoever reads.
 */
export function derive<T>(
  compute: () => T,
  equals: (a: T, b: T) => boolean = Object.is,
  readership?: { watched: () => void; unwatched: () => void },
): Live<T> {
  let previous: T | typeof NONE = NONE;
  return computed(() => {
    const next = compute();
    if (previous === NONE || !equals(previous, next)) previous = next;
    return previous;
  }, readership);
}

/**
 * Keeps the last good value while a new one is pending or failed, also where the source forgot it (a tree that was bound
 * through another branch, say). An authoritative answer, be it negative or empty, does replace it.
 */
export function stabilize<T>(live: Live<Activity<T>>, equals?: (a: T, b: T) => boolean): Live<Activity<T>> {
  const stable = stabilizer<T>();
  return derive(() => stable(live.value), sameActivity(equals));
}

/** `stabilize()` for use inside a derivation: to be called with every activity in turn. */
export function stabilizer<T>(): (now: Activity<T>) => Activity<T> {
  let lastGood: { value: T } | undefined;
  return (now) => {
    if (hasValue(now)) lastGood = { value: now.value };
    else if (lastGood !== undefined) return { ...now, value: lastGood.value };
    return now;
  };
}

/** Runs `body` without subscribing the surrounding derivation to what it reads. */
export function untracked<T>(body: () => T): T {
  return untrackedSignals(body);
}
