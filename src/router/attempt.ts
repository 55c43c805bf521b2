/**
 * An attempt: one try of an exchange at one endpoint. It gets a connection (one that is idle, or waits for one), sends
 * the request over it and passes what comes back to its exchange, until it ends or is cancelled.
 */
import type { Head, RequestHead, ResponseHead } from '../wire/head.ts';
import type { ResetReason, StreamEvents, UpstreamStream } from '../wire/stream.ts';
import type { TunnelConnection } from '../wire/tunnel-connection.ts';
import type { ConnectionWaiter, Endpoint } from './client/endpoint.ts';
import type { Role } from './client/health.ts';

/** What an attempt tells its exchange. After `ended` or `failed` it is over. */
export interface AttemptEvents {
  /** A connection is there: the request may be sent. */
  onReady(attempt: Attempt): void;
  onInterim(head: ResponseHead): void;
  onResponse(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void;
  onResponseData(chunk: Buffer, start: number, end: number): void;
  onResponseEnd(trailers: Head | null): void;
  /** What was sent upstream has left. */
  onUpstreamDrain(): void;
  onFailed(attempt: Attempt, failure: AttemptFailure): void;
}

export type AttemptFailure =
  /** No connection: nothing was sent. */
  | { readonly type: 'connect'; readonly code: string }
  /** The connection ended. `unanswered`: a kept-alive one that the endpoint closed before it answered anything. */
  | { readonly type: 'reset'; readonly reason: ResetReason; readonly unanswered: boolean };

export class Attempt implements StreamEvents, ConnectionWaiter {
  readonly endpoint: Endpoint;
  readonly wantsFresh: boolean;
  readonly #events: AttemptEvents;
  readonly #role: Role;
  /** By performance.now(); 0 where the balancer does not ask for the latency. */
  readonly #startedMs: number;
  #hasAnswered = false;
  #isConcluded = false;
  #connection: UpstreamStream | null = null;
  /** A tunnel that is being connected. */
  #tunnel: TunnelConnection | null = null;
  #over = false;

  /** `wantsFresh`: over a connection that carried nothing yet. */
  constructor(endpoint: Endpoint, wantsFresh: boolean, events: AttemptEvents) {
    this.endpoint = endpoint;
    this.wantsFresh = wantsFresh;
    this.#events = events;
    this.#startedMs = endpoint.latency === null ? 0 : performance.now();
    this.#role = endpoint.enter();
  }

  /** Gets a connection; false when too many requests wait for one. */
  start(): boolean {
    const idle = this.wantsFresh ? null : this.endpoint.take();
    if (idle !== null) {
      this.onConnection(idle);
      return true;
    }
    return this.endpoint.wait(this);
  }

  /** Connects a tunnel of its own instead. */
  startTunnel(): void {
    this.#tunnel = this.endpoint.openTunnel(this);
  }

  /** Sends the request; false as of Stream.sendHead. */
  send(head: RequestHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    return (this.#connection as UpstreamStream).sendHead(head, chunk, start, end, fin);
  }

  sendData(chunk: Buffer, start: number, end: number): boolean {
    return (this.#connection as UpstreamStream).sendData(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    (this.#connection as UpstreamStream).sendEnd(trailers);
  }

  hold(): void {
    this.#connection?.hold();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** Ends the attempt: the endpoint is told by the closing of its connection. */
  cancel(): void {
    if (this.#over) return;
    const connection = this.#connection;
    this.end();
    if (connection !== null) connection.reset();
    else if (this.#tunnel !== null) this.#tunnel.reset();
    else this.endpoint.withdraw(this);
  }

  /** The response has begun and looks like a success. */
  responding(): void {
    this.endpoint.health.responding(this.#role);
  }

  /**
   * How it went, as the service's response classifier sees it; the endpoint is judged by it. Not said of what the client gave
   * up, nor of what the endpoint can't have acted on. A failure to connect and a reset conclude by themselves.
   */
  conclude(success: boolean): void {
    if (this.#isConcluded || this.#over) return;
    this.#isConcluded = true;
    if (success) this.endpoint.health.succeeded(this.#role);
    else this.endpoint.health.failed(this.#role);
  }

  /** The response is complete; the connection gives itself back. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection = null;
    if (!this.#hasAnswered) this.#measure(false);
    this.endpoint.leave(this.#role);
  }

  /** The time to the response's head, or to the end without one. */
  #measure(answered: boolean): void {
    this.#hasAnswered = true;
    const { latency } = this.endpoint;
    // One that had none at the start was not timed.
    if (latency === null || this.#startedMs === 0) return;
    const nowMs = performance.now();
    if (answered) latency.answered(nowMs - this.#startedMs, nowMs);
    else latency.failed(nowMs - this.#startedMs, nowMs);
  }

  // ---- ConnectionWaiter

  onConnection(connection: UpstreamStream): void {
    this.#connection = connection;
    connection.open(this);
    this.#events.onReady(this);
  }

  onConnectFailed(code: string): void {
    if (this.#over) return;
    this.conclude(false);
    this.end();
    this.#events.onFailed(this, { type: 'connect', code });
  }

  // ---- StreamEvents of the connection

  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#measure(true);
    this.#events.onResponse(head as ResponseHead, chunk, start, end, fin);
  }

  onInterim(head: ResponseHead): void {
    this.#events.onInterim(head);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.#events.onResponseData(chunk, start, end);
  }

  onEnd(trailers: Head | null): void {
    this.#events.onResponseEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    const connection = this.#connection;
    if (this.#over || connection === null) return;
    // An endpoint that is silent has the request, for all we know.
    const unanswered = connection.wasUnanswered && connection.streams > 0 && reason.type !== 'timeout';
    if (!unanswered) this.conclude(false);
    this.end();
    this.#events.onFailed(this, { type: 'reset', reason, unanswered });
  }

  onDrain(): void {
    this.#events.onUpstreamDrain();
  }
}
