/**
 * Parses the head or the trailer section of an HTTP/1 message (RFC 9112). Each parser looks at the start of `text` and
 * answers the offset after the section's empty line, INCOMPLETE when that hasn't come yet, or what is wrong.
 */
import type { FieldLines } from './field-lines.ts';
import type { Http1Head } from './head.ts';
import { COLON, CR, DELETE, type HeadLimits, LF, SPACE, TAB, TOKEN, type WireError } from './syntax.ts';

/** More bytes are needed. */
export const INCOMPLETE = -1;

export type Parsed = number | WireError;

/** A request head, after at most one empty line (RFC 9112 2.2). */
export function parseRequest(head: Http1Head, text: string, limits: HeadLimits): Parsed {
  head.begin(text);
  if (text === '\r') return INCOMPLETE;
  let at = text.startsWith('\r\n') ? 2 : 0;
  const start = at;
  while (TOKEN[text.charCodeAt(at)] === 1) at++;
  if (at === text.length) return at - start > limits.startLineBytes ? startLineTooLong(limits, 414) : INCOMPLETE;
  if (text.charCodeAt(at) !== SPACE || at === start) return malformed('the request line has no method');
  head.method = text.slice(start, at);
  const targetStart = ++at;
  let byte = text.charCodeAt(at);
  while (byte > SPACE && byte < DELETE) byte = text.charCodeAt(++at);
  if (at - start > limits.startLineBytes) return startLineTooLong(limits, 414);
  if (at === text.length) return INCOMPLETE;
  if (byte !== SPACE || at === targetStart) return malformed('the request target has an invalid character');
  head.target = text.slice(targetStart, at);
  at++;
  const minorVersion = minorVersionAt(text, at);
  if (minorVersion < 0) return notAVersion(text, at);
  head.minorVersion = minorVersion;
  at += VERSION_LENGTH;
  if (at + 1 >= text.length) return INCOMPLETE;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    return malformed('the request line does not end with CRLF');
  }
  if (at - start > limits.startLineBytes) return startLineTooLong(limits, 414);
  return parseFields(head, text, at + 2, limits);
}

export function parseResponse(head: Http1Head, text: string, limits: HeadLimits): Parsed {
  head.begin(text);
  const minorVersion = minorVersionAt(text, 0);
  if (minorVersion < 0) return notAVersion(text, 0);
  head.minorVersion = minorVersion;
  let at = VERSION_LENGTH;
  if (text.length < at + 5 && (at === text.length || text.charCodeAt(at) === SPACE)) return INCOMPLETE;
  const digits = text.slice(at + 1, at + 4);
  if (text.charCodeAt(at) !== SPACE || !/^[1-9][0-9][0-9]$/.test(digits)) return malformed(NO_STATUS);
  head.status = Number(digits);
  at += 4;
  // The blank is often left out where there is no reason.
  if (text.charCodeAt(at) !== SPACE && text.charCodeAt(at) !== CR) return malformed(NO_STATUS);
  const reasonStart = text.charCodeAt(at) === SPACE ? at + 1 : at;
  at = valueEnd(text, reasonStart);
  if (at > limits.startLineBytes) return startLineTooLong(limits, 400);
  if (at + 1 >= text.length) return INCOMPLETE;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
    return malformed('the status line does not end with CRLF');
  }
  head.reason = text.slice(reasonStart, at);
  return parseFields(head, text, at + 2, limits);
}

/** A trailer section (RFC 9112 7.1.2): field lines up to an empty line. */
export function parseTrailers(trailers: Http1Head, text: string, limits: HeadLimits): Parsed {
  trailers.begin(text);
  return parseFields(trailers, text, 0, limits);
}

/** Field lines from `at` up to and with the empty line. */
function parseFields(lines: FieldLines, text: string, at: number, limits: HeadLimits): Parsed {
  const length = text.length;
  const first = at;
  for (;;) {
    const start = at;
    let byte = text.charCodeAt(at);
    if (byte === CR) {
      if (at + 1 >= length) return INCOMPLETE;
      if (text.charCodeAt(at + 1) !== LF) return malformed('a header line has a bare CR');
      lines.span(first, at);
      return at + 2;
    }
    while (TOKEN[byte] === 1) byte = text.charCodeAt(++at);
    if (at >= length) return at - first > limits.headerBytes ? headersTooLarge(limits) : INCOMPLETE;
    if (byte !== COLON || at === start) return malformed('a header line has no valid name before its colon');
    const nameEnd = at;
    byte = text.charCodeAt(++at);
    while (byte === SPACE || byte === TAB) byte = text.charCodeAt(++at);
    const valueStart = at;
    at = valueEnd(text, at);
    if (at + 1 >= length) return at - first > limits.headerBytes ? headersTooLarge(limits) : INCOMPLETE;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      return malformed('a header value has a control character');
    }
    let end = at;
    while (end > valueStart && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
    at += 2;
    if (at - first > limits.headerBytes) return headersTooLarge(limits);
    if (lines.count === limits.fields) {
      return { status: 431, message: `there are more than ${limits.fields} header lines` };
    }
    lines.record(start, nameEnd, valueStart, end);
  }
}

/** The offset of the first byte at or after `at` that may not stand in a field value. */
function valueEnd(text: string, at: number): number {
  let end = at;
  let byte = text.charCodeAt(end);
  while ((byte >= SPACE && byte !== DELETE) || byte === TAB) byte = text.charCodeAt(++end);
  return end;
}

/** Of `HTTP/1.1`. */
const VERSION_LENGTH = 8;

/** The minor version of `HTTP/1.0` or `HTTP/1.1` at `at`; -1 when neither is there. */
function minorVersionAt(text: string, at: number): number {
  if (!text.startsWith('HTTP/1.', at)) return -1;
  const minor = text.charCodeAt(at + 7) - 0x30;
  return minor === 1 || minor === 0 ? minor : -1;
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
