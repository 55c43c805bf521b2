/**
 * An exchange: one request and its response, from the client's stream through one or more attempts and back.
 *
 *     onHead -> admit -> override -> identify -> bind -> choose a leaf -> pick an endpoint -> attempt -> relay -> record
 *                 |          |          |          |            |                |               |
 *                 +----------+----------+----------+------------+----------------+-------> fail: an error response
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
import { Attempt, type AttemptEvents, type AttemptFailure } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { Endpoint } from './client/endpoint.ts';
import { Deadline, type DeadlineOwner } from './deadline.ts';
import { dentryLines, errorResponse, type RouteError, type Selected } from './errors.ts';
import { prepareInterim, prepareRequest, prepareResponse } from './http/context-headers.ts';
import { forwardDeadline } from './http/deadline.ts';
import { nextClientSpan } from './http/trace.ts';
import { routeFailure } from './metrics.ts';
import { NO_OVERRIDE } from './override.ts';
import { Recorder } from './recorder.ts';
import type { HttpServer } from './server/http-server.ts';

/** Further attempts after the first, however they come about. */
const MAX_REQUEUES = 3;
/** Methods that may be sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

const L5D_ERR = bit(Known.l5dErr);
const CTX_DEADLINE = bit(Known.l5dCtxDeadline);

export class Exchange implements StreamEvents, AttemptEvents, DeadlineOwner {
  readonly #server: HttpServer;
  readonly #downstream: Stream;
  readonly #peer: ConnectionAddresses;
  readonly #recorder = new Recorder();
  #head: RequestHead | null = null;
  #override: string = NO_OVERRIDE;
  #binding: Binding | null = null;
  #leaf: Leaf | null = null;
  #attempt: Attempt | null = null;
  /** Endpoints that could not be connected to; null while there are none. */
  #tried: Endpoint[] | null = null;
  #requeues = 0;
  /** A kept connection died under the request: the next one must not be another such. */
  #wantsFresh = false;
  #trace = '';
  #requestId = '';
  /** Until when the name must be bound, while it isn't. */
  #boundBy: Deadline | null = null;
  /** Until when the server wants an answer, if it has a timeout. */
  #answeredBy: Deadline | null = null;
  /** Withdraws from what the request waits for. */
  #stopWaiting: (() => void) | null = null;

  /** The body's first bytes, lent while the head is being handled. */
  #chunk: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  /** Our own copy of what has come of the body: until it is sent, and beyond that while the request may be sent again. */
  #kept: BodyBuffer | null = null;
  #trailers: Head | null = null;
  #requestDone = false;
  /** The request may be sent twice, and its body is short enough to be kept for that. */
  #replayable = false;
  #held = false;
  #sent = false;
  #responseStarted = false;
  #responseDone = false;
  #success = false;
  #tunnel = false;
  #finished = false;

  constructor(server: HttpServer, downstream: Stream, peer: ConnectionAddresses) {
    this.#server = server;
    this.#downstream = downstream;
    this.#peer = peer;
  }

  // ---- what the client sends

  onHead(received: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    const head = received as RequestHead;
    head.retain();
    this.#head = head;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
    this.#requestDone = fin;
    this.#recorder.received = end - start;
    this.#replayable =
      head.bodyKind !== Body.chunked &&
      head.contentLength <= this.#server.router.replayBytes &&
      IDEMPOTENT.has(head.method);
    this.#route(head);
    this.#keepBody();
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#finished) return;
    this.#recorder.received += end - start;
    // Before it is sent: what the same read brought after the head; the client is held and sends no more.
    if (!this.#sent || this.#replayable) this.#keep(chunk, start, end);
    if (this.#sent && !(this.#attempt as Attempt).sendData(chunk, start, end)) this.#hold();
  }

  onEnd(trailers: Head | null): void {
    this.#requestDone = true;
    if (this.#finished) return;
    if (this.#sent) {
      (this.#attempt as Attempt).sendEnd(trailers);
      if (this.#tunnel && this.#responseDone) this.#finish();
    } else if (trailers !== null) {
      trailers.retain();
      this.#trailers = trailers;
    }
  }

  /** The client has gone, or its bytes make no sense any more. */
  onReset(reason: ResetReason): void {
    if (this.#finished) return;
    if (reason.type === 'malformed' && !this.#responseStarted) {
      this.fail({ type: 'badRequest', status: reason.status, reason: reason.message });
      return;
    }
    this.#downstream.reset();
    this.#recorder.failure = failureClass.cancelled;
    this.#finish();
  }

  onDrain(): void {
    this.#attempt?.resume();
  }

  // ---- of a layer between (server/buffered-stream.ts)

  /** Answers a request that is not routed. */
  refuse(head: RequestHead, error: RouteError): void {
    head.retain();
    this.#head = head;
    this.fail(this.#server.begin(head) ?? error);
  }

  // ---- from a request to an endpoint

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
    this.#override = override;
    if (override !== NO_OVERRIDE) server.metrics.overridden(override);
    const name = server.identify(head, this.#peer);
    if (typeof name !== 'string') {
      this.fail(name);
      return;
    }
    const { timeoutMs } = server;
    if (timeoutMs !== undefined) {
      this.#answeredBy = new Deadline(this);
      server.wheel.add(this.#answeredBy, timeoutMs);
    }
    const trace = server.startTrace(head);
    this.#trace = trace.context;
    this.#requestId = trace.requestId;
    prepareRequest(head, server.isEdge);
    if (timeoutMs !== undefined || (head.present & CTX_DEADLINE) !== 0) forwardDeadline(head, server.isEdge, timeoutMs);

    const binding = server.router.bindings.acquire(name, override);
    this.#binding = binding;
    this.#recorder.bound(binding.service.metrics);
    if (binding.phase === 'pending') this.#waitFor(binding, () => this.#dispatch(binding));
    else this.#dispatch(binding);
  }

  #dispatch(binding: Binding): void {
    if (binding.phase === 'failed') {
      this.fail({ type: 'bindingFailed', cause: binding.error });
      return;
    }
    const leaf = binding.choose();
    if (leaf === null) {
      this.fail(this.#unbound(binding));
      return;
    }
    this.#leaf = leaf;
    if (leaf.status !== null) this.#answer(leaf, leaf.status);
    else if (leaf.client.isPending) this.#waitFor(leaf.client, () => this.#settled(leaf));
    else this.#try(leaf);
  }

  /** The addresses have come, or the name leads elsewhere by now. */
  #settled(leaf: Leaf): void {
    if (leaf.client.isClosed) this.#dispatch(this.#binding as Binding);
    else this.#try(leaf);
  }

  /** Waits for a binding or for addresses, no longer than `bindingTimeoutMs` in all; the client is held meanwhile. */
  #waitFor(awaited: { whenSettled(callback: () => void): () => void }, proceed: () => void): void {
    const { router } = this.#server;
    if (this.#boundBy === null) {
      this.#boundBy = new Deadline(this);
      router.wheel.add(this.#boundBy, router.bindingTimeoutMs);
    }
    this.#hold();
    this.#stopWaiting = awaited.whenSettled(() => {
      if (!this.#finished) proceed();
    });
  }

  #try(leaf: Leaf): void {
    const { client } = leaf;
    const endpoint = client.pick(this.#tried);
    if (endpoint === null) {
      client.metrics.notAcquired('noEndpoint');
      const cause = client.failure;
      this.fail(cause === null ? this.#unbound(this.#binding as Binding) : { type: 'bindingFailed', cause });
      return;
    }
    this.#tryAt(leaf, endpoint);
  }

  #tryAt(leaf: Leaf, endpoint: Endpoint): void {
    const { client } = leaf;
    const attempt = new Attempt(endpoint, this.#wantsFresh, this);
    this.#attempt = attempt;
    this.#recorder.trying(!this.#held && this.#requeues === 0);
    if ((this.#head as RequestHead).method === 'CONNECT' && !leaf.isGateway) {
      attempt.startTunnel();
      this.#hold();
    } else if (!attempt.start()) {
      client.metrics.notAcquired('tooManyWaiters');
      this.fail({ type: 'tooManyWaiters', limit: client.maxWaiters, ...this.#selected(endpoint) });
    } else if (!this.#sent) {
      this.#hold();
    }
    this.#recorder.tried();
  }

  onDeadline(deadline: Deadline): void {
    if (deadline === this.#answeredBy) {
      const { address, timeoutMs } = this.#server;
      this.fail({ type: 'serverTimeout', server: address, ms: timeoutMs as number });
    } else if (this.#attempt === null) {
      const service = (this.#binding as Binding).service.name;
      this.fail({ type: 'bindingTimeout', service, ms: this.#server.router.bindingTimeoutMs });
    }
  }

  // ---- AttemptEvents

  onReady(attempt: Attempt): void {
    const head = this.#head as RequestHead;
    const leaf = this.#leaf as Leaf;
    this.#recorder.sentTo(leaf.client.metrics, leaf.pair);
    const mark = head.mark();
    head.appendBlock(leaf.headers);
    head.append('l5d-ctx-trace', this.#trace);
    head.append('l5d-reqid', this.#requestId);
    if (this.#override !== NO_OVERRIDE) head.append('l5d-ctx-dtab', this.#override);
    this.#sent = true;
    const trailers = this.#trailers;
    const fin = this.#requestDone && trailers === null;
    const kept = this.#kept;
    const taken =
      kept === null
        ? attempt.send(head, this.#chunk, this.#start, this.#end, fin)
        : attempt.send(head, kept.bytes, 0, kept.length, fin);
    if (!this.#replayable) this.#kept = null;
    if (trailers !== null) attempt.sendEnd(trailers);
    head.rewind(mark);
    if (!taken) this.#hold();
    else if (this.#held) this.onUpstreamDrain();
  }

  onUpstreamDrain(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#downstream.resume();
  }

  onInterim(head: ResponseHead): void {
    prepareInterim(head, this.#server.isEdge);
    this.#downstream.sendInterim(head);
  }

  onResponse(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#responseStarted = true;
    this.#responseDone = fin;
    this.#recorder.responded(head.status, fin);
    this.#recorder.sent = end - start;
    if (this.#answeredBy !== null) this.#server.wheel.remove(this.#answeredBy);
    this.#replayable = false;
    this.#kept = null;
    this.#success = head.status < 500;
    // A tunnel has begun: how it ends is not the endpoint's alone.
    if (fin || head.bodyKind === Body.tunnel) this.#attempt?.conclude(this.#success);
    else if (this.#success) this.#attempt?.responding();
    if (this.#server.isEdge && (head.present & L5D_ERR) !== 0) {
      this.#relayErrorWithoutBody(head);
      return;
    }
    this.#tunnel = head.bodyKind === Body.tunnel;
    // A tunnel begins when the request has ended, and ends of its own.
    if (this.#tunnel) this.#requestDone = false;
    prepareResponse(head, this.#success, this.#server.isEdge);
    // Bytes that have not left yet must stay untouched, also when the response is complete with them.
    if (!this.#downstream.sendHead(head, chunk, start, end, fin)) this.#attempt?.hold();
    if (fin) this.#finish();
  }

  onResponseData(chunk: Buffer, start: number, end: number): void {
    this.#recorder.sent += end - start;
    if (!this.#downstream.sendData(chunk, start, end)) this.#attempt?.hold();
  }

  onResponseEnd(trailers: Head | null): void {
    this.#responseDone = true;
    this.#attempt?.conclude(this.#success);
    this.#downstream.sendEnd(trailers);
    if (!this.#tunnel || this.#requestDone) this.#finish();
  }

  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    this.#attempt = null;
    const { endpoint } = attempt;
    if (this.#responseStarted) {
      // The client must see that what it got is not all.
      this.#downstream.reset();
      this.#recorder.failure = failureClass.backendClosed;
      this.#finish();
    } else if (failure.type === 'connect') {
      (this.#leaf as Leaf).client.metrics.notAcquired('cannotConnect');
      this.#tried ??= [];
      this.#tried.push(endpoint);
      if (!this.#requeue()) this.fail({ type: 'connectFailed', ...this.#selected(endpoint) });
    } else {
      this.#wantsFresh = true;
      const error = this.#backendError(failure.reason, endpoint);
      this.#recorder.attemptFailed(routeFailure(error));
      if (failure.unanswered && !this.#replayable) (this.#leaf as Leaf).client.metrics.cannotRetry.increment();
      if (!failure.unanswered || !this.#replayable || !this.#requeue()) this.fail(error);
    }
  }

  // ---- further attempts

  /** Tries again where an endpoint is left; false when there is none, or enough was tried. */
  #requeue(): boolean {
    const leaf = this.#leaf as Leaf;
    const { client } = leaf;
    if (this.#requeues === MAX_REQUEUES) {
      client.metrics.requestLimit.increment();
      return false;
    }
    const endpoint = client.isClosed ? null : client.pick(this.#tried);
    if (endpoint === null && !client.isClosed) return false;
    this.#requeues++;
    client.metrics.requeues.increment();
    this.#trace = nextClientSpan(this.#trace);
    this.#sent = false;
    // Of a client that is closed the name leads elsewhere by now.
    if (endpoint === null) this.#dispatch(this.#binding as Binding);
    else this.#tryAt(leaf, endpoint);
    return true;
  }

  // ---- the end

  /** Answers with an error. Nothing of another answer has left. */
  fail(error: RouteError): void {
    this.#attempt?.cancel();
    const { head, body } = errorResponse(error, this.#server.errorLimits);
    const toHead = this.#head?.method === 'HEAD';
    this.#responseStarted = true;
    const length = toHead ? 0 : body.length;
    this.#recorder.failed(error, head.status);
    this.#recorder.sent = length;
    this.#downstream.sendHead(head, body, 0, length, true);
    this.#finish();
  }

  /** The name is bound to a status, not to endpoints. */
  #answer(leaf: Leaf, status: number): void {
    this.#recorder.answeredBy(leaf.client.metrics, leaf.pair);
    this.#recorder.responded(status, true);
    const head = new PlainResponseHead(status, reasonPhrase(status), status === 204 || status === 304 ? null : 0);
    const success = status < 500;
    prepareResponse(head, success, this.#server.isEdge);
    this.#downstream.sendHead(head, NO_BYTES, 0, 0, true);
    this.#finish();
  }

  /** The error of a proxy behind this edge: its body tells of the inside (dtabs, addresses), so only the status is passed on. */
  #relayErrorWithoutBody(received: ResponseHead): void {
    prepareResponse(received, this.#success, true);
    if (received.status !== 204 && received.status !== 304) received.reframe(Body.length, 0);
    this.#recorder.sent = 0;
    this.#downstream.sendHead(received, NO_BYTES, 0, 0, true);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    const { wheel } = this.#server;
    if (this.#boundBy !== null) wheel.remove(this.#boundBy);
    if (this.#answeredBy !== null) wheel.remove(this.#answeredBy);
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    const attempt = this.#attempt;
    if (this.#responseDone) attempt?.end();
    else attempt?.cancel();
    this.#attempt = null;
    this.#head?.release();
    this.#head = null;
    this.#trailers?.release();
    this.#trailers = null;
    this.#chunk = NO_BYTES;
    this.#kept = null;
    this.#recorder.ended();
    this.#leaf?.client.metrics.requeuesPerRequest.record(this.#requeues);
    const { feed } = this.#server.router;
    if (feed?.draws() === true) feed.add(this.#record(attempt));
    if (this.#binding !== null) this.#server.router.bindings.release(this.#binding);
    this.#server.end(this.#recorder);
  }

  #record(attempt: Attempt | null): RequestRecord {
    const { address, router } = this.#server;
    const { remoteHost, remotePort } = this.#peer;
    return {
      timestamp: Date.now() - this.#recorder.ms,
      source: `${remoteHost}:${remotePort}`,
      server: address.replace('/', ':'),
      router: router.label,
      logical: this.#binding?.service.name ?? null,
      concrete: this.#leaf?.client.id ?? null,
      destination: attempt?.endpoint.address ?? null,
    };
  }

  // ---- details

  #hold(): void {
    this.#held = true;
    this.#downstream.hold();
  }

  /** The lent bytes are valid until the head's call returns: what may be needed later is copied now. */
  #keepBody(): void {
    if (!this.#finished && (!this.#sent || this.#replayable)) this.#keep(this.#chunk, this.#start, this.#end);
    this.#chunk = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#kept ??= new BodyBuffer((this.#head as RequestHead).contentLength || end - start);
    this.#kept.append(chunk, start, end);
  }

  #unbound(binding: Binding): RouteError {
    const { router } = this.#server;
    return {
      type: 'unbound',
      service: binding.service.name,
      base: router.baseDtab,
      override: dentryLines(this.#override),
    };
  }

  #backendError(reason: ResetReason, endpoint: Endpoint): RouteError {
    const selected = this.#selected(endpoint);
    switch (reason.type) {
      case 'malformed':
        return { type: 'backendMalformed', cause: reason.message, ...selected };
      case 'failed':
        return { type: 'backendClosed', cause: `the connection failed (${reason.code})`, ...selected };
      case 'timeout':
        return { type: 'backendClosed', cause: reason.message, ...selected };
      default:
        return { type: 'backendClosed', cause: 'the connection was closed', ...selected };
    }
  }

  #selected(endpoint: Endpoint): Selected {
    const { client } = this.#leaf as Leaf;
    return {
      service: (this.#binding as Binding).service.name,
      client: client.id,
      addresses: client.addresses(),
      address: endpoint.address,
    };
  }
}
