/**
 * An attempt: one try of a request at one endpoint. It gets a connection (one that is idle, or waits for one), sends the
 * request over it and passes on what comes back, until it ends, is given up, or takes longer than its client allows.
 */
import { Body, type Head, type RequestHead, type ResponseHead } from '../wire/head.ts';
import type { ResetReason, StreamEvents, UpstreamStream } from '../wire/stream.ts';
import { TimerEntry } from '../wire/timer-wheel.ts';
import type { TunnelConnection } from '../wire/tunnel-connection.ts';
import type { Client } from './client/client.ts';
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
  /**
   * The connection ended. `unanswered`: nothing of an answer had come, and it was `kept` alive and closed just then, or was
   * reset; an orderly end of a new one looks like an answer of the application's.
   */
  | {
      readonly type: 'reset';
      readonly reason: ResetReason;
      readonly unanswered: boolean;
      readonly kept: boolean;
    }
  /** No response began within `attemptTimeoutMs`. */
  | { readonly type: 'timeout' };

/** What is read of a response that nobody wants, so that its connection can go on, in bytes and ms. */
const MAX_DISCARDED_BYTES = 64 * 1024;
const MAX_DISCARD_MS = 1000;

export class Attempt extends TimerEntry implements StreamEvents, ConnectionWaiter {
  readonly endpoint: Endpoint;
  readonly wantsFresh: boolean;
  /** The request, or a part of it, has left. */
  isSent = false;
  readonly #client: Client;
  readonly #owner: AttemptOwner;
  readonly #sink: ResponseSink;
  #connection: UpstreamStream | null = null;
  /** A tunnel that is being connected. */
  #tunnel: TunnelConnection | null = null;
  readonly #role: Role;
  /** By performance.now(); 0 where the balancer does not ask for the latency. */
  readonly #startedMs: number;
  #hasAnswered = false;
  #isTunnel = false;
  /** What the response is to failure accrual; null: nothing is known. */
  #success: boolean | null = null;
  #isOver = false;
  /** Bytes of a response that nobody wants; -1 while somebody does. */
  #discarded = -1;

  /** `wantsFresh`: over a connection that carried nothing yet. */
  constructor(client: Client, endpoint: Endpoint, wantsFresh: boolean, owner: AttemptOwner, sink: ResponseSink) {
    super();
    this.#client = client;
    this.endpoint = endpoint;
    this.wantsFresh = wantsFresh;
    this.#owner = owner;
    this.#sink = sink;
    this.#startedMs = endpoint.latency === null ? 0 : performance.now();
    this.#role = endpoint.enter();
    if (client.attemptTimeoutMs !== undefined) client.wheel.add(this, client.attemptTimeoutMs);
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
    this.isSent = true;
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

  /** Says what the response is that has begun: a success counts when it has ended. */
  judge(success: boolean): void {
    this.#success = success;
    if (success) this.endpoint.health.responding(this.#role);
  }

  /** Ends the attempt: the endpoint is told by the closing of its connection. */
  cancel(): void {
    // Of a response that began well nobody knows how it would have ended.
    if (!this.#isOver) this.#giveUp(this.#success === false ? false : null);
  }

  /** The response is complete; the connection gives itself back. */
  end(): void {
    if (this.#isOver) return;
    this.#leave(this.#success);
    this.#connection = null;
  }

  /**
   * Ends the attempt, a failure: nobody wants its response. What is left of that is read if it is little and soon there, so
   * that the connection can go on. `isSent`: all of the request is.
   */
  discard(isWhole: boolean, isSent: boolean): void {
    this.judge(false);
    if (isWhole) {
      this.end();
      return;
    }
    this.#leave(false);
    if (isSent) {
      this.#discarded = 0;
      this.#client.wheel.add(this, MAX_DISCARD_MS);
    } else {
      this.#abandon();
    }
  }

  // ---- TimerEntry

  onTimer(): void {
    if (this.#discarded >= 0) {
      this.#abandon();
      return;
    }
    this.#giveUp(false);
    this.#owner.onFailed(this, { type: 'timeout' });
  }

  // ---- ConnectionWaiter

  onConnection(connection: UpstreamStream): void {
    this.#connection = connection;
    connection.open(this);
    this.#owner.onReady(this);
  }

  onConnectFailed(code: string): void {
    if (this.#isOver) return;
    this.#leave(false);
    this.#owner.onFailed(this, { type: 'connect', code });
  }

  // ---- StreamEvents of the connection

  onHead(head: Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    if (this.next !== null) this.#client.wheel.remove(this);
    this.#isTunnel = head.bodyKind === Body.tunnel;
    this.#measure(true);
    this.#owner.onResponse(this, head as ResponseHead, chunk, start, end, fin);
  }

  onInterim(head: ResponseHead): void {
    this.#sink.onInterim(head);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#discarded < 0) {
      this.#sink.onResponseData(chunk, start, end);
      return;
    }
    this.#discarded += end - start;
    if (this.#discarded > MAX_DISCARDED_BYTES) this.#abandon();
  }

  onEnd(trailers: Head | null): void {
    if (this.#discarded < 0) this.#sink.onResponseEnd(trailers);
    else this.#client.wheel.remove(this);
  }

  onReset(reason: ResetReason): void {
    const connection = this.#connection;
    if (this.#discarded >= 0) {
      this.#client.wheel.remove(this);
      return;
    }
    if (this.#isOver || connection === null) return;
    const kept = connection.streams > 0;
    // An endpoint that is silent has the request, for all we know.
    const unanswered = connection.wasUnanswered && reason.type !== 'timeout' && (kept || reason.type === 'failed');
    // How a tunnel ends is not the endpoint's alone, and kept connections end when they were idle for too long.
    this.#leave(this.#isTunnel ? this.#success : unanswered && kept ? null : false);
    this.#connection = null;
    this.#owner.onFailed(this, { type: 'reset', reason, unanswered, kept });
  }

  onDrain(): void {
    if (!this.#isOver) this.#sink.onUpstreamDrain();
  }

  #leave(success: boolean | null): void {
    this.#isOver = true;
    if (this.next !== null) this.#client.wheel.remove(this);
    if (!this.#hasAnswered) this.#measure(false);
    this.endpoint.leave(this.#role, success);
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

  #giveUp(success: boolean | null): void {
    this.#leave(success);
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) connection.reset();
    else if (this.#tunnel !== null) this.#tunnel.reset();
    else this.endpoint.withdraw(this);
  }

  /** Ends a response that nobody wants. */
  #abandon(): void {
    this.#client.wheel.remove(this);
    this.#connection?.reset();
    this.#connection = null;
  }
}
