/**
 * An attempt: one try of a request at one endpoint. It gets a connection (one that is idle, or waits for one), sends the
 * request over it and passes on what comes back, until it ends or is cancelled.
 */
import { Body, type Head, type RequestHead, type ResponseHead } from '../wire/head.ts';
import type { ResetReason, StreamEvents, UpstreamStream } from '../wire/stream.ts';
import type { TunnelConnection } from '../wire/tunnel-connection.ts';
import type { ConnectionWaiter, Endpoint } from './client/endpoint.ts';
import type { Role } from './client/health.ts';

/** Whoever made the attempt and judges how it goes. After `onFailed` it is over. */
export interface AttemptOwner {
  /** A connection is there: the request may be sent. */
  onReady(attempt: Attempt): void;
  onResponse(attempt: Attempt, head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void;
  onFailed(attempt: Attempt, failure: AttemptFailure): void;
}

/** Where the rest of the response goes. */
export interface ResponseSink {
  onInterim(head: ResponseHead): void;
  onResponseData(chunk: Buffer, start: number, end: number): void;
  onResponseEnd(trailers: Head | null): void;
  /** What was sent upstream has left. */
  onUpstreamDrain(): void;
}

export type AttemptFailure =
  /** No connection: nothing was sent. */
  | { readonly type: 'connect'; readonly code: string }
  /** The connection ended. `unanswered`: a kept-alive one that the endpoint closed before it answered anything. */
  | { readonly type: 'reset'; readonly reason: ResetReason; readonly unanswered: boolean };

export class Attempt implements StreamEvents, ConnectionWaiter {
  readonly endpoint: Endpoint;
  readonly wantsFresh: boolean;
  readonly #owner: AttemptOwner;
  readonly #sink: ResponseSink;
  readonly #role: Role;
  /** By performance.now(); 0 where the balancer does not ask for the latency. */
  readonly #startedMs: number;
  #hasAnswered = false;
  /** Nothing of the response follows that it could be judged by. */
  #isWhole = false;
  #looksGood = false;
  #isJudged = false;
  #connection: UpstreamStream | null = null;
  /** A tunnel that is being connected. */
  #tunnel: TunnelConnection | null = null;
  #over = false;

  /** `wantsFresh`: over a connection that carried nothing yet. */
  constructor(endpoint: Endpoint, wantsFresh: boolean, owner: AttemptOwner, sink: ResponseSink) {
    this.endpoint = endpoint;
    this.wantsFresh = wantsFresh;
    this.#owner = owner;
    this.#sink = sink;
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

  /**
   * Whether the response that has begun is a success in the eyes of the service's response classifier; or that there was none in
   * time. The endpoint is judged by it: by a success when the response is complete. Not said of what the client gave up. A
   * connect that fails and a connection that breaks are failures by themselves.
   */
  judge(success: boolean): void {
    if (this.#isWhole || !success) {
      this.#conclude(success);
    } else {
      this.#looksGood = true;
      this.endpoint.health.responding(this.#role);
    }
  }

  /** The response is complete; the connection gives itself back. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection = null;
    if (!this.#hasAnswered) this.#measure(false);
    this.endpoint.leave(this.#role);
  }

  #conclude(success: boolean): void {
    if (this.#isJudged || this.#over) return;
    this.#isJudged = true;
    if (success) this.endpoint.health.succeeded(this.#role);
    else this.endpoint.health.failed(this.#role);
  }

  /** The time to the response's head, or to the end without one. */
  #measure(answered: boolean): void {
    this.#hasAnswered = true;
    const { latency } = this.endpoint;
    if (latency === null || this.#startedMs === 0) return;
    const nowMs = performance.now();
    if (answered) latency.answered(nowMs - this.#startedMs, nowMs);
    else latency.failed(nowMs - this.#startedMs, nowMs);
  }

  // ---- ConnectionWaiter

  onConnection(connection: UpstreamStream): void {
    this.#connection = connection;
    connection.open(this);
    this.#owner.onReady(this);
  }

  onConnectFailed(code: string): void {
    if (this.#over) return;
    this.#conclude(false);
    this.end();
    this.#owner.onFailed(this, { type: 'connect', code });
  }

  // ---- StreamEvents of the connection

  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    // How a tunnel ends is not the endpoint's alone.
    this.#isWhole = fin || head.bodyKind === Body.tunnel;
    this.#measure(true);
    this.#owner.onResponse(this, head as ResponseHead, chunk, start, end, fin);
  }

  onInterim(head: ResponseHead): void {
    this.#sink.onInterim(head);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.#sink.onResponseData(chunk, start, end);
  }

  onEnd(trailers: Head | null): void {
    if (this.#looksGood) this.#conclude(true);
    this.#sink.onResponseEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    const connection = this.#connection;
    if (this.#over || connection === null) return;
    // An endpoint that is silent has the request, for all we know.
    const unanswered = connection.wasUnanswered && connection.streams > 0 && reason.type !== 'timeout';
    if (!unanswered) this.#conclude(false);
    this.end();
    this.#owner.onFailed(this, { type: 'reset', reason, unanswered });
  }

  onDrain(): void {
    this.#sink.onUpstreamDrain();
  }
}
