/**
 * Sends a request to where its name leads: once, and again where that is safe.
 *
 *     start -> bound? -> choose a leaf -> addresses? -> pick an endpoint -> attempt -> response: to the exchange
 *                                                            ^                |
 *                                                            +- requeue? <----+-----> fail: the exchange answers
 */
import type { Head, RequestHead, ResponseHead } from '../wire/head.ts';
import { NO_BYTES } from '../wire/stream.ts';
import { Attempt, type AttemptFailure, type AttemptOwner, type ResponseSink } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import type { Endpoint } from './client/endpoint.ts';
import { Deadline, type DeadlineOwner } from './deadline.ts';
import { backendError, dentryLines, type RouteError, type Selected } from './errors.ts';
import { nextClientSpan, type TraceHeaders } from './http/trace.ts';
import { routeFailure } from './metrics.ts';
import { NO_OVERRIDE } from './override.ts';
import type { Recorder } from './recorder.ts';
import type { RequestBody } from './request-body.ts';
import type { Router } from './router.ts';

/** Further attempts after the first, however they come about. */
const MAX_REQUEUES = 3;
/** Methods that may be sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A request that has a name, and its exchange, which is told what becomes of it. */
export interface NamedRequest extends ResponseSink {
  readonly router: Router;
  readonly recorder: Recorder;
  readonly head: RequestHead;
  /** Null: it has none. */
  readonly body: RequestBody | null;
  /** The local dtab, shown. */
  readonly override: string;
  /** The response that the client gets begins. */
  respond(attempt: Attempt, head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void;
  /** The response broke off. */
  onResponseCut(): void;
  /** There is none. */
  fail(error: RouteError): void;
  /** Takes no more of the body from the client until the next `onUpstreamDrain`. */
  hold(): void;
  answer(leaf: Leaf, status: number): void;
}

export class RetryLoop implements AttemptOwner, DeadlineOwner {
  readonly #request: NamedRequest;
  readonly binding: Binding;
  /** The one that the request may go to, or went to. */
  leaf: Leaf | null = null;
  requeues = 0;
  #attempt: Attempt | null = null;
  /** The attempt has a connection, and the request is on its way. */
  #isSent = false;
  #hasResponse = false;
  /** Endpoints that could not be connected to; null while there are none. */
  #tried: Endpoint[] | null = null;
  /** A kept connection died under the request: the next one must not be another such. */
  #wantsFresh = false;
  #trace: string;
  readonly #requestId: string;
  /** Until when the name must be bound, while it isn't. */
  #boundBy: Deadline | null = null;
  /** Withdraws from what the request waits for. */
  #stopWaiting: (() => void) | null = null;
  #isOver = false;

  constructor(request: NamedRequest, binding: Binding, trace: TraceHeaders) {
    this.#request = request;
    this.binding = binding;
    this.#trace = trace.context;
    this.#requestId = trace.requestId;
  }

  start(): void {
    if (this.binding.phase === 'pending') this.#waitFor(this.binding, () => this.#dispatch());
    else this.#dispatch();
  }

  /** More of the body has come, and was kept if need be. False as of Stream.sendData. */
  sendData(chunk: Buffer, start: number, end: number): boolean {
    return !this.#isSent || (this.#attempt as Attempt).sendData(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    if (this.#isSent) this.#attempt?.sendEnd(trailers);
  }

  /** What was sent to the client has left. */
  resume(): void {
    this.#attempt?.resume();
  }

  /** The exchange is over. `isWhole`: the response came to its end. Returns the last attempt. */
  close(isWhole: boolean): Attempt | null {
    this.#isOver = true;
    if (this.#boundBy !== null) this.#request.router.wheel.remove(this.#boundBy);
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    const attempt = this.#attempt;
    if (isWhole) attempt?.end();
    else attempt?.cancel();
    this.#attempt = null;
    return attempt;
  }

  // ---- from a name to an endpoint

  #dispatch(): void {
    const { binding } = this;
    if (binding.phase === 'failed') {
      this.#request.fail({ type: 'bindingFailed', cause: binding.error });
      return;
    }
    const leaf = binding.choose();
    if (leaf === null) {
      this.#request.fail(this.#unbound());
      return;
    }
    this.leaf = leaf;
    if (leaf.status !== null) this.#request.answer(leaf, leaf.status);
    else if (leaf.client.isPending) this.#waitFor(leaf.client, () => this.#settled(leaf));
    else this.#try(leaf);
  }

  /** The addresses have come, or the name leads elsewhere by now. */
  #settled(leaf: Leaf): void {
    if (leaf.client.isClosed) this.#dispatch();
    else this.#try(leaf);
  }

  /** Waits for a binding or for addresses, no longer than `bindingTimeoutMs` in all; the client is held meanwhile. */
  #waitFor(awaited: { whenSettled(callback: () => void): () => void }, proceed: () => void): void {
    const { router } = this.#request;
    if (this.#boundBy === null) {
      this.#boundBy = new Deadline(this);
      router.wheel.add(this.#boundBy, router.bindingTimeoutMs);
    }
    this.#request.hold();
    this.#stopWaiting = awaited.whenSettled(() => {
      if (!this.#isOver) proceed();
    });
  }

  onDeadline(): void {
    if (this.#attempt !== null) return;
    const { bindingTimeoutMs } = this.#request.router;
    this.#request.fail({ type: 'bindingTimeout', service: this.binding.service.name, ms: bindingTimeoutMs });
  }

  #try(leaf: Leaf): void {
    const { client } = leaf;
    const endpoint = client.pick(this.#tried);
    if (endpoint === null) {
      client.metrics.notAcquired('noEndpoint');
      const cause = client.failure;
      this.#request.fail(cause === null ? this.#unbound() : { type: 'bindingFailed', cause });
      return;
    }
    this.#tryAt(leaf, endpoint);
  }

  #tryAt(leaf: Leaf, endpoint: Endpoint): void {
    const { client } = leaf;
    const request = this.#request;
    const { recorder } = request;
    const attempt = new Attempt(endpoint, this.#wantsFresh, this, request);
    this.#attempt = attempt;
    recorder.trying(this.#boundBy === null && this.requeues === 0);
    if (request.head.method === 'CONNECT' && !leaf.isGateway) {
      attempt.startTunnel();
      request.hold();
    } else if (!attempt.start()) {
      client.metrics.notAcquired('tooManyWaiters');
      request.fail({ type: 'tooManyWaiters', limit: client.maxWaiters, ...this.#selected(endpoint) });
    } else if (!this.#isSent) {
      request.hold();
    }
    recorder.tried();
  }

  // ---- AttemptOwner

  onReady(attempt: Attempt): void {
    const request = this.#request;
    const { head, body, override } = request;
    const leaf = this.leaf as Leaf;
    request.recorder.sentTo(leaf.client.metrics, leaf.pair);
    const mark = head.mark();
    head.appendBlock(leaf.headers);
    head.append('l5d-ctx-trace', this.#trace);
    head.append('l5d-reqid', this.#requestId);
    if (override !== NO_OVERRIDE) head.append('l5d-ctx-dtab', override);
    this.#isSent = true;
    const taken = body === null ? attempt.send(head, NO_BYTES, 0, 0, true) : body.sendTo(attempt, head);
    head.rewind(mark);
    if (taken) request.onUpstreamDrain();
    else request.hold();
  }

  onResponse(attempt: Attempt, head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#hasResponse = true;
    attempt.judge(head.status < 500);
    this.#request.body?.forget();
    this.#request.respond(attempt, head, chunk, start, end, fin);
  }

  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    this.#attempt = null;
    const request = this.#request;
    const { metrics } = (this.leaf as Leaf).client;
    const selected = this.#selected(attempt.endpoint);
    if (this.#hasResponse) {
      request.onResponseCut();
    } else if (failure.type === 'connect') {
      metrics.notAcquired('cannotConnect');
      this.#tried ??= [];
      this.#tried.push(attempt.endpoint);
      if (!this.#requeue()) request.fail({ type: 'connectFailed', ...selected });
    } else {
      this.#wantsFresh = true;
      const error = backendError(failure.reason, selected);
      request.recorder.attemptFailed(routeFailure(error));
      const isSafe = IDEMPOTENT.has(request.head.method) && request.body?.isReplayable !== false;
      if (failure.unanswered && !isSafe) metrics.cannotRetry.increment();
      if (!failure.unanswered || !isSafe || !this.#requeue()) request.fail(error);
    }
  }

  // ---- further attempts

  /** Tries again where an endpoint is left; false when there is none, or enough was tried. */
  #requeue(): boolean {
    const leaf = this.leaf as Leaf;
    const { client } = leaf;
    if (this.requeues === MAX_REQUEUES) {
      client.metrics.requestLimit.increment();
      return false;
    }
    const endpoint = client.isClosed ? null : client.pick(this.#tried);
    if (endpoint === null && !client.isClosed) return false;
    this.requeues++;
    client.metrics.requeues.increment();
    this.#trace = nextClientSpan(this.#trace);
    this.#isSent = false;
    // Of a client that is closed the name leads elsewhere by now.
    if (endpoint === null) this.#dispatch();
    else this.#tryAt(leaf, endpoint);
    return true;
  }

  // ---- errors

  #unbound(): RouteError {
    const { router, override } = this.#request;
    return {
      type: 'unbound',
      service: this.binding.service.name,
      base: router.baseDtab,
      override: dentryLines(override),
    };
  }

  #selected(endpoint: Endpoint): Selected {
    const { client } = this.leaf as Leaf;
    return {
      service: this.binding.service.name,
      client: client.id,
      addresses: client.addresses(),
      address: endpoint.address,
    };
  }
}
