/**
 * Where a socket reads to. Nearly all connections are quiet: they share one buffer of the thread, so that a thousand of them
 * take no more memory than one, and the one is warm. A connection takes a large buffer of its own while a long body flows.
 *
 *     quiet   read into SHARED --at most SHORT_BYTES--> delivered where it lies: whoever sends it on copies it (stream.ts)
 *                              \--more---------------> moved to an own buffer, delivered from there
 *     body    read into the own buffer, delivered uncopied; while it is lent the next read takes another
 */
import type { OnReadOpts } from 'node:net';
import { SHORT_BYTES } from './stream.ts';

const SHARED_BYTES = 16 * 1024;
const OWN_BYTES = 64 * 1024;
const POOLED = 64;

/**
 * Between its events a socket must have no read under way that would write into the buffer: so it is where the system tells
 * that bytes are there to be read (epoll, kqueue), and not where it is told beforehand where to put them.
 */
const SHARED: Buffer | null = process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(SHARED_BYTES);

const pool: Buffer[] = [];

function takeBuffer(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(OWN_BYTES);
}

function returnBuffer(buffer: Buffer): void {
  if (buffer.length === OWN_BYTES && pool.length < POOLED) pool.push(buffer);
}

export interface BytesReader {
  /** Takes chunk[0, length), which is lent. Returns whether more of the same message is to come. */
  onBytes(chunk: Buffer, length: number): boolean;
}

export class ReadBuffer {
  /** For the socket, see net.Socket's `onread`. */
  readonly onread: OnReadOpts;
  readonly #reader: BytesReader;
  /** What the socket reads into, as far as it knows. */
  #target: Buffer | null = null;
  #own: Buffer | null = null;
  /** The own buffer of the event under way. */
  #delivered: Buffer | null = null;
  /** An own buffer whose bytes are still being sent. */
  #lent: Buffer | null = null;

  constructor(reader: BytesReader) {
    this.#reader = reader;
    this.onread = {
      // Nothing, which Node takes as "the same as before", where there is nothing to change.
      buffer: this.#next.bind(this) as () => Buffer,
      callback: this.#onRead.bind(this) as OnReadOpts['callback'],
    };
  }

  /** The bytes of the event under way stay untouched until they are taken back. The socket must not be read meanwhile. */
  lend(): void {
    this.#lent ??= this.#delivered;
  }

  /** What was lent has left. */
  takeBack(): void {
    if (this.#lent !== null) returnBuffer(this.#lent);
    this.giveAway();
  }

  /** Whoever writes what was lent needs it for longer than the connection waits: it is theirs. */
  giveAway(): void {
    if (this.#own === this.#lent) this.#own = null;
    this.#lent = null;
  }

  #next(): Buffer | undefined {
    const next = this.#own ?? SHARED ?? this.#takeOwn();
    if (next === this.#target) return undefined;
    this.#target = next;
    return next;
  }

  #takeOwn(): Buffer {
    this.#own = takeBuffer();
    return this.#own;
  }

  /** Always goes on reading: who wants to stop holds. */
  #onRead(length: number, buffer: Buffer): boolean {
    const isShort = length <= SHORT_BYTES;
    let chunk = buffer;
    if (buffer === SHARED && !isShort) {
      chunk = this.#takeOwn();
      buffer.copy(chunk, 0, 0, length);
    }
    this.#delivered = chunk === SHARED ? null : chunk;
    const isUnderWay = this.#reader.onBytes(chunk, length);
    this.#delivered = null;
    this.#choose(isUnderWay && !isShort);
    return true;
  }

  /** Whether the next read is to go into an own buffer, and which. */
  #choose(isLong: boolean): void {
    const isLent = this.#own !== null && this.#own === this.#lent;
    if (isLong && isLent) this.#own = takeBuffer();
    else if (!isLong && this.#own !== null) {
      if (!isLent) returnBuffer(this.#own);
      this.#own = null;
    }
  }
}
