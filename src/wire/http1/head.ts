/**
 * The head of an HTTP/1 message (RFC 9112): one latin1 string and the offsets of its fields. Nothing is sliced or
 * lower-cased until somebody asks; untouched lines are written on as one slice of the original.
 *
 *     GET /a HTTP/1.1\r\nHost: web\r\nAccept:  x \r\n\r\n
 *                       ^   ^  ^  ^ per field: start, end of name, start and end of value
 */
import { Body, type BodyKind, type HeaderBlock, type HeadMark, type RequestHead, type ResponseHead } from '../head.ts';
import { bit, equalsIgnoringCase, Known, knownHeader } from '../known-headers.ts';
import { COLON, CR, DELETE, type HeadLimits, LF, SPACE, TAB, TOKEN, type WireError } from './syntax.ts';

/** Result of a parse that needs more bytes. */
export const INCOMPLETE = -1;
/** Result of a parse that failed; `error` says why. */
export const MALFORMED = -2;

const STRIDE = 4;

export class Http1Head implements RequestHead, ResponseHead {
  readonly protocol = 'HTTP/1';
  method = '';
  target = '';
  status = 0;
  reason = '';
  minorVersion = 1;
  bodyKind: BodyKind = Body.none;
  contentLength = 0;
  present = 0;
  /** Number of field lines. */
  count = 0;
  error: WireError | null = null;

  #text = '';
  #offsets = new Int32Array(32 * STRIDE);
  #known = new Uint8Array(32);
  #fieldsStart = 0;
  #fieldsEnd = 0;
  #dropped = 0;
  #appended = '';
  /** The codec while it delivers the head, and whoever retains it. */
  #holders = 1;

  /**
   * Parses a request head at the start of `text`, after at most one empty line (RFC 9112 2.2). Returns the offset
   * after its empty line, INCOMPLETE, or MALFORMED.
   */
  parseRequest(text: string, limits: HeadLimits): number {
    this.#begin(text);
    if (text === '\r') return INCOMPLETE;
    let at = text.startsWith('\r\n') ? 2 : 0;
    const start = at;
    while (TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === text.length) return this.#startLineIncomplete(at - start, limits, 414);
    if (text.charCodeAt(at) !== SPACE || at === start) return this.#fail(400, 'the request line has no method');
    this.method = text.slice(start, at);
    const targetStart = ++at;
    let byte = text.charCodeAt(at);
    while (byte > SPACE && byte < DELETE) byte = text.charCodeAt(++at);
    if (at - start > limits.startLineBytes) return this.#startLineTooLong(limits, 414);
    if (at === text.length) return INCOMPLETE;
    if (byte !== SPACE || at === targetStart) return this.#fail(400, 'the request target has an invalid character');
    this.target = text.slice(targetStart, at);
    at = this.#version(at + 1);
    if (at < 0) return at;
    if (at + 1 >= text.length) return INCOMPLETE;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      return this.#fail(400, 'the request line does not end with CRLF');
    }
    if (at - start > limits.startLineBytes) return this.#startLineTooLong(limits, 414);
    return this.#fields(at + 2, limits);
  }

  /** Parses a response head; results as of parseRequest. */
  parseResponse(text: string, limits: HeadLimits): number {
    this.#begin(text);
    let at = this.#version(0);
    if (at < 0) return at;
    if (text.length < at + 5 && (at === text.length || text.charCodeAt(at) === SPACE)) return INCOMPLETE;
    const digits = text.slice(at + 1, at + 4);
    if (text.charCodeAt(at) !== SPACE || !/^[1-9][0-9][0-9]$/.test(digits)) {
      return this.#fail(400, 'the status line has no valid status code');
    }
    this.status = Number(digits);
    at += 4;
    // The blank is often left out where there is no reason.
    if (text.charCodeAt(at) !== SPACE && text.charCodeAt(at) !== CR) {
      return this.#fail(400, 'the status line has no valid status code');
    }
    const reasonStart = text.charCodeAt(at) === SPACE ? at + 1 : at;
    at = this.#valueEnd(reasonStart);
    if (at > limits.startLineBytes) return this.#startLineTooLong(limits, 400);
    if (at + 1 >= text.length) return INCOMPLETE;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      return this.#fail(400, 'the status line does not end with CRLF');
    }
    this.reason = text.slice(reasonStart, at);
    return this.#fields(at + 2, limits);
  }

  /** Parses a trailer section (RFC 9112 7.1.2): field lines up to an empty line. */
  parseTrailers(text: string, limits: HeadLimits): number {
    this.#begin(text);
    return this.#fields(0, limits);
  }

  get(name: string): string | undefined {
    const length = name.length;
    for (let i = 0; i < this.count; i++) {
      const at = i * STRIDE;
      const start = this.#offsets[at] as number;
      if ((this.#offsets[at + 1] as number) - start !== length || !this.#isKept(i)) continue;
      if (equalsIgnoringCase(this.#text, start, name)) return this.#value(i);
    }
    return this.#appended === '' ? undefined : this.#appendedValue(name);
  }

  values(known: number): string[] {
    const found: string[] = [];
    if ((this.present & bit(known)) === 0) return found;
    for (let i = 0; i < this.count; i++) if (this.#known[i] === known) found.push(this.#value(i));
    return found;
  }

  /** The value of a known header that is there; null when it is there more than once. */
  only(known: number): string | null {
    let field = -1;
    for (let i = 0; i < this.count; i++) {
      if (this.#known[i] !== known) continue;
      if (field >= 0) return null;
      field = i;
    }
    return field < 0 ? null : this.#value(field);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.count; i++) {
      if (this.#isKept(i)) visit(this.#name(i), this.#value(i));
    }
    for (const line of this.#appended.split('\r\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0) visit(line.slice(0, colon), line.slice(colon + 2));
    }
  }

  drop(mask: number): void {
    this.#dropped |= mask;
  }

  remove(name: string): void {
    for (let i = 0; i < this.count; i++) {
      const at = i * STRIDE;
      const start = this.#offsets[at] as number;
      if ((this.#offsets[at + 1] as number) - start !== name.length) continue;
      if (!equalsIgnoringCase(this.#text, start, name)) continue;
      this.#known[i] = Known.removed;
      this.present |= bit(Known.removed);
    }
    this.#dropped |= bit(Known.removed);
  }

  append(name: string, value: string): void {
    this.#appended += `${name}: ${value}\r\n`;
  }

  appendBlock(block: HeaderBlock): void {
    this.#appended += block.http1;
  }

  reframe(kind: BodyKind, contentLength: number): void {
    this.bodyKind = kind;
    this.contentLength = contentLength;
    this.#dropped |= bit(Known.contentLength);
    // A length that was written anew (framing.ts) goes too.
    this.#appended = this.#appended.replace(/^Content-Length: .*\r\n/m, '');
    if (kind === Body.length) this.append('Content-Length', String(contentLength));
  }

  mark(): HeadMark {
    return this.#appended;
  }

  rewind(mark: HeadMark): void {
    this.#appended = mark as string;
  }

  setTarget(target: string): void {
    this.target = target;
  }

  http1Fields(): string {
    const text = this.#text;
    if ((this.present & this.#dropped) === 0) return text.slice(this.#fieldsStart, this.#fieldsEnd) + this.#appended;
    let lines = '';
    let keptFrom = -1;
    for (let i = 0; i < this.count; i++) {
      const start = this.#offsets[i * STRIDE] as number;
      if (this.#isKept(i)) {
        if (keptFrom < 0) keptFrom = start;
      } else if (keptFrom >= 0) {
        lines += text.slice(keptFrom, start);
        keptFrom = -1;
      }
    }
    if (keptFrom >= 0) lines += text.slice(keptFrom, this.#fieldsEnd);
    return lines + this.#appended;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.clear();
    if (pool.length < POOLED) pool.push(this);
  }

  /** Takes a pooled head into use. */
  reuse(): void {
    this.#holders = 1;
  }

  /** Lets go of the text, so that a pooled head keeps nobody's bytes alive. */
  clear(): void {
    this.#begin('');
    this.method = '';
    this.target = '';
    this.reason = '';
  }

  #begin(text: string): void {
    this.#text = text;
    this.count = 0;
    this.present = 0;
    this.error = null;
    this.bodyKind = Body.none;
    this.contentLength = 0;
    this.#fieldsStart = 0;
    this.#fieldsEnd = 0;
    this.#dropped = 0;
    this.#appended = '';
  }

  #fail(status: WireError['status'], message: string): number {
    this.error = { status, message };
    return MALFORMED;
  }

  #startLineTooLong(limits: HeadLimits, status: WireError['status']): number {
    return this.#fail(status, `the start line is longer than ${limits.startLineBytes} bytes`);
  }

  #startLineIncomplete(length: number, limits: HeadLimits, status: WireError['status']): number {
    return length > limits.startLineBytes ? this.#startLineTooLong(limits, status) : INCOMPLETE;
  }

  #appendedValue(name: string): string | undefined {
    for (const line of this.#appended.split('\r\n')) {
      const colon = line.indexOf(': ');
      if (line.slice(0, colon).toLowerCase() === name) return line.slice(colon + 2);
    }
    return undefined;
  }

  /** `HTTP/1.0` or `HTTP/1.1` at `at`; returns the offset after it. */
  #version(at: number): number {
    const text = this.#text;
    if (text.startsWith('HTTP/1.', at)) {
      const minor = text.charCodeAt(at + 7) - 0x30;
      if (minor === 1 || minor === 0) {
        this.minorVersion = minor;
        return at + 8;
      }
    }
    const given = text.slice(at, at + 9);
    if (given.length < 9 && (/^HTTP\/[0-9](\.[0-9]?)?$/.test(given) || 'HTTP/'.startsWith(given))) return INCOMPLETE;
    if (/^HTTP\/[0-9]\.[0-9][\r ]$/.test(given)) {
      return this.#fail(505, `this is not a version that is spoken here: ${given.slice(0, 8)}`);
    }
    return this.#fail(400, 'the HTTP version is malformed');
  }

  /** The offset of the first byte at or after `at` that may not stand in a field value. */
  #valueEnd(at: number): number {
    const text = this.#text;
    let byte = text.charCodeAt(at);
    while ((byte >= SPACE && byte !== DELETE) || byte === TAB) byte = text.charCodeAt(++at);
    return at;
  }

  /** Field lines from `at` up to and with the empty line. */
  #fields(at: number, limits: HeadLimits): number {
    const text = this.#text;
    const length = text.length;
    const first = at;
    this.#fieldsStart = at;
    for (;;) {
      const start = at;
      let byte = text.charCodeAt(at);
      if (byte === CR) {
        if (at + 1 >= length) return INCOMPLETE;
        if (text.charCodeAt(at + 1) !== LF) return this.#fail(400, 'a header line has a bare CR');
        this.#fieldsEnd = at;
        return at + 2;
      }
      while (TOKEN[byte] === 1) byte = text.charCodeAt(++at);
      if (at >= length) return this.#incompleteFields(at - first, limits);
      if (byte !== COLON || at === start) return this.#fail(400, 'a header line has no valid name before its colon');
      const nameEnd = at;
      byte = text.charCodeAt(++at);
      while (byte === SPACE || byte === TAB) byte = text.charCodeAt(++at);
      const valueStart = at;
      at = this.#valueEnd(at);
      if (at + 1 >= length) return this.#incompleteFields(at - first, limits);
      if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
        return this.#fail(400, 'a header value has a control character');
      }
      let valueEnd = at;
      while (
        valueEnd > valueStart &&
        (text.charCodeAt(valueEnd - 1) === SPACE || text.charCodeAt(valueEnd - 1) === TAB)
      ) {
        valueEnd--;
      }
      at += 2;
      if (at - first > limits.headerBytes) return this.#headersTooLarge(limits);
      if (this.count === limits.fields) return this.#fail(431, `there are more than ${limits.fields} header lines`);
      this.#record(start, nameEnd, valueStart, valueEnd);
    }
  }

  #headersTooLarge(limits: HeadLimits): number {
    return this.#fail(431, `the header lines are longer than ${limits.headerBytes} bytes`);
  }

  #incompleteFields(bytes: number, limits: HeadLimits): number {
    return bytes > limits.headerBytes ? this.#headersTooLarge(limits) : INCOMPLETE;
  }

  #record(start: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    if (this.count === this.#known.length) this.#grow();
    const known = knownHeader(this.#text, start, nameEnd);
    const at = this.count * STRIDE;
    const offsets = this.#offsets;
    offsets[at] = start;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
    this.#known[this.count++] = known;
    this.present |= 1 << known;
  }

  #grow(): void {
    const offsets = new Int32Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const known = new Uint8Array(this.#known.length * 2);
    known.set(this.#known);
    this.#known = known;
  }

  #isKept(field: number): boolean {
    return ((this.#dropped >>> (this.#known[field] as number)) & 1) === 0;
  }

  #name(field: number): string {
    return this.#text.slice(this.#offsets[field * STRIDE], this.#offsets[field * STRIDE + 1]);
  }

  #value(field: number): string {
    return this.#text.slice(this.#offsets[field * STRIDE + 2], this.#offsets[field * STRIDE + 3]);
  }
}

/** Heads are pooled: a busy connection needs one at a time, an idle one none. */
const pool: Http1Head[] = [];
const POOLED = 256;

/** A head with one holder, who releases it. */
export function takeHead(): Http1Head {
  const head = pool.pop() ?? new Http1Head();
  head.reuse();
  return head;
}
