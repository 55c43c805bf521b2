/**
 * `streamingEnabled: false`: a message is collected whole, within a bound, before any of it is passed on, and goes on with
 * its length. Trailers are left out, as the original does: a message with a length has none.
 */

import { ByteBuffer } from '../../wire/byte-buffer.ts';
import { Body, type Head, PlainResponseHead, type RequestHead, type ResponseHead } from '../../wire/head.ts';
import { bit, Known } from '../../wire/known-headers.ts';
import type { ResetReason, Stream, StreamEvents } from '../../wire/stream.ts';
import type { TimerWheel } from '../../wire/timer-wheel.ts';
import { Deadline, type DeadlineOwner } from '../deadline.ts';
import { type ErrorLimits, errorResponse, type RouteError } from '../errors.ts';
import { StreamLayer } from './stream-layer.ts';

/** What an exchange is told beside its stream's events. */
export interface Refusable extends StreamEvents {
  /** Answers a request that never came to it. */
  refuse(head: RequestHead, error: RouteError): void;
  /** Answers with an error in place of the response that it was sending. */
  fail(error: RouteError): void;
}

/** A message of which not all has come. */
interface Collected<H extends Head> {
  readonly head: H;
  readonly body: ByteBuffer;
}

const EXPECT = bit(Known.expect);

/** The server whose request is collected. */
export interface CollectingServer {
  readonly wheel: TimerWheel;
  /** Where it listens, as `ip/port`. */
  readonly address: string;
  /** How long a request may take to come, and its answer to begin; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  readonly errorLimits: ErrorLimits;
}

export class BufferedStream extends StreamLayer<Refusable> implements DeadlineOwner {
  /** Bytes of a body. */
  readonly #limit: number;
  readonly #server: CollectingServer;
  /** Until when the request must have come. */
  #comesBy: Deadline | null = null;
  #request: Collected<RequestHead> | null = null;
  #response: Collected<ResponseHead> | null = null;
  /** The request was refused: what is left of it is of no use. */
  #refused = false;

  constructor(below: Stream, limit: number, server: CollectingServer) {
    super(below);
    this.#limit = limit;
    this.#server = server;
  }

  // ---- the request

  override onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    if (head.contentLength > this.#limit) {
      this.#refuse(head as RequestHead);
    } else if (fin) {
      this.above.onHead(head, chunk, start, end, fin);
    } else {
      this.#request = collect(head as RequestHead);
      this.#startTime();
      this.#answerExpectation(head);
      this.onData(chunk, start, end);
    }
  }

  override onData(chunk: Buffer, start: number, end: number): void {
    const request = this.#request;
    if (request === null) {
      if (!this.#refused) this.above.onData(chunk, start, end);
      return;
    }
    request.body.append(chunk, start, end);
    if (request.body.length <= this.#limit) return;
    this.#refuse(request.head);
    this.#forgetRequest();
  }

  override onEnd(trailers: Head | null): void {
    const request = this.#request;
    if (request === null) {
      if (!this.#refused) this.above.onEnd(trailers);
      return;
    }
    const { head, body } = request;
    head.reframe(Body.length, body.length);
    this.above.onHead(head, body.bytes, 0, body.length, true);
    this.#forgetRequest();
  }

  override onReset(reason: ResetReason): void {
    this.#forgetResponse();
    const request = this.#request;
    if (request === null) {
      if (!this.#refused) this.above.onReset(reason);
    } else if (reason.type === 'malformed') {
      this.#refused = true;
      this.above.refuse(request.head, { type: 'badRequest', status: reason.status, reason: reason.message });
    } else {
      this.below.reset();
    }
    this.#forgetRequest();
  }

  /** The client waits for a word before it sends its body, and nobody behind gets the request before that. */
  #answerExpectation(head: Head): void {
    if ((head.present & EXPECT) === 0 || head.get('expect')?.toLowerCase() !== '100-continue') return;
    head.drop(EXPECT);
    this.below.sendInterim(new PlainResponseHead(100, 'Continue', null));
  }

  #refuse(head: RequestHead): void {
    this.#refused = true;
    this.above.refuse(head, { type: 'requestTooLarge', limit: this.#limit });
  }

  // ---- the response

  override sendHead(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    if (fin || head.bodyKind === Body.tunnel) {
      this.#forgetResponse();
      return this.below.sendHead(head, chunk, start, end, fin);
    }
    if (head.contentLength > this.#limit) {
      this.above.fail({ type: 'responseTooLarge', limit: this.#limit });
      return true;
    }
    this.#response = collect(head);
    return this.sendData(chunk, start, end);
  }

  override sendData(chunk: Buffer, start: number, end: number): boolean {
    const response = this.#response;
    if (response === null) return this.below.sendData(chunk, start, end);
    response.body.append(chunk, start, end);
    if (response.body.length > this.#limit) this.above.fail({ type: 'responseTooLarge', limit: this.#limit });
    return true;
  }

  override sendEnd(trailers: Head | null): void {
    const response = this.#response;
    if (response === null) {
      this.below.sendEnd(trailers);
      return;
    }
    const { head, body } = response;
    head.reframe(Body.length, body.length);
    this.below.sendHead(head, body.bytes, 0, body.length, true);
    this.#forgetResponse();
  }

  /** The exchange breaks off. Nothing of a response that is being collected was sent, so the client can still be told. */
  override reset(): void {
    if (this.#response === null) {
      this.below.reset();
      return;
    }
    this.#forgetResponse();
    const { head, body } = errorResponse({ type: 'responseCut' }, this.#server.errorLimits);
    this.below.sendHead(head, body, 0, body.length, true);
  }

  /** The time of a request runs from its head on; when it has all come, its exchange goes on with what is left of it. */
  #startTime(): void {
    const { wheel, timeoutMs } = this.#server;
    if (timeoutMs === undefined) return;
    this.#comesBy = new Deadline(this);
    wheel.add(this.#comesBy, timeoutMs);
  }

  onDeadline(): void {
    const { address, timeoutMs } = this.#server;
    const request = this.#request;
    if (request === null) return;
    this.#refused = true;
    this.above.refuse(request.head, { type: 'serverTimeout', server: address, ms: timeoutMs as number });
    this.#forgetRequest();
  }

  #forgetRequest(): void {
    if (this.#comesBy !== null) this.#server.wheel.remove(this.#comesBy);
    this.#request?.head.release();
    this.#request = null;
  }

  #forgetResponse(): void {
    this.#response?.head.release();
    this.#response = null;
  }
}

function collect<H extends Head>(head: H): Collected<H> {
  head.retain();
  return { head, body: new ByteBuffer(head.contentLength || undefined) };
}
