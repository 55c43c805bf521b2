/**
 * An exchange: one request and its response, as its client sees them. What happens between is the retry loop's.
 *
 *     onHead -> admit -> override -> identify -> bind -> retry loop -> respond -> relay -> record
 *                 |          |          |                    |
 *                 +----------+----------+--------------------+-> fail: an error response
 *
 * On the usual way everything up to sending the request happens in the call that delivered its head. Only a name that
 * isn't bound yet or an endpoint without an idle connection makes it wait.
 */

import { failureClass } from '../metrics/names.ts';
import type { RequestRecord } from '../port/protocol.ts';
import { Body, type Head, PlainResponseHead, type RequestHead, type ResponseHead } from '../wire/head.ts';
import { bit, Known } from '../wire/known-headers.ts';
import { reasonPhrase } from '../wire/reasons.ts';
import {
  type ConnectionAddresses,
  NO_BYTES,
  type ResetReason,
  type Stream,
  type StreamEvents,
} from '../wire/stream.ts';
import type { Attempt } from './attempt.ts';
import type { Leaf } from './binding.ts';
import { type DeadlineOwner, RequestDeadline, type TimeLimits } from './deadline.ts';
import { errorResponse, type RouteError } from './errors.ts';
import type { ExchangeServer } from './exchange-server.ts';
import { prepareInterim, prepareRequest, prepareResponse } from './http/context-headers.ts';
import { readDeadline } from './http/deadline.ts';
import { isFromHop, markRetries, RETRIES_EXHAUSTED_FIELD } from './http/retry-headers.ts';
import type { NamedRequest } from './named-request.ts';
import { NO_OVERRIDE } from './override.ts';
import { Recorder } from './recorder.ts';
import { RequestBody } from './request-body.ts';
import { RetryLoop } from './retry-loop.ts';
import { RoutedName } from './routed-name.ts';
import type { Router } from './router.ts';

const L5D_ERR = bit(Known.l5dErr);

export class Exchange implements StreamEvents, NamedRequest, DeadlineOwner {
  readonly recorder = new Recorder();
  body: RequestBody | null = null;
  override: string = NO_OVERRIDE;
  deadline: RequestDeadline | null = null;
  isAnswered = false;
  readonly #server: ExchangeServer;
  readonly #downstream: Stream;
  readonly #peer: ConnectionAddresses;
  #head: RequestHead | null = null;
  #loop: RetryLoop | null = null;
  /** The one whose response is passed on. */
  #attempt: Attempt | null = null;
  /** The client is not read from. */
  #isHeld = false;
  #responseDone = false;
  #isTunnel = false;
  /** Of a tunnel: the client has ended its direction. */
  #requestDone = false;
  #isFinished = false;

  constructor(server: ExchangeServer, downstream: Stream, peer: ConnectionAddresses) {
    this.#server = server;
    this.#downstream = downstream;
    this.#peer = peer;
  }

  get router(): Router {
    return this.#server.router;
  }

  get head(): RequestHead {
    return this.#head as RequestHead;
  }

  // ---- what the client sends

  onHead(received: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    const head = received as RequestHead;
    head.retain();
    this.#head = head;
    this.recorder.received = end - start;
    let body: RequestBody | null = null;
    if (!fin || start !== end) {
      const isReplayable = head.bodyKind !== Body.chunked && head.contentLength <= this.#server.router.replayBytes;
      body = new RequestBody(head, chunk, start, end, fin, isReplayable);
      this.body = body;
    }
    this.#route(head);
    if (!this.#isFinished) body?.keepLent();
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#isFinished) return;
    this.recorder.received += end - start;
    if (!this.#isTunnel) this.body?.add(chunk, start, end);
    if (!(this.#loop as RetryLoop).sendData(chunk, start, end)) this.hold();
  }

  onEnd(trailers: Head | null): void {
    if (this.#isFinished) return;
    this.#requestDone = true;
    this.body?.end(trailers);
    this.#loop?.sendEnd(trailers);
    if (this.#isTunnel && this.#responseDone) this.#finish();
  }

  /** The client has gone, or its bytes make no sense any more. */
  onReset(reason: ResetReason): void {
    if (this.#isFinished) return;
    if (reason.type === 'malformed' && !this.isAnswered) {
      this.fail({ type: 'badRequest', status: reason.status, reason: reason.message });
      return;
    }
    this.#downstream.reset();
    this.recorder.failure = failureClass.cancelled;
    this.#finish();
  }

  onDrain(): void {
    this.#loop?.resume();
  }

  // ---- of a layer between (server/buffered-stream.ts)

  /** Answers a request that is not routed. */
  refuse(head: RequestHead, error: RouteError): void {
    head.retain();
    this.#head = head;
    this.fail(this.#server.begin(head) ?? error);
  }

  // ---- from a request to its name

  #route(head: RequestHead): void {
    const server = this.#server;
    const refused = server.begin(head);
    if (refused !== null) {
      this.fail(refused);
      return;
    }
    const override = server.override(head);
    if (typeof override !== 'string') {
      this.fail({ type: 'badOverride', reason: override.refused });
      return;
    }
    this.override = override;
    const name = server.identify(head, this.#peer);
    if (!(name instanceof RoutedName)) {
      this.fail(name);
      return;
    }
    const received = server.isEdge ? null : readDeadline(head);
    const trace = server.startTrace(head);
    prepareRequest(head, server.isEdge);
    const binding = server.router.bindings.acquire(name, override, server.policy.inet);
    const { service } = binding;
    this.recorder.bound(service.metrics);
    const loop = new RetryLoop(this, binding, trace);
    this.#loop = loop;
    const { address, timeoutMs } = server;
    const { totalTimeoutMs } = service;
    if (
      (timeoutMs === undefined && totalTimeoutMs === undefined && received === null) ||
      this.#isInTime({ server: address, serverMs: timeoutMs, totalMs: totalTimeoutMs, received })
    ) {
      loop.start();
    }
  }

  /** Whether there is time for the request yet; if so it fails when there is none any more. */
  #isInTime(limits: TimeLimits): boolean {
    const deadline = new RequestDeadline(this, limits, this.recorder.startMs);
    this.deadline = deadline;
    if (deadline.clientMs !== null) this.#server.countDeadline(deadline.clientMs);
    const leftMs = deadline.endsMs - performance.now();
    if (leftMs <= 0) this.fail(deadline.error);
    else this.#server.wheel.add(deadline, leftMs);
    return leftMs > 0;
  }

  onDeadline(): void {
    if (this.deadline !== null) this.fail(this.deadline.error);
  }

  // ---- NamedRequest

  respond(
    attempt: Attempt,
    head: ResponseHead,
    success: boolean,
    chunk: Buffer,
    start: number,
    end: number,
    fin: boolean,
  ): void {
    this.#attempt = attempt;
    this.isAnswered = true;
    this.#responseDone = fin;
    this.recorder.responded(head.status, success, fin);
    this.recorder.sent = end - start;
    if (this.deadline !== null) this.#server.wheel.remove(this.deadline);
    if (this.#server.isEdge && (head.present & L5D_ERR) !== 0) {
      this.#relayErrorWithoutBody(head, success);
      return;
    }
    // A tunnel begins when the request has ended, and ends of its own.
    this.#isTunnel = head.bodyKind === Body.tunnel;
    this.#requestDone = false;
    prepareResponse(head, success, this.#server.isEdge);
    if (!success) markRetries(head, this.#loop?.further?.isRetriedOut === true, this.#isForHop);
    // Bytes that have not left yet must stay untouched, also when the response is complete with them.
    if (!this.#downstream.sendHead(head, chunk, start, end, fin)) attempt.hold();
    if (fin) this.#finish();
  }

  onInterim(head: ResponseHead): void {
    this.isAnswered = true;
    prepareInterim(head, this.#server.isEdge);
    this.#downstream.sendInterim(head);
  }

  onResponseData(chunk: Buffer, start: number, end: number): void {
    this.recorder.sent += end - start;
    if (!this.#downstream.sendData(chunk, start, end)) this.#attempt?.hold();
  }

  onResponseEnd(trailers: Head | null): void {
    this.#responseDone = true;
    this.#downstream.sendEnd(trailers);
    if (!this.#isTunnel || this.#requestDone) this.#finish();
  }

  /** The client must see that what it got is not all. */
  onResponseCut(): void {
    this.#downstream.reset();
    this.recorder.failure = failureClass.backendClosed;
    this.#finish();
  }

  hold(): void {
    this.#isHeld = true;
    this.#downstream.hold();
  }

  holdBody(): void {
    if (this.body?.isComplete === false) this.hold();
  }

  onUpstreamDrain(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#downstream.resume();
  }

  /** Whoever sent the request is a hop, and would like to know whether it was tried again. */
  get #isForHop(): boolean {
    return !this.#server.isEdge && this.#head !== null && isFromHop(this.#head);
  }

  // ---- the end

  /** Answers with an error. Nothing of another answer has left. */
  fail(error: RouteError): void {
    const further = this.#loop?.further;
    const isRetriedOut = further?.isRetriedOut === true || (further?.requeues ?? 0) > 0;
    const fields = isRetriedOut && this.#isForHop ? [RETRIES_EXHAUSTED_FIELD] : [];
    const { head, body } = errorResponse(error, this.#server.errorLimits, fields);
    const length = this.#head?.method === 'HEAD' ? 0 : body.length;
    this.isAnswered = true;
    this.#responseDone = false;
    this.recorder.failed(error, head.status);
    this.recorder.sent = length;
    this.#downstream.sendHead(head, body, 0, length, true);
    this.#finish();
  }

  /** The name is bound to a status, not to endpoints. */
  answer(leaf: Leaf, success: boolean): void {
    const status = leaf.status as number;
    this.recorder.answeredBy(leaf.client.metrics, leaf.pair);
    this.recorder.responded(status, success, true);
    const head = new PlainResponseHead(status, reasonPhrase(status), status === 204 || status === 304 ? null : 0);
    prepareResponse(head, success, this.#server.isEdge);
    this.#downstream.sendHead(head, NO_BYTES, 0, 0, true);
    this.#finish();
  }

  /** The error of a proxy behind this edge: its body tells of the inside (dtabs, addresses), so only the status is passed on. */
  #relayErrorWithoutBody(received: ResponseHead, success: boolean): void {
    prepareResponse(received, success, true);
    if (received.status !== 204 && received.status !== 304) received.reframe(Body.length, 0);
    this.recorder.sent = 0;
    this.#downstream.sendHead(received, NO_BYTES, 0, 0, true);
    this.#finish();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const server = this.#server;
    const loop = this.#loop;
    if (this.deadline !== null) server.wheel.remove(this.deadline);
    const attempt = loop === null ? null : loop.close(this.#responseDone);
    this.body?.forget();
    this.body = null;
    this.#head?.release();
    this.#head = null;
    this.recorder.ended();
    const { feed, bindings } = server.router;
    if (feed?.draws() === true) feed.add(this.#record(attempt));
    if (loop !== null) bindings.release(loop.binding);
    server.end(this.recorder);
  }

  #record(attempt: Attempt | null): RequestRecord {
    const { address, router } = this.#server;
    const { remoteHost, remotePort } = this.#peer;
    return {
      timestamp: Date.now() - this.recorder.ms,
      source: `${remoteHost}:${remotePort}`,
      server: address.replace('/', ':'),
      router: router.label,
      logical: this.#loop?.binding.service.name ?? null,
      concrete: this.#loop?.leaf?.client.id ?? null,
      destination: attempt?.endpoint.address ?? null,
    };
  }
}
