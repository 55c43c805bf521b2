/**
 * `compressionLevel`: compresses responses for clients that accept it. node:zlib works on libuv's pool, which data threads
 * otherwise leave alone, and a compressor takes about 260 KiB; both cost only servers that ask for it.
 *
 *     exchange --sendData--> compressor --data--> below
 *              <--onDrain--             <-onDrain-      (each full one holds the one before it)
 */
import { constants, createDeflate, createGzip, type Deflate, type Gzip } from 'node:zlib';
import type { Head, RequestHead, ResponseHead } from '../../wire/head.ts';
import { NO_BYTES, type ResetReason, type Stream } from '../../wire/stream.ts';
import {
  type ContentCoding,
  chooseCoding,
  forbidsTransforming,
  isCompressible,
  markCoded,
  markVarying,
} from '../http/content-coding.ts';
import { StreamLayer } from './stream-layer.ts';

/** The level that compresses text only, as well as zlib does by itself. */
const TEXT_ONLY = -1;

export class CompressedStream extends StreamLayer {
  readonly #level: number;
  /** Whether the request allows for any of it. */
  #allowed = false;
  #coding: ContentCoding | null = null;
  #compressor: Gzip | Deflate | null = null;
  /** The trailers of a response that is complete but for what the compressor still has. */
  #trailers: Head | null = null;

  /** `level` is -1 or 1 to 9. */
  constructor(below: Stream, level: number) {
    super(below);
    this.#level = level;
  }

  override onHead(received: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    const head = received as RequestHead;
    // An HTTP/1.0 client has no chunks, and so no end that it could trust.
    this.#allowed = head.minorVersion > 0 && head.method !== 'HEAD' && !forbidsTransforming(head);
    this.#coding = chooseCoding(head.get('accept-encoding'));
    this.above.onHead(head, chunk, start, end, fin);
  }

  override onReset(reason: ResetReason): void {
    this.#dispose();
    this.above.onReset(reason);
  }

  override onDrain(): void {
    if (this.#compressor === null) this.above.onDrain();
    else this.#compressor.resume();
  }

  override sendHead(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    if (!this.#allowed || !isCompressible(head, this.#level === TEXT_ONLY)) {
      return this.below.sendHead(head, chunk, start, end, fin);
    }
    markVarying(head);
    if (this.#coding === null) return this.below.sendHead(head, chunk, start, end, fin);
    markCoded(head, this.#coding);
    this.below.sendHead(head, NO_BYTES, 0, 0, false);
    this.#compressor = this.#startCompressor(this.#coding);
    const taken = this.sendData(chunk, start, end);
    if (fin) this.sendEnd(null);
    return taken;
  }

  override sendData(chunk: Buffer, start: number, end: number): boolean {
    if (this.#compressor === null) return this.below.sendData(chunk, start, end);
    // Lent bytes, which the compressor reads on another thread.
    return start === end || this.#compressor.write(Buffer.from(chunk.subarray(start, end)));
  }

  override sendEnd(trailers: Head | null): void {
    if (this.#compressor === null) {
      this.below.sendEnd(trailers);
      return;
    }
    trailers?.retain();
    this.#trailers = trailers;
    this.#compressor.end();
  }

  override reset(): void {
    this.#dispose();
    this.below.reset();
  }

  #startCompressor(coding: ContentCoding): Gzip | Deflate {
    // What came is sent on, though more could be compressed better: the client may wait for just that.
    const options = { level: this.#level, flush: constants.Z_SYNC_FLUSH };
    const compressor = coding === 'gzip' ? createGzip(options) : createDeflate(options);
    compressor.on('data', (bytes: Buffer) => {
      if (!this.below.sendData(bytes, 0, bytes.length)) compressor.pause();
    });
    compressor.on('drain', () => this.above.onDrain());
    compressor.on('end', () => {
      this.below.sendEnd(this.#trailers);
      this.#dispose();
    });
    compressor.on('error', () => this.reset());
    return compressor;
  }

  #dispose(): void {
    this.#compressor?.destroy();
    this.#compressor = null;
    this.#trailers?.release();
    this.#trailers = null;
  }
}
