/**
 * An attempt: one try of a request at one endpoint. It gets a connection (one that is idle, or waits for one), sends the
 * request over it and passes on what comes back, until it ends or is cancelled.
 */
import type { Head, RequestHead, ResponseHead } from '../wire/head.ts';
import type { ResetReason, StreamEvents, UpstreamStream } from '../wire/stream.ts';
import type { TunnelConnection } from '../wire/tunnel-connection.ts';
import type { ConnectionWaiter, Endpoint } from './client/endpoint.ts';

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
    endpoint.enter();
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

  /** The response is complete; the connection gives itself back. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection = null;
    this.endpoint.leave();
  }

  // ---- ConnectionWaiter

  onConnection(connection: UpstreamStream): void {
    this.#connection = connection;
    connection.open(this);
    this.#owner.onReady(this);
  }

  onConnectFailed(code: string): void {
    if (this.#over) return;
    this.end();
    this.#owner.onFailed(this, { type: 'connect', code });
  }

  // ---- StreamEvents of the connection

  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#owner.onResponse(this, head as ResponseHead, chunk, start, end, fin);
  }

  onInterim(head: ResponseHead): void {
    this.#sink.onInterim(head);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.#sink.onResponseData(chunk, start, end);
  }

  onEnd(trailers: Head | null): void {
    this.#sink.onResponseEnd(trailers);
  }

  onReset(reason: ResetReason): void {
    const connection = this.#connection;
    if (this.#over || connection === null) return;
    this.end();
    // An endpoint that is silent has the request, for all we know.
    const unanswered = connection.wasUnanswered && connection.streams > 0 && reason.type !== 'timeout';
    this.#owner.onFailed(this, { type: 'reset', reason, unanswered });
  }

  onDrain(): void {
    this.#sink.onUpstreamDrain();
  }
}
