/**
 * Messages to bytes for one direction of an HTTP/1 connection. Heads and small bodies leave in one write; what follows
 * in the same turn is gathered by corking the socket; chunks of more than SHORT_BYTES are written uncopied.
 */
import type { Socket } from 'node:net';
import { type ConnectionCounts, UNCOUNTED } from '../connection-counts.ts';
import { Body, type Head } from '../head.ts';
import { HOP_BY_HOP, NAMES_NOT_IN_TRAILERS, NOT_IN_TRAILERS } from '../known-headers.ts';
import { SHORT_BYTES } from '../stream.ts';
import { gather } from './gathering.ts';

/** What a corked socket gathers before it is written out. */
const GATHERED_BYTES = 16 * 1024;

function uncork(socket: Socket): void {
  // `writableCorked` counts: a long chunk may have uncorked already.
  if (socket.writableCorked > 0) socket.uncork();
}

export class MessageEncoder {
  readonly #socket: Socket;
  readonly #drained: () => void;
  readonly #counts: ConnectionCounts;
  #chunked = false;
  #awaitsDrain = false;

  /** `onDrain` is called once after each run of sends that returned false. */
  constructor(socket: Socket, onDrain: () => void, counts: ConnectionCounts = UNCOUNTED) {
    this.#socket = socket;
    this.#counts = counts;
    this.#drained = () => {
      // More may have been written since: every lent byte must have left before its owner goes on.
      if (socket.writableLength > 0 && !socket.destroyed) {
        socket.write('', this.#drained);
        return;
      }
      this.#awaitsDrain = false;
      onDrain();
    };
  }

  /**
   * Writes a head and the first bytes of its body. `startLine` comes with its CRLF; `ownFields` are this connection's
   * own header lines. `chunked`: the body is to be sent with chunked coding. False: the bytes are still being read.
   */
  head(
    startLine: string,
    head: Head,
    ownFields: string,
    chunked: boolean,
    chunk: Buffer,
    start: number,
    end: number,
    fin: boolean,
  ): boolean {
    head.drop(HOP_BY_HOP);
    const text = `${startLine + head.http1Fields() + ownFields}\r\n`;
    this.#chunked = chunked;
    if (fin && !chunked && end - start <= SHORT_BYTES) {
      gather(this.#socket);
      this.#text(start === end ? text : text + chunk.toString('latin1', start, end));
      return true;
    }
    this.#socket.cork();
    process.nextTick(uncork, this.#socket);
    this.#text(text);
    const sent = start === end || this.data(chunk, start, end);
    if (fin) this.end(null);
    return sent;
  }

  /** An interim response: no body, nothing of this connection's own. */
  interim(startLine: string, head: Head): void {
    head.drop(HOP_BY_HOP);
    this.#text(`${startLine + head.http1Fields()}\r\n`);
  }

  /** False: the bytes are still being read, and onDrain will be called once they have left. */
  data(chunk: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (length === 0) return true;
    const socket = this.#socket;
    if (this.#chunked) {
      const size = `${length.toString(16)}\r\n`;
      if (length <= SHORT_BYTES) {
        this.#text(`${size + chunk.toString('latin1', start, end)}\r\n`);
        return this.#sent();
      }
      if (socket.writableCorked === 0) socket.cork();
      this.#text(size);
      this.#bytes(chunk, start, end);
      this.#text('\r\n');
    } else if (length <= SHORT_BYTES) {
      this.#text(chunk.toString('latin1', start, end));
      return this.#sent();
    } else {
      this.#bytes(chunk, start, end);
    }
    while (socket.writableCorked > 0) socket.uncork();
    return this.#sent();
  }

  end(trailers: Head | null): void {
    if (!this.#chunked) return;
    this.#chunked = false;
    if (trailers === null) {
      this.#text('0\r\n\r\n');
    } else {
      trailers.drop(NOT_IN_TRAILERS);
      trailers.removeAll(NAMES_NOT_IN_TRAILERS);
      this.#text(`0\r\n${trailers.http1Fields()}\r\n`);
    }
  }

  /** Latin1. */
  #text(text: string): void {
    this.#counts.sent(text.length);
    this.#socket.write(text, 'latin1');
  }

  #bytes(chunk: Buffer, start: number, end: number): void {
    this.#counts.sent(end - start);
    this.#socket.write(end - start === chunk.length ? chunk : chunk.subarray(start, end));
  }

  /** Whether all that was written has left, or waits only for the cork; otherwise arranges for onDrain. */
  #sent(): boolean {
    const socket = this.#socket;
    if (socket.writableCorked > 0) {
      if (socket.writableLength < GATHERED_BYTES) return true;
      while (socket.writableCorked > 0) socket.uncork();
    }
    if (socket.writableLength === 0) return true;
    if (!this.#awaitsDrain) {
      this.#awaitsDrain = true;
      // An empty write is called back when everything before it has left, whatever the high-water mark.
      socket.write('', this.#drained);
    }
    return false;
  }
}

/** Whether a body of this kind needs chunked coding to be sent on over HTTP/1.1. */
export function needsChunking(head: Head): boolean {
  return head.bodyKind === Body.chunked || head.bodyKind === Body.untilClose;
}
