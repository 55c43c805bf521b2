/**
 * Where a message's body ends (RFC 9112 6). Anything that two implementations could read differently is refused, never
 * repaired: a proxy that guesses is how requests are smuggled.
 */
import { Body } from '../head.ts';
import { bit, Known } from '../known-headers.ts';
import { hasUserInfoOrBlank, targetFault } from '../request-target.ts';
import type { Http1Head } from './head.ts';
import { type WireError, ZERO } from './syntax.ts';

const CONTENT_LENGTH = bit(Known.contentLength);
const TRANSFER_ENCODING = bit(Known.transferEncoding);
const HOST = bit(Known.host);

/** So many digits are exact in a double. */
const MAX_LENGTH_DIGITS = 15;

function refuse(message: string): WireError {
  return { status: 400, message };
}

/** Sets `bodyKind` and `contentLength` from the length headers; null when they are unambiguous. */
function readLength(head: Http1Head): WireError | null {
  const framing = head.present & (CONTENT_LENGTH | TRANSFER_ENCODING);
  if (framing === 0) return null;
  if (framing === (CONTENT_LENGTH | TRANSFER_ENCODING)) {
    return refuse('both Content-Length and Transfer-Encoding are given');
  }
  if (framing === TRANSFER_ENCODING) {
    if (head.minorVersion === 0) return refuse('HTTP/1.0 has no Transfer-Encoding');
    if (head.only(Known.transferEncoding)?.toLowerCase() !== 'chunked') {
      return refuse('the only Transfer-Encoding that is accepted is one "chunked"');
    }
    head.bodyKind = Body.chunked;
    return null;
  }
  const text = head.only(Known.contentLength);
  if (text === null) return refuse('Content-Length is given more than once');
  const length = parseLength(text);
  if (length < 0) return refuse('Content-Length is not a number of bytes');
  head.bodyKind = Body.length;
  head.contentLength = length;
  return null;
}

/** A number of bytes in decimal digits; -1 for anything else. */
function parseLength(text: string): number {
  if (text.length === 0 || text.length > MAX_LENGTH_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** A recipient might read a leading zero as a sign of octal; it gets the plain number. */
function plainLength(head: Http1Head): void {
  if ((head.present & CONTENT_LENGTH) === 0) return;
  const text = head.only(Known.contentLength) as string;
  if (text.length === 1 || text.charCodeAt(0) !== ZERO) return;
  head.drop(CONTENT_LENGTH);
  head.append('Content-Length', String(head.contentLength));
}

/** Frames a request and checks what RFC 9112 3.2 wants of its target and its Host. `bytes[at]` is the first of its text. */
export function frameRequest(head: Http1Head, bytes: Buffer, at: number): WireError | null {
  const error = readLength(head);
  if (error !== null) return error;
  const fault = targetFault(head.method, head.target);
  if (fault !== null) return refuse(fault);
  if ((head.present & HOST) !== 0) {
    const host = head.onlyField(Known.host);
    if (host < 0) return refuse('Host is given more than once');
    if (hasUserInfoOrBlank(bytes, at + head.valueStart(host), at + head.valueEnd(host)))
      return refuse('Host is no host');
  }
  if (head.method === 'CONNECT' && head.bodyKind !== Body.none) return refuse('CONNECT has no body');
  plainLength(head);
  return null;
}

/** Frames a response to a request of this method; `upgradable`: the request offered to go on in another protocol. */
export function frameResponse(head: Http1Head, method: string, upgradable: boolean): WireError | null {
  const status = head.status;
  if (status === 101 && !upgradable) return refuse('101 answers a request that asked for no other protocol');
  if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)) {
    head.drop(CONTENT_LENGTH | TRANSFER_ENCODING);
    head.bodyKind = Body.tunnel;
    return null;
  }
  const error = readLength(head);
  if (error !== null) return error;
  if (status < 200 || status === 204) {
    // RFC 9110 8.6, RFC 9112 6.1: neither header may be sent with these.
    head.drop(CONTENT_LENGTH | TRANSFER_ENCODING);
    head.bodyKind = Body.none;
    head.contentLength = 0;
  } else if (method === 'HEAD' || status === 304) {
    // A length describes the body that a GET would get.
    head.bodyKind = Body.none;
    plainLength(head);
  } else if (head.bodyKind === Body.none) {
    head.bodyKind = Body.untilClose;
  } else {
    plainLength(head);
  }
  return null;
}

/** What a Connection header says (RFC 9110 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

const NO_OPTIONS: ConnectionOptions = { close: false, keepAlive: false, upgrade: false };
const CLOSE: ConnectionOptions = { close: true, keepAlive: false, upgrade: false };
const KEEP_ALIVE: ConnectionOptions = { close: false, keepAlive: true, upgrade: false };

/** Names that a Connection header cannot take away: they frame and route the message itself. */
const PROTECTED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'via',
  'close',
  'upgrade',
  'te',
]);

/** Reads the Connection header and leaves out the fields that it names. */
export function readConnection(head: Http1Head): ConnectionOptions {
  if ((head.present & bit(Known.connection)) === 0) return NO_OPTIONS;
  // The two that nearly every message has, without taking a list apart.
  const only = head.only(Known.connection)?.toLowerCase();
  if (only === 'close') return CLOSE;
  if (only === 'keep-alive') {
    head.drop(bit(Known.keepAlive));
    return KEEP_ALIVE;
  }
  let close = false;
  let keepAlive = false;
  let upgrade = false;
  const named = new Set<string>();
  for (const value of head.values(Known.connection)) {
    for (const part of value.split(',')) {
      const option = part.trim().toLowerCase();
      if (option === 'close') close = true;
      else if (option === 'keep-alive') keepAlive = true;
      else if (option === 'upgrade') upgrade = true;
      if (option !== '' && option !== 'close' && !PROTECTED.has(option) && !option.startsWith('l5d-'))
        named.add(option);
    }
  }
  // All at once: each by itself, a long list would be looked for line by line as often as it is long.
  if (named.size > 0) head.removeAll(named);
  return { close, keepAlive, upgrade };
}
