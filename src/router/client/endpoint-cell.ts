/**
 * What all workers know of an endpoint together: the words of its cell (port/cells.ts), each changed by single atomic
 * operations.
 */
import { elapsedMs } from '../../port/process-clock.ts';

/** Index of each word in the cell. */
export const Word = {
  /** A mark: whether failure accrual lets requests go there. */
  accrual: 0,
  /** Times in a row that it was taken out, and for how many ms the last time. */
  ejections: 1,
  lastEjectionMs: 2,
  /** What the policy counts: failures in a row, or requests. */
  counted: 3,
  /** Success rate: see success-rate.ts. */
  rate: 4,
  ratedAtMs: 5,
  /** When it began to be measured. */
  measuredSinceMs: 6,
  /** Requests of late, in five words. */
  slices: 7,
  /** A mark: whether connects failed (failFast). */
  failFast: 12,
  failedConnects: 13,
  failingSinceMs: 14,
} as const;

/**
 * A mark is a state and the time (processMs) until which it holds, in one word, so that both change at once. Times in marks are
 * exact to 4 ms.
 *
 *     OPEN -- failures --> OUT until ... -- then one request --> TRYING until ... -- success --> OPEN
 *                           ^------------------------- failure --------|
 *
 * TRYING ends too, since whoever tries may die or never be answered: then another may.
 */
export const OPEN = 0;
export const OUT = 1;
export const TRYING = 2;
const STATE_BITS = 3;

/** Times are compared by a difference of 32 bits, so none is further away than this: 12 days. */
const MAX_MARK_MS = 2 ** 30;

export function mark(state: typeof OUT | typeof TRYING, nowMs: number, forMs: number): number {
  return ((nowMs + Math.min(forMs, MAX_MARK_MS)) & ~STATE_BITS) | state;
}

export function stateOf(word: number): number {
  return word & STATE_BITS;
}

/**
 * ms until a marked endpoint may be tried; 0 when it may now, and when it is open. `atMostMs`: the longest that its mark can
 * last. What seems longer lies so far in the past that the word has wrapped round.
 */
export function waitMs(word: number, nowMs: number, atMostMs: number): number {
  if (word === OPEN) return 0;
  const ms = elapsedMs(nowMs, word & ~STATE_BITS);
  return ms > Math.min(atMostMs, MAX_MARK_MS) ? 0 : Math.max(0, ms);
}
