/**
 * Bytes to messages: a state machine for one direction of an HTTP/1 connection (RFC 9112). It knows no socket, so a
 * test can feed it any cut of any bytes. A message at a time: after one is complete it takes no more bytes until `next()`.
 *
 *     head --> length --------------------------------+
 *       |  \-> chunk line -> data -> chunk line ...    |
 *       |            \-> trailers ------------------- +--> complete --next()--> head
 *       \----> untilClose / tunnel (until finish())
 */
import { ByteBuffer } from '../byte-buffer.ts';
import { Body } from '../head.ts';
import { ChunkFraming, Framed } from './chunk-framing.ts';
import { frameRequest, frameResponse } from './framing.ts';
import { type Http1Head, takeHead } from './head.ts';
import { INCOMPLETE, parseRequest, parseResponse, parseTrailers } from './head-parser.ts';
import { CR, type HeadLimits, LF, type WireError } from './syntax.ts';

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
  chunkLine: 2,
  chunkData: 3,
  trailers: 4,
  untilClose: 5,
  complete: 6,
  dead: 7,
} as const;

/**
 * So many bytes of a head or a trailer section are parsed whether or not its end has come, so that what is malformed is
 * refused at once. Beyond that the end is looked for first: byte by byte it would cost the square of the length.
 */
const SMALL_SECTION = 2048;
const SECTION_END = '\r\n\r\n';
/** More 1xx responses than this before a final one are a flood. */
const MAX_INTERIM_HEADS = 16;

export class MessageDecoder {
  readonly #role: 'request' | 'response';
  readonly #limits: DecoderLimits;
  readonly #events: DecoderEvents;
  #state: number = State.head;
  /** Bytes left of the body or of the chunk. */
  #remaining = 0;
  /** Made for the first chunked body. */
  #chunks: ChunkFraming | null = null;
  #interimHeads = 0;
  /** The start of a head or trailer section that is not complete yet. */
  #partial: ByteBuffer | null = null;
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
      return this.#partial === null || (this.#role === 'request' && isEmptyLine(this.#partial.bytes));
    return this.#state === State.complete;
  }

  /** Feeds bytes; returns the offset of the first that was not taken (`end`, unless a message was completed or failed). */
  push(chunk: Buffer, start: number, end: number): number {
    const partial = this.#partial;
    if (partial === null) return this.#run(chunk, start, end);
    const held = partial.length;
    partial.append(chunk, start, end);
    const { bytes } = partial;
    if (!this.#isWorthParsing(bytes, held)) return end;
    this.#partial = null;
    return start + this.#run(bytes, 0, bytes.length) - held;
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
        case State.chunkLine:
          at = this.#chunkLine(chunk, at, end);
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
    const textEnd = this.#sectionTextEnd(chunk, start, end);
    if (textEnd < 0) return this.#keepPartial(chunk, start, end);
    const head = takeHead();
    const isRequest = this.#role === 'request';
    const parsed = isRequest
      ? parseRequest(head, chunk, start, textEnd, this.#limits)
      : parseResponse(head, chunk, start, textEnd, this.#limits);
    if (typeof parsed !== 'number' || parsed === INCOMPLETE) {
      head.release();
      return typeof parsed === 'number' ? this.#keepPartial(chunk, start, end) : this.#malformed(parsed, end);
    }
    const error = isRequest
      ? frameRequest(head, chunk, start)
      : frameResponse(head, this.#requestMethod, this.#upgradable);
    if (error !== null) {
      head.release();
      return this.#malformed(error, end);
    }
    const at = this.#deliverHead(head, chunk, parsed, end);
    head.release();
    return at;
  }

  /** Where to cut the text that is parsed as a section: all of a small chunk, else up to the section's end; -1: too early. */
  #sectionTextEnd(chunk: Buffer, start: number, end: number): number {
    if (end - start <= SMALL_SECTION) return end;
    const found = chunk.indexOf(SECTION_END, start, 'latin1');
    if (found >= 0 && found + SECTION_END.length <= end) return found + SECTION_END.length;
    // Beyond the limits: the parser finds out which.
    return end - start > this.#maxSectionBytes ? end : -1;
  }

  /** Whether a section that had `held` bytes so far can be more than incomplete now. */
  #isWorthParsing(bytes: Buffer, held: number): boolean {
    if (bytes.length <= SMALL_SECTION || bytes.length > this.#maxSectionBytes) return true;
    return bytes.includes(SECTION_END, Math.max(0, held - SECTION_END.length + 1), 'latin1');
  }

  get #maxSectionBytes(): number {
    return this.#limits.headerBytes + this.#limits.startLineBytes + SECTION_END.length;
  }

  #keepPartial(chunk: Buffer, start: number, end: number): number {
    this.#partial = new ByteBuffer(end - start);
    this.#partial.append(chunk, start, end);
    return end;
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
        this.#chunks ??= new ChunkFraming(this.#limits.chunkExtensionBytes);
        this.#chunks.begin();
        this.#state = State.chunkLine;
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
    if (fin) {
      this.#state = isChunk ? State.chunkLine : State.complete;
      if (isChunk) (this.#chunks as ChunkFraming).afterData();
    }
    this.#events.onBody(chunk, start, bodyEnd);
    if (fin && !isChunk && this.#state === State.complete) this.#events.onComplete(null);
    return bodyEnd;
  }

  #chunkLine(chunk: Buffer, start: number, end: number): number {
    const chunks = this.#chunks as ChunkFraming;
    for (let at = start; at < end; ) {
      switch (chunks.next(chunk[at++] as number)) {
        case Framed.more:
          break;
        case Framed.data:
          this.#remaining = chunks.size;
          this.#state = State.chunkData;
          return at;
        case Framed.last:
          this.#state = State.trailers;
          return at;
        default:
          return this.#malformed(chunks.error, end);
      }
    }
    return end;
  }

  #trailers(chunk: Buffer, start: number, end: number): number {
    if (chunk[start] === CR && chunk[start + 1] === LF && end - start >= 2) {
      this.#state = State.complete;
      this.#events.onComplete(null);
      return start + 2;
    }
    const textEnd = this.#sectionTextEnd(chunk, start, end);
    if (textEnd < 0) return this.#keepPartial(chunk, start, end);
    const trailers = takeHead();
    const parsed = parseTrailers(trailers, chunk, start, textEnd, this.#limits);
    if (typeof parsed !== 'number' || parsed === INCOMPLETE) {
      trailers.release();
      return typeof parsed === 'number' ? this.#keepPartial(chunk, start, end) : this.#malformed(parsed, end);
    }
    this.#state = State.complete;
    this.#events.onComplete(trailers);
    trailers.release();
    return parsed;
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
