/**
 * Signs of life on streams (of ours): a client that asks with `pingSecs=N` gets an empty line whenever nothing was sent for N seconds,
 * and the answer says so in `Ping-Secs`. A server that knows nothing of it ignores the parameter, and the client expects nothing.
 */
import type { ControlRequest } from './messages.ts';

export const PING_PARAMETER = 'pingSecs';
const PING_HEADER = 'ping-secs';
const MAX_SECS = 3600;
/** Pings that may fail to come before a stream counts as dead: a busy server sends late. */
export const PINGS_MISSED = 3;

/** The seconds that a client asks for; 0: it asks for none, null: for what can't be. */
export function askedPingSecs({ query }: ControlRequest): number | null {
  const asked = query.get(PING_PARAMETER);
  if (asked === null) return 0;
  const secs = /^[0-9]{1,4}$/.test(asked) ? Number(asked) : 0;
  return secs >= 1 && secs <= MAX_SECS ? secs : null;
}

export function pingHeader(secs: number): Record<string, string> {
  return secs === 0 ? {} : { 'Ping-Secs': String(secs) };
}

/** What a server promises, ms; undefined: nothing. */
export function pingMsOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const secs = Number(headers[PING_HEADER]);
  return secs > 0 && secs <= MAX_SECS ? secs * 1000 : undefined;
}
