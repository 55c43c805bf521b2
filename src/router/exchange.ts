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
import { Body, type Head, PlainResponseHead, type RequestHead, type ResponseHead } from '../wire/head.ts';
import type { ConnectionAddresses } from '../wire/http1/server-connection.ts';
import { bit, HOP_BY_HOP, Known } from '../wire/known-headers.ts';
import { reasonPhrase } from '../wire/reasons.ts';
import { NO_BYTES, type ResetReason, type Stream, type StreamEvents } from '../wire/stream.ts';
import { TimerEntry } from '../wire/timer-wheel.ts';
import { Attempt, type AttemptEvents, type AttemptFailure } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import type { Endpoint } from './client/endpoint.ts';
import { dentryLines, errorResponse, type RouteError, type Selected } from './errors.ts';
import { prepareInterim, prepareRequest, prepareResponse } from './http/context-headers.ts';
import { nextClientSpan } from './http/trace.ts';
import { NO_OVERRIDE } from './override.ts';
import type { HttpServer } from './server/http-server.ts';

/** Further attempts after the first, however they come about. */
const MAX_REQUEUES = 3;
/** A body that came whole with its head and is no longer than this is kept, in case the request must be sent again. */
const REPLAY_BYTES = 5 * 1024;
/** Methods that may be sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

const L5D_ERR = bit(Known.l5dErr);
const CONTENT_LENGTH = bit(Known.contentLength);

class BindingTimer extends TimerEntry {
  readonly #onDue: () => void;

  constructor(onDue: () => void) {
    super();
    this.#onDue = onDue;
  }

  onTimer(): void {
    this.#onDue();
  }
}

export class Exchange implements StreamEvents, AttemptEvents {
  readonly #server: HttpServer;
  readonly #downstream: Stream;
  readonly #peer: ConnectionAddresses;
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
  #timer: BindingTimer | null = null;
  /** Withdraws from what the request waits for. */
  #stopWaiting: (() => void) | null = null;

  /** The body's first bytes: lent while the head is being handled, our own copy after that. */
  #chunk: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  #trailers: Head | null = null;
  #requestDone = false;
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
    this.#replayable = fin && end - start <= REPLAY_BYTES && IDEMPOTENT.has(head.method);
    this.#route(head);
    this.#keepBody();
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#finished) return;
    if (this.#sent) {
      if (!(this.#attempt as Attempt).sendData(chunk, start, end)) this.#hold();
      return;
    }
    // What the same read brought after the head; the client is held and sends no more.
    this.#chunk = Buffer.concat([this.#chunk.subarray(this.#start, this.#end), chunk.subarray(start, end)]);
    this.#start = 0;
    this.#end = this.#chunk.length;
  }

  onEnd(trailers: Head | null): void {
    this.#requestDone = true;
    if (this.#finished) return;
    if (this.#sent) {
      (this.#attempt as Attempt).sendEnd(trailers);
      if (this.#tunnel && this.#responseDone) this.#finish(this.#success);
    } else if (trailers !== null) {
      trailers.retain();
      this.#trailers = trailers;
    }
  }

  /** The client has gone, or its bytes make no sense any more. */
  onReset(reason: ResetReason): void {
    if (this.#finished) return;
    if (reason.type === 'malformed' && !this.#responseStarted) {
      this.#fail({ type: 'badRequest', status: reason.status, reason: reason.message });
      return;
    }
    this.#downstream.reset();
    this.#finish(false);
  }

  onDrain(): void {
    this.#attempt?.resume();
  }

  // ---- from a request to an endpoint

  #route(head: RequestHead): void {
    const server = this.#server;
    const refused = server.begin(head);
    if (refused !== null) {
      this.#fail(refused);
      return;
    }
    const override = server.override(head);
    if (typeof override !== 'string') {
      this.#fail({ type: 'badOverride', reason: override.refused });
      return;
    }
    this.#override = override;
    const name = server.identify(head, this.#peer);
    if (typeof name !== 'string') {
      this.#fail(name);
      return;
    }
    const trace = server.startTrace(head);
    this.#trace = trace.context;
    this.#requestId = trace.requestId;
    prepareRequest(head, server.isEdge);

    const binding = server.router.bindings.acquire(name, override);
    this.#binding = binding;
    binding.service.requests.increment();
    if (binding.phase === 'pending') this.#waitFor(binding, () => this.#dispatch(binding));
    else this.#dispatch(binding);
  }

  #dispatch(binding: Binding): void {
    if (binding.phase === 'failed') {
      this.#fail({ type: 'bindingFailed', cause: binding.error });
      return;
    }
    const leaf = binding.choose();
    if (leaf === null) {
      this.#fail(this.#unbound(binding));
      return;
    }
    this.#leaf = leaf;
    leaf.client.metrics.requests.increment();
    if (leaf.status !== null) this.#answer(leaf.status);
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
    if (this.#timer === null) {
      this.#timer = new BindingTimer(() => this.#onBindingTimeout());
      router.wheel.add(this.#timer, router.bindingTimeoutMs);
    }
    this.#hold();
    this.#stopWaiting = awaited.whenSettled(() => {
      if (!this.#finished) proceed();
    });
  }

  #onBindingTimeout(): void {
    if (this.#finished || this.#attempt !== null) return;
    const service = (this.#binding as Binding).service.name;
    this.#fail({ type: 'bindingTimeout', service, ms: this.#server.router.bindingTimeoutMs });
  }

  #try(leaf: Leaf): void {
    const { client } = leaf;
    const endpoint = client.pick(this.#tried);
    if (endpoint === null) {
      const cause = client.failure;
      this.#fail(cause === null ? this.#unbound(this.#binding as Binding) : { type: 'bindingFailed', cause });
      return;
    }
    this.#tryAt(leaf, endpoint);
  }

  #tryAt(leaf: Leaf, endpoint: Endpoint): void {
    const { client } = leaf;
    const attempt = new Attempt(endpoint, this.#wantsFresh, this);
    this.#attempt = attempt;
    if ((this.#head as RequestHead).method === 'CONNECT' && !leaf.isGateway) {
      attempt.startTunnel();
      this.#hold();
    } else if (!attempt.start()) {
      this.#fail({ type: 'tooManyWaiters', limit: client.maxWaiters, ...this.#selected(endpoint) });
    } else if (!this.#sent) {
      this.#hold();
    }
  }

  // ---- AttemptEvents

  onReady(attempt: Attempt): void {
    const head = this.#head as RequestHead;
    const mark = head.mark();
    head.appendBlock((this.#leaf as Leaf).headers);
    head.append('l5d-ctx-trace', this.#trace);
    head.append('l5d-reqid', this.#requestId);
    if (this.#override !== NO_OVERRIDE) head.append('l5d-ctx-dtab', this.#override);
    this.#sent = true;
    const trailers = this.#trailers;
    const fin = this.#requestDone && trailers === null;
    const taken = attempt.send(head, this.#chunk, this.#start, this.#end, fin);
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
    this.#success = head.status < 500;
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
    if (fin) this.#finish(this.#success);
  }

  onResponseData(chunk: Buffer, start: number, end: number): void {
    if (!this.#downstream.sendData(chunk, start, end)) this.#attempt?.hold();
  }

  onResponseEnd(trailers: Head | null): void {
    this.#responseDone = true;
    this.#downstream.sendEnd(trailers);
    if (!this.#tunnel || this.#requestDone) this.#finish(this.#success);
  }

  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    this.#attempt = null;
    const { endpoint } = attempt;
    if (this.#responseStarted) {
      // The client must see that what it got is not all.
      this.#downstream.reset();
      this.#finish(false);
    } else if (failure.type === 'connect') {
      this.#tried ??= [];
      this.#tried.push(endpoint);
      if (!this.#requeue()) this.#fail({ type: 'connectFailed', ...this.#selected(endpoint) });
    } else {
      this.#wantsFresh = true;
      if (!failure.unanswered || !this.#replayable || !this.#requeue()) {
        this.#fail(this.#backendError(failure.reason, endpoint));
      }
    }
  }

  // ---- further attempts

  /** Tries again where an endpoint is left; false when there is none, or enough was tried. */
  #requeue(): boolean {
    const leaf = this.#leaf as Leaf;
    const { client } = leaf;
    if (this.#requeues === MAX_REQUEUES) return false;
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

  #fail(error: RouteError): void {
    this.#attempt?.cancel();
    const { head, body } = errorResponse(error, this.#server.errorLimits);
    const toHead = this.#head?.method === 'HEAD';
    this.#responseStarted = true;
    this.#downstream.sendHead(head, body, 0, toHead ? 0 : body.length, true);
    this.#finish(false);
  }

  /** The name is bound to a status, not to endpoints. */
  #answer(status: number): void {
    const head = new PlainResponseHead(status, reasonPhrase(status), status === 204 || status === 304 ? null : 0);
    const success = status < 500;
    prepareResponse(head, success, this.#server.isEdge);
    this.#downstream.sendHead(head, NO_BYTES, 0, 0, true);
    this.#finish(success);
  }

  /** The error of a proxy behind this edge: its body tells of the inside (dtabs, addresses), so only the status is passed on. */
  #relayErrorWithoutBody(received: ResponseHead): void {
    prepareResponse(received, this.#success, true);
    received.drop(HOP_BY_HOP | CONTENT_LENGTH);
    const fields: [string, string][] = [];
    received.forEach((name, value) => {
      fields.push([name, value]);
    });
    this.#downstream.sendHead(new PlainResponseHead(received.status, received.reason, 0, fields), NO_BYTES, 0, 0, true);
    this.#finish(this.#success);
  }

  #finish(success: boolean): void {
    this.#finished = true;
    if (this.#timer !== null) this.#server.router.wheel.remove(this.#timer);
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    if (this.#responseDone) this.#attempt?.end();
    else this.#attempt?.cancel();
    this.#attempt = null;
    this.#head?.release();
    this.#head = null;
    this.#trailers?.release();
    this.#trailers = null;
    this.#chunk = NO_BYTES;
    if (this.#binding !== null) {
      this.#record(this.#binding, success);
      this.#server.router.bindings.release(this.#binding);
    }
    this.#server.end(success);
  }

  #record({ service }: Binding, success: boolean): void {
    (success ? service.success : service.failures).increment();
    if (this.#leaf === null) return;
    const { metrics } = this.#leaf.client;
    (success ? metrics.success : metrics.failures).increment();
  }

  // ---- details

  #hold(): void {
    this.#held = true;
    this.#downstream.hold();
  }

  /** The lent bytes are valid until the head's call returns: what may be needed later is copied now. */
  #keepBody(): void {
    if (this.#finished || (this.#sent && !this.#replayable) || this.#start === this.#end) {
      this.#chunk = NO_BYTES;
      this.#start = 0;
      this.#end = 0;
      return;
    }
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#start, this.#end));
    this.#start = 0;
    this.#end = this.#chunk.length;
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
