/** What is allowed to the process, divided among the threads that carry its requests. */

/** One of these threads: the how-manieth, from 0, of how many. */
export interface WorkerPlace {
  readonly worker: number;
  readonly workers: number;
}

export const ALONE: WorkerPlace = { worker: 0, workers: 1 };

/** This thread's part of a whole number; the first threads have one more where it does not divide evenly. */
export function shareOf(total: number, { worker, workers }: WorkerPlace): number {
  if (total === Number.POSITIVE_INFINITY) return total;
  return Math.floor(total / workers) + (worker < total % workers ? 1 : 0);
}
