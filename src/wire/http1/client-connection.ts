/**
 * The client's side of an HTTP/1 connection: one stream at a time, kept for the next when both messages ended cleanly.
 * A server has no reason to speak first: bytes on an idle connection, or after a response, end it.
 */
import net from 'node:net';
import { type ConnectionCounts, UNCOUNTED } from '../connection-counts.ts';
import { Body, type Head, type RequestHead } from '../head.ts';
import { type InactivityLimits, InactivityWatch, type Turn, type WatchedConnection } from '../inactivity.ts';
import { bit, Known } from '../known-headers.ts';
import { type BytesReader, ReadBuffer } from '../read-buffer.ts';
import type { ResetReason, StreamEvents, UpstreamStream } from '../stream.ts';
import { TimerEntry, type TimerWheel } from '../timer-wheel.ts';
import { type DecoderEvents, type DecoderLimits, MessageDecoder } from './decoder.ts';
import { MessageEncoder, needsChunking } from './encoder.ts';
import { readConnection } from './framing.ts';
import type { Http1Head } from './head.ts';
import type { WireError } from './syntax.ts';
import { isAmong, NO_PROTOCOLS, protocolsToOffer, upgradeFields } from './upgrade.ts';

export interface ClientConnectionOptions extends InactivityLimits {
  readonly limits: DecoderLimits;
  readonly wheel: TimerWheel;
  readonly connectTimeoutMs: number;
  readonly noDelay: boolean;
  /** TCP keep-alive probes. */
  readonly keepAlive: boolean;
  readonly counts?: ConnectionCounts | undefined;
}

export interface ClientConnectionOwner {
  connected(connection: Http1ClientConnection): void;
  /** The connection was never established; `code` is the system's, or ETIMEDOUT. */
  connectFailed(connection: Http1ClientConnection, code: string): void;
  /** The stream ended and the connection can carry another. */
  reusable(connection: Http1ClientConnection): void;
  closed(connection: Http1ClientConnection): void;
}

/** Methods whose requests say `Content-Length: 0` when they have no body (RFC 9110 8.6). */
const EXPECT_BODY = new Set(['POST', 'PUT', 'PATCH']);

export class Http1ClientConnection
  extends TimerEntry
  implements UpstreamStream, DecoderEvents, WatchedConnection, BytesReader
{
  readonly #socket: net.Socket;
  readonly #options: ClientConnectionOptions;
  readonly #owner: ClientConnectionOwner;
  readonly #decoder: MessageDecoder;
  readonly #encoder: MessageEncoder;
  readonly #counts: ConnectionCounts;
  readonly openedMs: number;
  /** By performance.now(), when it began to connect and when it was connected; 0: it isn't. */
  readonly createdAt = performance.now();
  connectedAt = 0;
  /** Wheel time at which it was established or last given back. */
  idleSinceMs = 0;
  /** Streams carried before the present one. */
  streams = 0;
  /** Streams with the present one. */
  requests = 0;
  /** After a reset: not one byte of an answer had been received. */
  wasUnanswered = false;

  #connected = false;
  #watch: InactivityWatch | null = null;
  #events: StreamEvents | null = null;
  #requestDone = false;
  #responseStarted = false;
  #responseDone = false;
  #reusable = true;
  #tunnel = false;
  /** What the request asks to go on in. */
  #offered = NO_PROTOCOLS;
  #peerEnded = false;
  #reading = false;
  readonly #buffer = new ReadBuffer(this);
  /** What the server has sent is still on its way to the client. */
  #held = false;

  constructor(host: string, port: number, options: ClientConnectionOptions, owner: ClientConnectionOwner) {
    super();
    this.#options = options;
    this.#owner = owner;
    this.#counts = options.counts ?? UNCOUNTED;
    this.openedMs = options.wheel.nowMs;
    this.#socket = net.connect({
      host,
      port,
      noDelay: options.noDelay,
      keepAlive: options.keepAlive,
      allowHalfOpen: true,
      onread: this.#buffer.onread,
    });
    this.#decoder = new MessageDecoder('response', options.limits, this);
    this.#encoder = new MessageEncoder(this.#socket, () => this.#events?.onDrain(), this.#counts);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onError(error.code ?? 'EIO'));
    this.#socket.on('close', () => this.#onClose());
    options.wheel.add(this, options.connectTimeoutMs);
  }

  /** While it is idle: nothing has come that ends it. It may be on its way out already. */
  get isReusable(): boolean {
    return this.#reusable;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Takes the connection for one stream; the head is sent next. */
  open(events: StreamEvents): void {
    this.requests++;
    this.#events = events;
    this.#requestDone = false;
    this.#responseStarted = false;
    this.#responseDone = false;
    this.#tunnel = false;
  }

  destroy(): void {
    this.#events = null;
    this.#reusable = false;
    this.#decoder.stop();
    this.#socket.destroy();
  }

  // ---- Stream: what is sent to the server

  sendHead(head: RequestHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    this.#offered = (head.present & bit(Known.upgrade)) === 0 ? NO_PROTOCOLS : protocolsToOffer(head);
    const upgrade = upgradeFields(this.#offered);
    this.#decoder.expectResponseTo(head.method, upgrade !== '');
    let own = '';
    const chunked = needsChunking(head) && head.minorVersion > 0;
    if (chunked) own = 'Transfer-Encoding: chunked\r\n';
    else if (head.bodyKind === Body.none && EXPECT_BODY.has(head.method)) own = 'Content-Length: 0\r\n';
    own += upgrade;
    // An HTTP/1.0 request is not kept alive: the server may close behind its answer without saying so.
    if (head.minorVersion === 0) this.#reusable = false;
    this.#requestDone = fin;
    return this.#encoder.head(
      `${head.method} ${head.target} HTTP/1.${head.minorVersion}\r\n`,
      head,
      own,
      chunked,
      chunk,
      start,
      end,
      fin,
    );
  }

  /** A client sends no interim messages. */
  sendInterim(): void {}

  sendData(chunk: Buffer, start: number, end: number): boolean {
    return this.#encoder.data(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    this.#encoder.end(trailers);
    this.#requestDone = true;
    if (this.#tunnel) this.#socket.end();
    this.#finishIfDone();
  }

  reset(): void {
    // The orderly end of a tunnel would look as if all of it had been sent.
    if (this.#tunnel) this.#socket.resetAndDestroy();
    this.destroy();
  }

  hold(): void {
    this.#held = true;
    this.#socket.pause();
    this.#buffer.lend();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#buffer.takeBack();
    this.#socket.resume();
  }

  // ---- DecoderEvents: what the server sent

  onHead(head: Http1Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#responseStarted = true;
    if (head.status === 101 && !this.#requestDone) {
      this.#fail({ type: 'malformed', status: 502, message: '101 came before the request was complete' });
      return;
    }
    if (head.status === 101 && !isAmong(this.#offered, head)) {
      this.#fail({ type: 'malformed', status: 502, message: '101 names no protocol that was asked for' });
      return;
    }
    this.#tunnel = head.bodyKind === Body.tunnel;
    // From here on the request's direction ends where the tunnel's does.
    if (this.#tunnel) this.#requestDone = false;
    const options = readConnection(head);
    if (options.close || head.bodyKind === Body.untilClose || this.#tunnel) this.#reusable = false;
    if (head.minorVersion === 0 && !options.keepAlive) this.#reusable = false;
    this.#responseDone = fin;
    this.#events?.onHead(head, chunk, start, end, fin);
    this.#finishIfDone();
  }

  onInterimHead(head: Http1Head): void {
    readConnection(head);
    this.#responseStarted = true;
    this.#events?.onInterim(head);
  }

  onBody(chunk: Buffer, start: number, end: number): void {
    this.#events?.onData(chunk, start, end);
  }

  onComplete(trailers: Head | null): void {
    this.#responseDone = true;
    this.#events?.onEnd(trailers);
    this.#finishIfDone();
  }

  onMalformed(error: WireError): void {
    this.#fail({ type: 'malformed', status: 502, message: error.message });
  }

  // ---- TimerEntry: only the connect timeout

  onTimer(): void {
    if (!this.#connected) this.#onError('ETIMEDOUT');
  }

  // ---- WatchedConnection

  get turn(): Turn {
    if (this.#tunnel) return 'either';
    return this.#events === null || (this.#requestDone && !this.#held) ? 'peer' : 'own';
  }

  onSilence(message: string): void {
    this.#counts.readTimedOut();
    this.#fail({ type: 'timeout', message });
  }

  onStall(message: string): void {
    this.#counts.writeTimedOut();
    this.#fail({ type: 'timeout', message });
  }

  // ---- the socket

  #onConnect(): void {
    this.#connected = true;
    const { wheel } = this.#options;
    wheel.remove(this);
    this.idleSinceMs = wheel.nowMs;
    this.connectedAt = performance.now();
    this.#watch = InactivityWatch.start(this.#socket, this, this.#options, wheel);
    this.#owner.connected(this);
  }

  onBytes(chunk: Buffer, length: number): boolean {
    this.#counts.received(length);
    if (this.#events === null) {
      this.destroy();
      return false;
    }
    this.#reading = true;
    const taken = this.#decoder.push(chunk, 0, length);
    this.#reading = false;
    // More than was asked for: whatever it is, it must not become the answer to the next request.
    if (taken < length) this.#reusable = false;
    if (this.#events !== null) return true;
    this.#giveBack();
    return false;
  }

  #onEnd(): void {
    this.#peerEnded = true;
    this.#reusable = false;
    if (this.#events === null || !this.#decoder.finish()) {
      this.#fail({ type: 'closed' });
    } else if (!this.#responseDone) {
      // Between messages, before the response began.
      this.#fail({ type: 'closed' });
    }
  }

  #onError(code: string): void {
    if (!this.#connected) {
      this.#connected = true;
      this.#options.wheel.remove(this);
      this.#socket.destroy();
      this.#owner.connectFailed(this, code);
      return;
    }
    this.#fail({ type: 'failed', code });
  }

  #onClose(): void {
    this.#options.wheel.remove(this);
    if (this.#watch !== null) this.#options.wheel.remove(this.#watch);
    this.#fail({ type: 'closed' });
    this.#owner.closed(this);
  }

  #fail(reason: ResetReason): void {
    const events = this.#events;
    this.wasUnanswered = !this.#responseStarted && this.#decoder.isBetweenMessages;
    this.destroy();
    events?.onReset(reason);
  }

  #finishIfDone(): void {
    if (!this.#responseDone || this.#events === null) return;
    if (this.#tunnel && !(this.#requestDone && this.#peerEnded)) return;
    this.#events = null;
    // The last bytes of a response may still be on their way while the connection serves the next request.
    if (this.#held) {
      this.#held = false;
      this.#buffer.giveAway();
      this.#socket.resume();
    }
    // Within a read the connection is given back after it, when it is known that nothing else came with it.
    if (!this.#reading) this.#giveBack();
  }

  #giveBack(): void {
    if (this.#reusable && this.#requestDone && this.#responseDone) {
      this.streams += 1;
      this.idleSinceMs = this.#options.wheel.nowMs;
      this.#owner.reusable(this);
    } else if (this.#tunnel) {
      this.#socket.destroySoon();
    } else {
      this.destroy();
    }
  }
}
