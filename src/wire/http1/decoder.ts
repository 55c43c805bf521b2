/**
 * Bytes to messages: a state machine for one direction of an HTTP/1 connection (RFC 9112). It knows no socket, so a
 * test can feed it any cut of any bytes. A message at a time: after one is complete it takes no more bytes until `next()`.
 *
 *     head --> length ------------------------------+
 *       |  \-> size -> data -> data end -> size ... |
 *       |       \-> trailers ---------------------- +--> complete --next()--> head
 *       \----> untilClose / tunnel (until finish())
 */
import { Body } from '../head.ts';
import { frameRequest, frameResponse } from './framing.ts';
import { type Http1Head, INCOMPLETE, MALFORMED, takeHead } from './head.ts';
import { CR, DELETE, HEX, type HeadLimits, LF, SEMICOLON, SPACE, TAB, type WireError } from './syntax.ts';

export interface DecoderLimits extends HeadLimits {
  /** Bytes of chunk extensions of one message; they are read over, never forwarded. */
  readonly chunkExtensionBytes: number;
}

export interface DecoderEvents {
  /** A head and as much of the body as came with it; `fin` when that is all of it. */
  onHead(head: Http1Head, chunk: Buffer, start: number, end: number, fin: boolean): void;
  onInterimHead(head: Http1Head): void;
  onBody(chunk: Buffer, start: number, end: number): void;
  /** The message is complete (not called after a head with `fin`). */
  onComplete(trailers: Http1Head | null): void;
  /** The peer's bytes can't be understood; the decoder takes no more. */
  onMalformed(error: WireError): void;
}

const State = {
  head: 0,
  length: 1,
  chunkSize: 2,
  chunkExtension: 3,
  chunkSizeLf: 4,
  chunkData: 5,
  chunkDataCr: 6,
  chunkDataLf: 7,
  trailers: 8,
  untilClose: 9,
  complete: 10,
  dead: 11,
} as const;

/** A chunk that is longer than this is converted to text only up to the end of its head. */
const SMALL_CHUNK = 2048;
const HEAD_END = '\r\n\r\n';
/** More 1xx responses than this before a final one are a flood. */
const MAX_INTERIM_HEADS = 16;

export class MessageDecoder {
  readonly #role: 'request' | 'response';
  readonly #limits: DecoderLimits;
  readonly #events: DecoderEvents;
  #state: number = State.head;
  /** Bytes left of the body or of the chunk. */
  #remaining = 0;
  #sizeDigits = 0;
  #extensionBytes = 0;
  #interimHeads = 0;
  /** The start of a head or trailer section that is not complete yet. */
  #partial: Buffer | null = null;
  #requestMethod = '';
  #upgradable = false;

  constructor(role: 'request' | 'response', limits: DecoderLimits, events: DecoderEvents) {
    this.#role = role;
    this.#limits = limits;
    this.#events = events;
  }

  /** For responses: what was asked, since it decides whether there is a body. `upgradable` as of frameResponse. */
  expectResponseTo(method: string, upgradable: boolean): void {
    this.#requestMethod = method;
    this.#upgradable = upgradable;
    this.next();
  }

  /** Makes ready for the next message of the connection. */
  next(): void {
    this.#state = State.head;
    this.#extensionBytes = 0;
    this.#interimHeads = 0;
  }

  /** Takes no more bytes and reports nothing more. */
  stop(): void {
    this.#state = State.dead;
    this.#partial = null;
  }

  get isComplete(): boolean {
    return this.#state === State.complete;
  }

  /** Whether nothing of a next message has been received, except perhaps the empty line that may stand before it. */
  get isBetweenMessages(): boolean {
    if (this.#state === State.head)
      return this.#partial === null || (this.#role === 'request' && isEmptyLine(this.#partial));
    return this.#state === State.complete;
  }

  /** Feeds bytes; returns the offset of the first that was not taken (`end`, unless a message was completed or failed). */
  push(chunk: Buffer, start: number, end: number): number {
    if (this.#partial === null) return this.#run(chunk, start, end);
    const held = this.#partial.length;
    const joined = Buffer.concat([this.#partial, chunk.subarray(start, end)]);
    this.#partial = null;
    return start + this.#run(joined, 0, joined.length) - held;
  }

  /** The peer sent its last byte. True when that ended a message properly or none was under way. */
  finish(): boolean {
    if (this.#state === State.untilClose) {
      this.#state = State.complete;
      this.#events.onComplete(null);
      return true;
    }
    return this.isBetweenMessages;
  }

  #run(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case State.head:
          at = this.#head(chunk, at, end);
          break;
        case State.length:
        case State.chunkData:
          at = this.#body(chunk, at, end);
          break;
        case State.chunkSize:
        case State.chunkExtension:
        case State.chunkSizeLf:
        case State.chunkDataCr:
        case State.chunkDataLf:
          at = this.#chunkFraming(chunk, at, end);
          break;
        case State.trailers:
          at = this.#trailers(chunk, at, end);
          break;
        case State.untilClose:
          this.#events.onBody(chunk, at, end);
          return end;
        default:
          return at;
      }
    }
    return at;
  }

  #head(chunk: Buffer, start: number, end: number): number {
    let textEnd = this.#headTextEnd(chunk, start, end);
    if (textEnd < 0 && end - start > this.#limits.headerBytes + this.#limits.startLineBytes + 4) {
      // Some limit is passed: the parser finds out which.
      textEnd = end;
    }
    if (textEnd < 0) {
      // Too long to be parsed for nothing: it has no end yet.
      this.#partial = Buffer.from(chunk.subarray(start, end));
      return end;
    }
    const head = takeHead();
    const text = chunk.toString('latin1', start, textEnd);
    const length =
      this.#role === 'request' ? head.parseRequest(text, this.#limits) : head.parseResponse(text, this.#limits);
    if (length === INCOMPLETE) {
      head.release();
      this.#partial = Buffer.from(chunk.subarray(start, end));
      return end;
    }
    const error =
      length === MALFORMED
        ? head.error
        : this.#role === 'request'
          ? frameRequest(head)
          : frameResponse(head, this.#requestMethod, this.#upgradable);
    if (error !== null) {
      head.release();
      return this.#malformed(error as WireError, end);
    }
    const at = this.#deliverHead(head, chunk, start + length, end);
    head.release();
    return at;
  }

  /** Where to cut the text that is parsed as a head: all of a small chunk, else up to the head's end; -1 if there is none. */
  #headTextEnd(chunk: Buffer, start: number, end: number): number {
    if (end - start <= SMALL_CHUNK) return end;
    const found = chunk.indexOf(HEAD_END, start, 'latin1');
    return found < 0 || found + HEAD_END.length > end ? -1 : found + HEAD_END.length;
  }

  #deliverHead(head: Http1Head, chunk: Buffer, at: number, end: number): number {
    if (this.#role === 'response' && head.status < 200 && head.bodyKind !== Body.tunnel) {
      if (++this.#interimHeads > MAX_INTERIM_HEADS) {
        return this.#malformed({ status: 400, message: 'there is no end of interim responses' }, end);
      }
      this.#events.onInterimHead(head);
      return at;
    }
    switch (head.bodyKind) {
      case Body.none:
        this.#state = State.complete;
        this.#events.onHead(head, chunk, at, at, true);
        return at;
      case Body.length: {
        const bodyEnd = Math.min(end, at + head.contentLength);
        this.#remaining = head.contentLength - (bodyEnd - at);
        const fin = this.#remaining === 0;
        this.#state = fin ? State.complete : State.length;
        this.#events.onHead(head, chunk, at, bodyEnd, fin);
        return bodyEnd;
      }
      case Body.chunked:
        this.#startChunk();
        this.#events.onHead(head, chunk, at, at, false);
        return at;
      default:
        this.#state = State.untilClose;
        this.#events.onHead(head, chunk, at, end, false);
        return end;
    }
  }

  #body(chunk: Buffer, start: number, end: number): number {
    const bodyEnd = Math.min(end, start + this.#remaining);
    this.#remaining -= bodyEnd - start;
    const isChunk = this.#state === State.chunkData;
    const fin = this.#remaining === 0;
    if (fin) this.#state = isChunk ? State.chunkDataCr : State.complete;
    this.#events.onBody(chunk, start, bodyEnd);
    if (fin && !isChunk && this.#state === State.complete) this.#events.onComplete(null);
    return bodyEnd;
  }

  #startChunk(): void {
    this.#state = State.chunkSize;
    this.#remaining = 0;
    this.#sizeDigits = 0;
  }

  /** The bytes around chunk data, one at a time: size, extension, CRLF (RFC 9112 7.1). Every bare CR or LF is refused. */
  #chunkFraming(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = chunk[at++] as number;
      switch (this.#state) {
        case State.chunkSize:
          if (!this.#chunkSizeByte(byte)) return this.#malformed(BAD_CHUNK_SIZE, end);
          break;
        case State.chunkExtension:
          if (byte === CR) this.#state = State.chunkSizeLf;
          else if (
            (byte < SPACE && byte !== TAB) ||
            byte === DELETE ||
            ++this.#extensionBytes > this.#limits.chunkExtensionBytes
          ) {
            return this.#malformed({ status: 400, message: 'the chunk extension is malformed or too long' }, end);
          }
          break;
        case State.chunkSizeLf:
          if (byte !== LF) return this.#malformed(BAD_CHUNK_SIZE, end);
          this.#state = this.#remaining === 0 ? State.trailers : State.chunkData;
          return at;
        case State.chunkDataCr:
          if (byte !== CR) return this.#malformed(BAD_CHUNK_END, end);
          this.#state = State.chunkDataLf;
          break;
        default:
          if (byte !== LF) return this.#malformed(BAD_CHUNK_END, end);
          this.#startChunk();
      }
    }
    return at;
  }

  /** One byte of a chunk's size; false when it can't be one. */
  #chunkSizeByte(byte: number): boolean {
    const digit = HEX[byte] as number;
    if (digit !== 255) {
      this.#remaining = this.#remaining * 16 + digit;
      // 13 hexadecimal digits are the most that a double holds exactly.
      return ++this.#sizeDigits <= 13;
    }
    if (this.#sizeDigits === 0) return false;
    if (byte === CR) this.#state = State.chunkSizeLf;
    else if (byte === SEMICOLON) this.#state = State.chunkExtension;
    else return false;
    return true;
  }

  #trailers(chunk: Buffer, start: number, end: number): number {
    if (chunk[start] === CR && chunk[start + 1] === LF && end - start >= 2) {
      this.#state = State.complete;
      this.#events.onComplete(null);
      return start + 2;
    }
    const trailers = takeHead();
    const length = trailers.parseTrailers(chunk.toString('latin1', start, end), this.#limits);
    if (length === INCOMPLETE) this.#partial = Buffer.from(chunk.subarray(start, end));
    if (length < 0) {
      const error = trailers.error;
      trailers.release();
      return length === INCOMPLETE ? end : this.#malformed(error as WireError, end);
    }
    this.#state = State.complete;
    this.#events.onComplete(trailers);
    trailers.release();
    return start + length;
  }

  #malformed(error: WireError, end: number): number {
    this.stop();
    this.#events.onMalformed(error);
    return end;
  }
}

function isEmptyLine(bytes: Buffer): boolean {
  return bytes[0] === CR && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === LF));
}

const BAD_CHUNK_SIZE: WireError = { status: 400, message: 'the chunk size is malformed' };
const BAD_CHUNK_END: WireError = { status: 400, message: 'the chunk is not followed by CRLF' };
