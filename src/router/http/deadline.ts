/**
 * `l5d-ctx-deadline` (reference/http-semantics.md section 6): when the request was looked at last, and until when its
 * client waits, both in nanoseconds since 1970. It tells the hops behind; by itself it ends nothing.
 */
import type { RequestHead } from '../../wire/head.ts';
import { bit, Known } from '../../wire/known-headers.ts';

const DEADLINE = bit(Known.l5dCtxDeadline);
const NS_PER_MS = 1_000_000n;

interface Deadline {
  readonly seenNs: bigint;
  readonly untilNs: bigint;
}

/**
 * Sets the header to what holds behind a server with this timeout (none: undefined). Lines that can't be read count for
 * nothing where there is another word, and are passed on where there is none. `fromOutside`: none is believed.
 */
export function forwardDeadline(head: RequestHead, fromOutside: boolean, timeoutMs: number | undefined): void {
  const received = fromOutside ? [] : head.values(Known.l5dCtxDeadline);
  // Nothing to combine.
  if (timeoutMs === undefined && received.length < 2) return;
  let combined: Deadline | null = timeoutMs === undefined ? null : fromNow(timeoutMs);
  for (const text of received) {
    const other = parse(text);
    if (other !== null) combined = combined === null ? other : stricter(combined, other);
  }
  if (combined === null) return;
  head.drop(DEADLINE);
  head.append('l5d-ctx-deadline', `${combined.seenNs} ${combined.untilNs}`);
}

function fromNow(timeoutMs: number): Deadline {
  const nowMs = Date.now();
  return { seenNs: BigInt(nowMs) * NS_PER_MS, untilNs: BigInt(nowMs + timeoutMs) * NS_PER_MS };
}

/** A 64-bit count of nanoseconds has at most 19 digits. */
function parse(text: string): Deadline | null {
  const times = /^(\d{1,19}) (\d{1,19})$/.exec(text);
  return times === null ? null : { seenNs: BigInt(times[1] as string), untilNs: BigInt(times[2] as string) };
}

function stricter(one: Deadline, other: Deadline): Deadline {
  return {
    seenNs: one.seenNs > other.seenNs ? one.seenNs : other.seenNs,
    untilNs: one.untilNs < other.untilNs ? one.untilNs : other.untilNs,
  };
}
