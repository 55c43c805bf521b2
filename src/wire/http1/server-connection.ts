/**
 * The server's side of an HTTP/1 connection: one stream after another. A pipelined request waits, unread, until the
 * response before it has been sent.
 *
 *     idle --head--> request under way --both sides complete--> idle      (keep-alive)
 *                                      \--------------------> lingering   (close: answered, reads on for a moment so
 *                                                                          that the peer sees the answer, not a reset)
 */
import type { Socket } from 'node:net';
import { type ConnectionCounts, UNCOUNTED } from '../connection-counts.ts';
import { Body, type Head, type ResponseHead } from '../head.ts';
import { type InactivityLimits, InactivityWatch, type Turn, type WatchedConnection } from '../inactivity.ts';
import { bit, Known } from '../known-headers.ts';
import type { ConnectionAddresses, ResetReason, Stream, StreamEvents } from '../stream.ts';
import { TimerEntry, type TimerWheel } from '../timer-wheel.ts';
import { type DecoderEvents, type DecoderLimits, MessageDecoder } from './decoder.ts';
import { MessageEncoder, needsChunking } from './encoder.ts';
import { type ConnectionOptions, readConnection } from './framing.ts';
import type { Http1Head } from './head.ts';
import type { WireError } from './syntax.ts';

export interface ServerConnectionLimits extends DecoderLimits, InactivityLimits {
  /** From the first byte of a head to its last. */
  readonly headerTimeoutMs: number;
  /** Without a request under way. */
  readonly idleTimeoutMs: number;
  /** After so long the response under way is the last; none: never. */
  readonly lifeTimeMs?: number | undefined;
  /** A client that ends its direction (FIN) while it waits for a response has left; else it may still want it. */
  readonly endMeansGone?: boolean | undefined;
}

export interface ServerConnectionOwner {
  readonly limits: ServerConnectionLimits;
  readonly wheel: TimerWheel;
  readonly counts?: ConnectionCounts | undefined;
  /** A request begins; its head follows at once. */
  open(stream: Stream, addresses: ConnectionAddresses): StreamEvents;
  /** The answer to bytes that are not a request: what to send before the connection is closed. */
  refusal(error: WireError): { readonly head: ResponseHead; readonly body: Buffer };
  closed(connection: Http1ServerConnection): void;
}

/** How long a closing connection is still read from after the answer has left. */
const LINGER_MS = 2000;

const UPGRADE = bit(Known.upgrade);

export class Http1ServerConnection
  extends TimerEntry
  implements Stream, DecoderEvents, ConnectionAddresses, WatchedConnection
{
  readonly #socket: Socket;
  readonly #owner: ServerConnectionOwner;
  readonly #decoder: MessageDecoder;
  readonly #encoder: MessageEncoder;
  readonly #counts: ConnectionCounts;
  /** By performance.now(). */
  readonly openedAt = performance.now();
  /** Requests so far. */
  requests = 0;
  readonly remoteHost: string;
  readonly remotePort: number;

  #events: StreamEvents | null = null;
  #minorVersion = 1;
  #keepAlive = true;
  #draining = false;
  #requestDone = false;
  #responseStarted = false;
  #responseDone = false;
  #closeDelimited = false;
  #tunnel = false;
  #held = false;
  #peerEnded = false;
  #lingering = false;
  /** Bytes of requests that wait for their turn. */
  #waiting: Buffer | null = null;
  #pushing = false;
  /** A part of a head has come, and its time is running. */
  #headStarted = false;
  #idleSinceMs: number;
  /** Wheel time from which on no further request is taken. */
  readonly #expiresMs: number;

  constructor(socket: Socket, owner: ServerConnectionOwner) {
    super();
    this.#socket = socket;
    this.#owner = owner;
    this.#counts = owner.counts ?? UNCOUNTED;
    this.#decoder = new MessageDecoder('request', owner.limits, this);
    this.#encoder = new MessageEncoder(socket, () => this.#events?.onDrain(), this.#counts.sent);
    this.remoteHost = socket.remoteAddress ?? 'unknown';
    this.remotePort = socket.remotePort ?? 0;
    this.#idleSinceMs = owner.wheel.nowMs;
    this.#expiresMs = owner.wheel.nowMs + (owner.limits.lifeTimeMs ?? Number.POSITIVE_INFINITY);
    owner.wheel.add(this, this.#idleLeftMs());
    const watch = InactivityWatch.start(socket, this, owner.limits, owner.wheel);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#gone({ type: 'failed', code: error.code ?? 'EIO' }));
    socket.on('close', () => {
      this.#gone({ type: 'closed' });
      owner.wheel.remove(this);
      if (watch !== null) owner.wheel.remove(watch);
      owner.closed(this);
    });
  }

  get localHost(): string {
    return this.#socket.localAddress ?? 'unknown';
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Whether no request is under way. */
  get isIdle(): boolean {
    return this.#events === null;
  }

  /** Closes at once when idle, else after the response under way. */
  drain(): void {
    this.#draining = true;
    this.#keepAlive = false;
    if (this.#events === null && !this.#lingering) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- Stream: what is sent to the client

  sendHead(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    this.#responseStarted = true;
    if (this.#isExpired()) this.#keepAlive = false;
    const startLine = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
    let own = '';
    let chunked = false;
    if (head.bodyKind === Body.tunnel) {
      this.#tunnel = true;
      if (head.status === 101) own = `Connection: Upgrade\r\nUpgrade: ${head.values(Known.upgrade).join(', ')}\r\n`;
    } else {
      if (needsChunking(head)) {
        chunked = this.#minorVersion > 0;
        this.#closeDelimited = !chunked;
        if (chunked) own = 'Transfer-Encoding: chunked\r\n';
        else this.#keepAlive = false;
      }
      // Answered before the whole request was read: what is left of it is not worth reading.
      if (fin && !this.#requestDone) this.#keepAlive = false;
      if (!this.#keepAlive) own += 'Connection: close\r\n';
      else if (this.#minorVersion === 0) own += 'Connection: keep-alive\r\n';
    }
    const sent = this.#encoder.head(startLine, head, own, chunked, chunk, start, end, fin);
    if (fin) this.#responseEnded();
    else if (this.#tunnel) this.#startTunnel();
    return sent;
  }

  sendInterim(head: ResponseHead): void {
    // RFC 9110 15.2: an HTTP/1.0 client knows no 1xx.
    if (this.#minorVersion > 0 && !this.#responseStarted) {
      this.#encoder.interim(`HTTP/1.1 ${head.status} ${head.reason}\r\n`, head);
    }
  }

  sendData(chunk: Buffer, start: number, end: number): boolean {
    return this.#encoder.data(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    this.#encoder.end(trailers);
    this.#responseEnded();
  }

  reset(): void {
    if (this.#events === null) return;
    this.#events = null;
    this.#decoder.stop();
    // What is ended by the close, a body or a tunnel, would look complete after an orderly one.
    if (this.#closeDelimited || this.#tunnel || !this.#responseStarted) this.#socket.resetAndDestroy();
    else this.#close();
  }

  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#waiting === null) this.#socket.resume();
  }

  // ---- DecoderEvents: what the client sent

  onHead(head: Http1Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#headStarted = false;
    this.#minorVersion = head.minorVersion;
    this.#requestDone = fin;
    const options = readConnection(head);
    this.#keepAlive = this.#wantsKeepAlive(options);
    // RFC 9110 7.8: an Upgrade that Connection does not name, or that comes by HTTP/1.0, is none.
    if ((head.present & UPGRADE) !== 0 && !(options.upgrade && head.minorVersion > 0)) head.remove('upgrade');
    this.requests++;
    this.#events = this.#owner.open(this, this);
    this.#events.onHead(head, chunk, start, end, fin);
  }

  /** A request has none; the decoder never calls it. */
  onInterimHead(): void {}

  onBody(chunk: Buffer, start: number, end: number): void {
    this.#events?.onData(chunk, start, end);
  }

  onComplete(trailers: Head | null): void {
    this.#requestDone = true;
    this.#events?.onEnd(trailers);
    this.#finishIfDone();
  }

  onMalformed(error: WireError): void {
    this.#keepAlive = false;
    const events = this.#events;
    if (events !== null) {
      events.onReset({ type: 'malformed', status: error.status, message: error.message });
      return;
    }
    const { head, body } = this.#owner.refusal(error);
    this.#encoder.head(
      `HTTP/1.1 ${head.status} ${head.reason}\r\n`,
      head,
      'Connection: close\r\n',
      false,
      body,
      0,
      body.length,
      true,
    );
    this.#close();
  }

  // ---- TimerEntry

  onTimer(): void {
    const { limits, wheel } = this.#owner;
    if (this.#lingering) {
      this.#socket.destroy();
    } else if (this.#headStarted) {
      this.onMalformed({ status: 408, message: `the request head took longer than ${limits.headerTimeoutMs} ms` });
    } else if (this.#events === null) {
      const leftMs = this.#idleLeftMs();
      if (leftMs > 0) wheel.add(this, leftMs);
      else this.#close();
    } else {
      wheel.add(this, limits.idleTimeoutMs);
    }
  }

  // ---- WatchedConnection

  get turn(): Turn {
    if (this.#tunnel) return 'either';
    return this.#events === null || !(this.#requestDone || this.#held) ? 'peer' : 'own';
  }

  onSilence(message: string): void {
    this.#counts.readTimeouts.add(1);
    if (this.#tunnel) this.#socket.destroy();
    else if (this.#events !== null || this.#headStarted) this.onMalformed({ status: 408, message });
    else this.#close();
  }

  /** Nobody is there to be told why. */
  onStall(): void {
    this.#counts.writeTimeouts.add(1);
    this.#socket.destroy();
  }

  // ---- the socket

  #onData(chunk: Buffer): void {
    this.#counts.received.add(chunk.length);
    if (this.#lingering) return;
    if (this.#tunnel) this.#events?.onData(chunk, 0, chunk.length);
    else if (this.#waiting !== null) this.#waiting = Buffer.concat([this.#waiting, chunk]);
    else this.#feed(chunk);
  }

  #feed(chunk: Buffer): void {
    this.#pushing = true;
    const taken = this.#decoder.push(chunk, 0, chunk.length);
    this.#pushing = false;
    if (this.#lingering) return;
    if (taken < chunk.length) {
      this.#waiting = chunk.subarray(taken);
      this.#socket.pause();
    } else if (this.#events === null && !this.#headStarted && !this.#decoder.isBetweenMessages) {
      this.#headStarted = true;
      this.#owner.wheel.add(this, this.#owner.limits.headerTimeoutMs);
    }
  }

  /** The client has sent its last byte: it has left, or (half-close) still wants answers, also to requests that wait. */
  #onEnd(): void {
    this.#peerEnded = true;
    if (this.#waiting === null) this.#allReceived();
  }

  #allReceived(): void {
    this.#keepAlive = false;
    if (this.#lingering) {
      this.#socket.destroySoon();
    } else if (this.#tunnel) {
      this.#events?.onEnd(null);
      if (this.#responseDone) this.#events = null;
    } else if (this.#events === null) {
      if (this.#decoder.isBetweenMessages) this.#close();
      else this.onMalformed({ status: 400, message: 'the connection was closed in the middle of a request head' });
    } else if (!this.#requestDone || (this.#owner.limits.endMeansGone === true && !this.#responseStarted)) {
      this.#gone({ type: 'closed' });
      this.#socket.destroy();
    }
  }

  #gone(reason: ResetReason): void {
    const events = this.#events;
    this.#events = null;
    this.#decoder.stop();
    events?.onReset(reason);
  }

  // ---- the end of an exchange

  #wantsKeepAlive(options: ConnectionOptions): boolean {
    if (this.#draining || options.close) return false;
    return this.#minorVersion > 0 || options.keepAlive;
  }

  /** How long it may go on without a request. */
  #idleLeftMs(): number {
    const { limits, wheel } = this.#owner;
    return Math.min(this.#idleSinceMs + limits.idleTimeoutMs, this.#expiresMs) - wheel.nowMs;
  }

  #isExpired(): boolean {
    return this.#owner.wheel.nowMs >= this.#expiresMs;
  }

  #responseEnded(): void {
    this.#responseDone = true;
    if (this.#tunnel) {
      this.#socket.end();
      if (this.#peerEnded) this.#events = null;
      return;
    }
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (!this.#responseDone) return;
    if (!this.#requestDone) {
      this.#close();
      return;
    }
    this.#events = null;
    if (!this.#keepAlive || this.#isExpired()) {
      this.#close();
      return;
    }
    this.#requestDone = false;
    this.#responseStarted = false;
    this.#responseDone = false;
    this.#closeDelimited = false;
    this.resume();
    this.#idleSinceMs = this.#owner.wheel.nowMs;
    // A client that doesn't read its answers is asked for no further requests.
    if (this.#socket.writableLength < this.#socket.writableHighWaterMark) this.#next();
    else this.#socket.once('drain', () => this.#next());
  }

  #next(): void {
    if (this.#lingering) return;
    this.#decoder.next();
    if (!this.#pushing) this.#continue();
  }

  /** Goes on with what the client has sent meanwhile. */
  #continue(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#feed(waiting);
    if (this.#waiting !== null) return;
    if (this.#peerEnded) this.#allReceived();
    else if (!this.#held && this.#socket.isPaused()) this.#socket.resume();
  }

  #startTunnel(): void {
    this.#owner.wheel.remove(this);
    this.#decoder.stop();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#events?.onData(waiting, 0, waiting.length);
    if (!this.#held) this.#socket.resume();
    if (this.#peerEnded) this.#events?.onEnd(null);
  }

  /** Ends after what was sent has left. A client that doesn't read it, or doesn't end in turn, is not waited for long. */
  #close(): void {
    this.#events = null;
    this.#lingering = true;
    this.#waiting = null;
    this.#decoder.stop();
    this.#socket.end(() => {
      if (!this.#socket.destroyed) this.#owner.wheel.add(this, LINGER_MS);
    });
    this.#socket.resume();
    this.#owner.wheel.add(this, this.#owner.limits.idleTimeoutMs);
  }
}
