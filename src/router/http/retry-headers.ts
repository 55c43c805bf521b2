/** What a response says about sending its request again. */
import type { RequestHead, ResponseHead } from '../../wire/head.ts';
import { bit, Known } from '../../wire/known-headers.ts';

/**
 * Ours: the hop that sends it has tried this request as often as it may. A hop before it that tried again would multiply what
 * reaches the application, so it passes the response on. Only other hops are told.
 */
const RETRIES_EXHAUSTED = 'l5d-retries-exhausted';

/** That field, for a response of our own. */
export const RETRIES_EXHAUSTED_FIELD = [RETRIES_EXHAUSTED, 'true'] as const;

const DST_CLIENT = bit(Known.l5dDstClient);
const RETRYABLE = bit(Known.l5dRetryable);
const OTHER_L5D = bit(Known.l5dOther);

/** `l5d-retryable: true`: whoever failed vouches that the request may be sent again. */
export function isMarkedRetryable(head: ResponseHead): boolean {
  return (head.present & RETRYABLE) !== 0 && head.values(Known.l5dRetryable).includes('true');
}

/** There is no use in another try: a hop behind has made them, or the refusal is meant for good. */
export function forbidsRetry(head: ResponseHead): boolean {
  return isMarkedExhausted(head) || head.get('finagle-http-nonretryable-nack') !== undefined;
}

function isMarkedExhausted(head: ResponseHead): boolean {
  return (head.present & OTHER_L5D) !== 0 && head.get(RETRIES_EXHAUSTED) === 'true';
}

/** Whether the request was sent by another hop of the mesh, which tells where it was bound to. */
export function isFromHop(head: RequestHead): boolean {
  return (head.present & DST_CLIENT) !== 0;
}

/** Says in a failed response whether other tries were made, here (`isRetriedOut`) or behind; `toHop`: to whom it matters. */
export function markRetries(head: ResponseHead, isRetriedOut: boolean, toHop: boolean): void {
  const isMarked = isMarkedExhausted(head);
  if (isMarked && !toHop) head.remove(RETRIES_EXHAUSTED);
  else if (isRetriedOut && toHop && !isMarked) head.append(RETRIES_EXHAUSTED, 'true');
}

/** A 503 that says that nobody has acted on the request (reference/http-semantics.md section 8). */
export function isNack(head: ResponseHead): boolean {
  return head.status === 503 && (head.get('finagle-http-nack') !== undefined || head.get('retry-after') === '0');
}

/**
 * How long the server wants to be left alone, in ms from now: 0 where it does not say, or names a time that is over
 * (RFC 9110 10.2.3).
 */
export function retryAfterMs(head: ResponseHead, nowMs: number = Date.now()): number {
  const value = head.get('retry-after');
  if (value === undefined) return 0;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Every form of HTTP-date begins with the name of a day; the oldest does not say that it is GMT (RFC 9110 5.6.7).
  if (!/^[A-Z][a-z]{2,8},? /.test(value)) return 0;
  const date = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}
