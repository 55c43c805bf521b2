/**
 * `l5d-ctx-deadline` (reference/http-semantics.md section 6): when the request was looked at last, and until when its
 * client waits, both in nanoseconds since 1970.
 */
import type { RequestHead } from '../../wire/head.ts';
import { bit, Known } from '../../wire/known-headers.ts';

const DEADLINE = bit(Known.l5dCtxDeadline);
const NS_PER_MS = 1_000_000n;
/** The last time that the header can name. */
export const NEVER_NS: bigint = 2n ** 63n - 1n;

export interface DeadlineHeader {
  readonly seenNs: bigint;
  readonly untilNs: bigint;
}

/**
 * What a request says; null when it says nothing. Several lines become one, the strictest of each time. Lines that can't be
 * read count for nothing, and are passed on where there is no other word.
 */
export function readDeadline(head: RequestHead): DeadlineHeader | null {
  if ((head.present & DEADLINE) === 0) return null;
  const received = head.values(Known.l5dCtxDeadline);
  let strictest: DeadlineHeader | null = null;
  for (const text of received) {
    const other = parse(text);
    if (other !== null) strictest = strictest === null ? other : stricter(strictest, other);
  }
  if (strictest !== null && received.length > 1) writeDeadline(head, strictest);
  return strictest;
}

/** Sets the header. */
export function writeDeadline(head: RequestHead, { seenNs, untilNs }: DeadlineHeader): void {
  head.drop(DEADLINE);
  head.append('l5d-ctx-deadline', `${seenNs} ${untilNs}`);
}

/**
 * The ms that are left, negative when it is over. The sender's clock may be ahead of ours: then it is no more than what was
 * left when it looked.
 */
export function leftMs({ seenNs, untilNs }: DeadlineHeader, nowMs: number): number {
  const nowNs = fromMs(nowMs);
  return Number(untilNs - (seenNs > nowNs ? seenNs : nowNs)) / Number(NS_PER_MS);
}

/** What a time of Date.now() is in the header. */
export function fromMs(ms: number): bigint {
  return BigInt(ms) * NS_PER_MS;
}

/** A 64-bit count of nanoseconds has at most 19 digits. */
function parse(text: string): DeadlineHeader | null {
  const times = /^(\d{1,19}) (\d{1,19})$/.exec(text);
  return times === null ? null : { seenNs: BigInt(times[1] as string), untilNs: BigInt(times[2] as string) };
}

/** The strictest of each time. */
export function stricter(one: DeadlineHeader, other: DeadlineHeader): DeadlineHeader {
  return {
    seenNs: one.seenNs > other.seenNs ? one.seenNs : other.seenNs,
    untilNs: one.untilNs < other.untilNs ? one.untilNs : other.untilNs,
  };
}
