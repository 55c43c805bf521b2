/**
 * The body of a request on its way upstream. Its first bytes are lent while the head is handled; what has come before there
 * is a connection is kept, and all of it as long as the request may be sent again, within the router's bound.
 */

import { ByteBuffer } from '../wire/byte-buffer.ts';
import type { Head, RequestHead } from '../wire/head.ts';
import { NO_BYTES } from '../wire/stream.ts';
import type { Attempt } from './attempt.ts';

export class RequestBody {
  /** All of it has come. */
  isComplete: boolean;
  /** It can be sent again from its first byte on. */
  isReplayable: boolean;
  readonly #expected: number;
  #chunk: Buffer;
  #start: number;
  #end: number;
  #kept: ByteBuffer | null = null;
  #trailers: Head | null = null;
  #isSent = false;

  /** Of a head that came with the first bytes. */
  constructor(head: RequestHead, chunk: Buffer, start: number, end: number, fin: boolean, isReplayable: boolean) {
    this.#expected = head.contentLength;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
    this.isComplete = fin;
    this.isReplayable = isReplayable;
  }

  /** Sends the head and all that has come of the body, which goes on to this attempt; false as of Stream.sendHead. */
  sendTo(attempt: Attempt, head: RequestHead): boolean {
    const trailers = this.#trailers;
    const kept = this.#kept;
    const fin = this.isComplete && trailers === null;
    this.#isSent = true;
    const taken =
      kept === null
        ? attempt.send(head, this.#chunk, this.#start, this.#end, fin)
        : attempt.send(head, kept.bytes, 0, kept.length, fin);
    if (trailers !== null) attempt.sendEnd(trailers);
    if (!this.isReplayable) this.#kept = null;
    return taken;
  }

  /** What the head's call lent is valid no longer: what may be needed yet is copied. */
  keepLent(): void {
    this.add(this.#chunk, this.#start, this.#end);
    this.#chunk = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
  }

  /** More has come. */
  add(chunk: Buffer, start: number, end: number): void {
    if (start === end || (this.#isSent && !this.isReplayable)) return;
    this.#kept ??= new ByteBuffer(this.#expected || end - start);
    this.#kept.append(chunk, start, end);
  }

  /** All has come. */
  end(trailers: Head | null): void {
    this.isComplete = true;
    if (trailers === null || this.#isSent) return;
    trailers.retain();
    this.#trailers = trailers;
  }

  /** It is not sent again. */
  forget(): void {
    this.isReplayable = false;
    this.#kept = null;
    this.#chunk = NO_BYTES;
    this.#trailers?.release();
    this.#trailers = null;
  }
}
