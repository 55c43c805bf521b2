/**
 * How V8 keeps the heaps of a process beside others on a host. Left to itself it lets the old part of a heap grow to several times
 * of what is alive before it looks, and the young part to 48 MiB a thread, and hardly gives back what a moment with many new
 * names took.
 *
 * A young part is emptied at little cost when nearly all in it is garbage, as what a request leaves is; then a small one is as
 * cheap as a large one. It must hold what is in flight, though: what outlives two collections moves to the old part, where to
 * find that it is garbage costs much more: with 1,000 requests in flight on one thread, 1 MiB cost half as much CPU again as 4 MiB
 * (`npm run bench -- --cases connections` shows what the sizes here cost).
 */

/** Flags that V8 takes while it runs: for the heaps that there are, and those of threads that are started later. */
export type HeapPolicy = readonly string[];

const YOUNG_STAYS = '--semi-space-growth-factor=1';
const OLD_BY_A_QUARTER = '--heap-growing-percent=25';
/** In steps of 2 MiB, not 8. */
const OLD_IN_SMALL_STEPS = '--optimize-for-size';

/** Requests are carried by workers. The main thread's young part stays at the 1 MiB that it begins with, theirs have 4. */
export const heapsWithWorkers: HeapPolicy = [
  OLD_BY_A_QUARTER,
  OLD_IN_SMALL_STEPS,
  YOUNG_STAYS,
  '--min-semi-space-size=4',
];

/** The main thread carries them: its young part may grow as V8 likes. */
export const heapOfOneThread: HeapPolicy = [OLD_BY_A_QUARTER];

/**
 * Nothing here is in flight for long, but much is kept by those who are connected, and comes and goes with their updates: to look
 * through all of it takes time that an update waits for, so that it is done less often.
 */
export const heapOfNamerd: HeapPolicy = ['--heap-growing-percent=100', YOUNG_STAYS];
