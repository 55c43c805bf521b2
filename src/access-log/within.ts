import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a promise, but not for longer. */
export async function within(limitMs: number, promise: Promise<unknown> | null): Promise<void> {
  const limit = new AbortController();
  await Promise.race([promise, sleep(limitMs, undefined, { signal: limit.signal }).catch(() => {})]);
  limit.abort();
}
