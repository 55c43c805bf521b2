/**
 * A clock that all threads of the process read alike, for times in shared memory: milliseconds in one 32-bit word. `performance.now()`
 * begins anew in each worker; this one counts as the system's monotonic clock does.
 */

const [seconds, nanoseconds] = process.hrtime();
const OFFSET_MS = seconds * 1000 + nanoseconds / 1e6 - performance.now();

/**
 * The time in ms, as a 32-bit word that wraps round every 49 days: compare two by `elapsedMs` only. `atMs`: a time by
 * `performance.now()`, for whoever has read it already.
 */
export function processMs(atMs: number = performance.now()): number {
  return Math.floor(atMs + OFFSET_MS) | 0;
}

/** Milliseconds from one time to another, negative when `to` lies before; they may be 24 days apart. */
export function elapsedMs(from: number, to: number): number {
  return (to - from) | 0;
}
