/**
 * Parses the head or the trailer section of an HTTP/1 message (RFC 9112). Each parser looks at `bytes[start, end)` and answers
 * the offset after the section's empty line, INCOMPLETE when that hasn't come yet, or what is wrong. It looks at bytes, which
 * costs a quarter of looking at characters, and keeps one string of them, of which everything else is a slice.
 */
import { knownHeader } from '../known-headers.ts';
import type { FieldLines } from './field-lines.ts';
import type { Http1Head } from './head.ts';
import {
  COLON,
  CR,
  FIELD_VALUE,
  type HeadLimits,
  LF,
  SPACE,
  TAB,
  TARGET,
  TOKEN,
  type WireError,
  ZERO,
} from './syntax.ts';

/** More bytes are needed. */
export const INCOMPLETE = -1;

export type Parsed = number | WireError;

/** A request head, after at most one empty line (RFC 9112 2.2). */
export function parseRequest(head: Http1Head, bytes: Buffer, start: number, end: number, limits: HeadLimits): Parsed {
  const text = bytes.toString('latin1', start, end);
  head.begin(text);
  if (bytes[start] === CR && end - start === 1) return INCOMPLETE;
  const first = bytes[start] === CR && bytes[start + 1] === LF ? start + 2 : start;
  let at = tokenEnd(bytes, first, end);
  if (at === end) return at - first > limits.startLineBytes ? startLineTooLong(limits, 414) : INCOMPLETE;
  if (bytes[at] !== SPACE || at === first) return malformed('the request line has no method');
  head.method = methodAt(bytes, first, at) ?? text.slice(first - start, at - start);
  const target = ++at;
  while (at < end && TARGET[bytes[at] as number] === 1) at++;
  if (at - first > limits.startLineBytes) return startLineTooLong(limits, 414);
  if (at === end) return INCOMPLETE;
  if (bytes[at] !== SPACE || at === target) return malformed('the request target has an invalid character');
  head.target = text.slice(target - start, at - start);
  at++;
  const minorVersion = minorVersionAt(bytes, at, end);
  if (minorVersion < 0) return notAVersion(text, at - start);
  head.minorVersion = minorVersion;
  at += VERSION_LENGTH;
  if (at + 1 >= end) return INCOMPLETE;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return malformed('the request line does not end with CRLF');
  if (at - first > limits.startLineBytes) return startLineTooLong(limits, 414);
  return parseFields(head, bytes, start, at + 2, end, limits);
}

export function parseResponse(head: Http1Head, bytes: Buffer, start: number, end: number, limits: HeadLimits): Parsed {
  const text = bytes.toString('latin1', start, end);
  head.begin(text);
  const minorVersion = minorVersionAt(bytes, start, end);
  if (minorVersion < 0) return notAVersion(text, 0);
  head.minorVersion = minorVersion;
  let at = start + VERSION_LENGTH;
  if (end < at + 5 && (at === end || bytes[at] === SPACE)) return INCOMPLETE;
  const status = bytes[at] === SPACE ? statusAt(bytes, at + 1) : -1;
  if (status < 0) return malformed(NO_STATUS);
  head.status = status;
  at += 4;
  // The blank is often left out where there is no reason.
  if (bytes[at] !== SPACE && bytes[at] !== CR) return malformed(NO_STATUS);
  const reason = bytes[at] === SPACE ? at + 1 : at;
  at = valueEnd(bytes, reason, end);
  if (at - start > limits.startLineBytes) return startLineTooLong(limits, 400);
  if (at + 1 >= end) return INCOMPLETE;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return malformed('the status line does not end with CRLF');
  head.reason = text.slice(reason - start, at - start);
  return parseFields(head, bytes, start, at + 2, end, limits);
}

/** A trailer section (RFC 9112 7.1.2): field lines up to an empty line. */
export function parseTrailers(
  trailers: Http1Head,
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): Parsed {
  trailers.begin(bytes.toString('latin1', start, end));
  return parseFields(trailers, bytes, start, start, end, limits);
}

/** Field lines from `first` up to and with the empty line; offsets of lines count from `start`, where the text begins. */
function parseFields(
  lines: FieldLines,
  bytes: Buffer,
  start: number,
  first: number,
  end: number,
  limits: HeadLimits,
): Parsed {
  let at = first;
  for (;;) {
    const name = at;
    if (at < end && bytes[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return malformed('a header line has a bare CR');
      lines.span(first - start, at - start);
      return at + 2;
    }
    const nameEnd = tokenEnd(bytes, at, end);
    at = nameEnd;
    if (at === end) return at - first > limits.headerBytes ? headersTooLarge(limits) : INCOMPLETE;
    if (bytes[at] !== COLON || at === name) return malformed('a header line has no valid name before its colon');
    at++;
    while (at < end && isBlank(bytes[at] as number)) at++;
    const value = at;
    at = valueEnd(bytes, at, end);
    if (at + 1 >= end) return at - first > limits.headerBytes ? headersTooLarge(limits) : INCOMPLETE;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return malformed('a header value has a control character');
    let last = at;
    while (last > value && isBlank(bytes[last - 1] as number)) last--;
    at += 2;
    if (at - first > limits.headerBytes) return headersTooLarge(limits);
    if (lines.count === limits.fields) {
      return { status: 431, message: `there are more than ${limits.fields} header lines` };
    }
    lines.record(knownHeader(bytes, name, nameEnd), name - start, nameEnd - start, value - start, last - start);
  }
}

/** The offset of the first byte at or after `at` that is not of a token. */
function tokenEnd(bytes: Buffer, at: number, end: number): number {
  let last = at;
  while (last < end && TOKEN[bytes[last] as number] === 1) last++;
  return last;
}

/** The offset of the first byte at or after `at` that may not stand in a field value. */
function valueEnd(bytes: Buffer, at: number, end: number): number {
  let last = at;
  while (last < end && FIELD_VALUE[bytes[last] as number] === 1) last++;
  return last;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** By their length. */
const METHODS: readonly (string | undefined)[] = [undefined, undefined, undefined, 'GET', 'POST'];

/** The method of nearly every request, as one string for all of them; null for others. */
function methodAt(bytes: Buffer, start: number, end: number): string | null {
  const known = METHODS[end - start];
  if (known === undefined) return null;
  for (let i = 0; i < known.length; i++) if (bytes[start + i] !== known.charCodeAt(i)) return null;
  return known;
}

/** Of `HTTP/1.1`. */
const VERSION_LENGTH = 8;
const VERSION = Buffer.from('HTTP/1.');

/** The minor version of `HTTP/1.0` or `HTTP/1.1` at `at`; -1 when neither is there. */
function minorVersionAt(bytes: Buffer, at: number, end: number): number {
  if (end - at < VERSION_LENGTH) return -1;
  for (let i = 0; i < VERSION.length; i++) if (bytes[at + i] !== VERSION[i]) return -1;
  const minor = (bytes[at + VERSION.length] as number) - ZERO;
  return minor === 1 || minor === 0 ? minor : -1;
}

/** The status of three digits at `at`; -1 when there is none. */
function statusAt(bytes: Buffer, at: number): number {
  const [hundreds, tens, ones] = [digitAt(bytes, at), digitAt(bytes, at + 1), digitAt(bytes, at + 2)];
  return hundreds < 1 || tens < 0 || ones < 0 ? -1 : hundreds * 100 + tens * 10 + ones;
}

function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] as number) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/** What to make of text that is no version that is spoken here. */
function notAVersion(text: string, at: number): Parsed {
  const given = text.slice(at, at + 9);
  if (given.length < 9 && (/^HTTP\/[0-9](\.[0-9]?)?$/.test(given) || 'HTTP/'.startsWith(given))) return INCOMPLETE;
  if (/^HTTP\/[0-9]\.[0-9][\r ]$/.test(given)) {
    return { status: 505, message: `this is not a version that is spoken here: ${given.slice(0, 8)}` };
  }
  return malformed('the HTTP version is malformed');
}

const NO_STATUS = 'the status line has no valid status code';

function malformed(message: string): WireError {
  return { status: 400, message };
}

function startLineTooLong(limits: HeadLimits, status: WireError['status']): WireError {
  return { status, message: `the start line is longer than ${limits.startLineBytes} bytes` };
}

function headersTooLarge(limits: HeadLimits): WireError {
  return { status: 431, message: `the header lines are longer than ${limits.headerBytes} bytes` };
}
