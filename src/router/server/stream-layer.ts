/**
 * A layer between a client's stream and its exchange, for servers whose config asks for one: it is the exchange's Stream
 * and the codec's StreamEvents, and passes everything on but what it is there to change. "Bytes are lent" holds on both
 * sides of it.
 *
 *     codec --events--> layer --events--> exchange
 *     codec <--Stream-- layer <--Stream-- exchange
 */
import type { Head, RequestHead, ResponseHead } from '../../wire/head.ts';
import type { ResetReason, Stream, StreamEvents } from '../../wire/stream.ts';

export abstract class StreamLayer<Above extends StreamEvents = StreamEvents> implements Stream, StreamEvents {
  protected readonly below: Stream;
  #above: Above | null = null;

  constructor(below: Stream) {
    this.below = below;
  }

  /** Puts the layer under what it serves; before the first event. */
  attach(above: Above): void {
    this.#above = above;
  }

  protected get above(): Above {
    return this.#above as Above;
  }

  // ---- StreamEvents: from the client

  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.above.onHead(head, chunk, start, end, fin);
  }

  onInterim(head: ResponseHead): void {
    this.above.onInterim(head);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.above.onData(chunk, start, end);
  }

  onEnd(trailers: Head | null): void {
    this.above.onEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    this.above.onReset(reason);
  }

  onDrain(): void {
    this.above.onDrain();
  }

  // ---- Stream: to the client

  sendHead(head: RequestHead | ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    return this.below.sendHead(head, chunk, start, end, fin);
  }

  sendInterim(head: ResponseHead): void {
    this.below.sendInterim(head);
  }

  sendData(chunk: Buffer, start: number, end: number): boolean {
    return this.below.sendData(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    this.below.sendEnd(trailers);
  }

  reset(): void {
    this.below.reset();
  }

  hold(): void {
    this.below.hold();
  }

  resume(): void {
    this.below.resume();
  }
}
