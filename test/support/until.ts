/** Waiting for a condition instead of for a time: the bound only decides when a test gives up. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/** Resolves once `condition` holds, polled; false if it did not within `timeoutMs` (10 s). */
export async function reached(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** As `reached`, but throws when the condition does not come true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs?: number } = {},
): Promise<void> {
  if (!(await reached(condition, options))) throw new Error(`gave up waiting for: ${condition}`);
}
