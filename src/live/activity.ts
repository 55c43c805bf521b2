/**
 * What is known about a value that comes from outside: nothing yet, the value, or a failure that may still hold the last
 * value. So "the old addresses, and the backend is down" can be said.
 */
export type Activity<T> =
  | { readonly phase: 'pending'; readonly value?: T; readonly since: number }
  | { readonly phase: 'ok'; readonly value: T; readonly since: number }
  | { readonly phase: 'failed'; readonly value?: T; readonly error: Error; readonly since: number };

/** `since` is when this phase began, in ms since the epoch. */
export function ok<T>(value: T, since: number = Date.now()): Activity<T> {
  return { phase: 'ok', value, since };
}

/** `last` is the activity whose value is kept, if it had one. */
export function pending<T>(last?: Activity<T>, since: number = Date.now()): Activity<T> {
  return last !== undefined && hasValue(last)
    ? { phase: 'pending', value: last.value, since }
    : { phase: 'pending', since };
}

/** `last` is the activity whose value is kept, if it had one. */
export function failed<T>(error: Error, last?: Activity<T>, since: number = Date.now()): Activity<T> {
  return last !== undefined && hasValue(last)
    ? { phase: 'failed', error, value: last.value, since }
    : { phase: 'failed', error, since };
}

export function hasValue<T>(activity: Activity<T>): activity is Activity<T> & { readonly value: T } {
  return 'value' in activity;
}

/** A value that rests on an old one is as pending, or as failed, as that is. */
export function inheritPhase<T>(activity: Activity<T>, from: Activity<unknown> | undefined): Activity<T> {
  if (from === undefined || from.phase === 'ok' || activity.phase !== 'ok') return activity;
  return from.phase === 'failed' ? failed(from.error, activity) : pending(activity);
}

/** The next step, if there is a value to take it with. */
export function andThen<T, U>(activity: Activity<T>, step: (value: T) => Activity<U>): Activity<U> {
  if (hasValue(activity)) return inheritPhase(step(activity.value), activity);
  return withoutValue(activity);
}

/** The same state about something of which there is no value. */
export function withoutValue<T>(activity: Activity<unknown>): Activity<T> {
  const { since } = activity;
  return activity.phase === 'failed' ? { phase: 'failed', error: activity.error, since } : { phase: 'pending', since };
}

/** The same state for a reader; `since` is left out, so that an unchanged state keeps the time at which it began. */
export function sameActivity<T>(
  equals: (a: T, b: T) => boolean = Object.is,
): (a: Activity<T>, b: Activity<T>) => boolean {
  return (a, b) => {
    if (a.phase !== b.phase || hasValue(a) !== hasValue(b)) return false;
    if (a.phase === 'failed' && b.phase === 'failed' && a.error.message !== b.error.message) return false;
    return !hasValue(a) || !hasValue(b) || equals(a.value, b.value);
  };
}

/** Errors travel as `Error`s, whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
