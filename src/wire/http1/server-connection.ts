/**
 * The server's side of an HTTP/1 connection: one stream after another. request-input.ts reads the requests; here is what
 * becomes of each, and of the connection after it.
 *
 *     idle --head--> request under way --both sides complete--> idle      (keep-alive)
 *                                      \--------------------> closing     (answered; lingering-close.ts)
 */
import type { Socket } from 'node:net';
import { readAccepted } from '../accepted-socket.ts';
import { type ConnectionCounts, UNCOUNTED } from '../connection-counts.ts';
import { Body, type Head, type ResponseHead } from '../head.ts';
import { type InactivityLimits, InactivityWatch, type Turn, type WatchedConnection } from '../inactivity.ts';
import { bit, Known } from '../known-headers.ts';
import { type BytesReader, ReadBuffer } from '../read-buffer.ts';
import { statusLine } from '../reasons.ts';
import type { ConnectionAddresses, ResetReason, Stream, StreamEvents } from '../stream.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import type { DecoderLimits } from './decoder.ts';
import { MessageEncoder, needsChunking } from './encoder.ts';
import { type ConnectionOptions, readConnection } from './framing.ts';
import type { Http1Head } from './head.ts';
import { LingeringClose } from './lingering-close.ts';
import { RequestClock, type RequestClockOwner, type RequestTimes } from './request-clock.ts';
import { RequestInput, type RequestInputOwner } from './request-input.ts';
import type { WireError } from './syntax.ts';

export interface ServerConnectionLimits extends DecoderLimits, InactivityLimits, RequestTimes {
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

const UPGRADE = bit(Known.upgrade);

export class Http1ServerConnection
  implements Stream, RequestInputOwner, RequestClockOwner, ConnectionAddresses, WatchedConnection, BytesReader
{
  readonly #socket: Socket;
  readonly #owner: ServerConnectionOwner;
  readonly #input: RequestInput;
  readonly #clock: RequestClock;
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
  /** Set when the last answer has been sent. */
  #closing: LingeringClose | null = null;

  /** The socket was accepted with `pauseOnConnect`; one of our own takes its place. */
  constructor(accepted: Socket, owner: ServerConnectionOwner) {
    const buffer = new ReadBuffer(this);
    const socket = readAccepted(accepted, buffer);
    this.#socket = socket;
    this.#owner = owner;
    this.#counts = owner.counts ?? UNCOUNTED;
    this.#input = new RequestInput(socket, buffer, owner.limits, this);
    this.#encoder = new MessageEncoder(socket, () => this.#events?.onDrain(), this.#counts);
    this.remoteHost = socket.remoteAddress ?? 'unknown';
    this.remotePort = socket.remotePort ?? 0;
    this.#clock = new RequestClock(owner.wheel, owner.limits, this);
    const watch = InactivityWatch.start(socket, this, owner.limits, owner.wheel);
    socket.on('end', () => this.#input.end());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#gone({ type: 'failed', code: error.code ?? 'EIO' }));
    socket.on('close', () => {
      this.#gone({ type: 'closed' });
      this.#clock.stop();
      if (watch !== null) owner.wheel.remove(watch);
      if (this.#closing !== null) owner.wheel.remove(this.#closing);
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
    if (this.#events === null) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- Stream: what is sent to the client

  sendHead(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    this.#responseStarted = true;
    if (this.#clock.isExpired) this.#keepAlive = false;
    const startLine = statusLine(head.status, head.reason);
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
      this.#encoder.interim(statusLine(head.status, head.reason), head);
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
    this.#input.stop();
    // What is ended by the close, a body or a tunnel, would look complete after an orderly one.
    if (this.#closeDelimited || this.#tunnel || !this.#responseStarted) this.#socket.resetAndDestroy();
    else this.#close();
  }

  hold(): void {
    this.#input.hold();
  }

  resume(): void {
    this.#input.resume();
  }

  // ---- RequestInputOwner: what the client sent

  onHead(head: Http1Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#clock.requestBegan();
    this.#minorVersion = head.minorVersion;
    this.#requestDone = fin;
    const options = readConnection(head);
    // What follows a CONNECT is meant for the tunnel: if there will be none, it must not be taken for requests.
    this.#keepAlive = head.method !== 'CONNECT' && this.#wantsKeepAlive(options);
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
      statusLine(head.status, head.reason),
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

  onUnfinished(): void {
    if (this.#events === null) this.#clock.headBegan();
  }

  onAllReceived(): void {
    this.#keepAlive = false;
    if (this.#closing !== null) {
      this.#socket.destroySoon();
    } else if (this.#tunnel) {
      this.#events?.onEnd(null);
      if (this.#responseDone) this.#events = null;
    } else if (this.#events === null) {
      if (this.#input.isBetweenRequests) this.#close();
      else this.onMalformed({ status: 400, message: 'the connection was closed in the middle of a request head' });
    } else if (!this.#requestDone || (this.#owner.limits.endMeansGone === true && !this.#responseStarted)) {
      this.#gone({ type: 'closed' });
      this.#socket.destroy();
    }
  }

  // ---- RequestClockOwner

  onHeadOverdue(): void {
    const { headerTimeoutMs } = this.#owner.limits;
    this.onMalformed({ status: 408, message: `the request head took longer than ${headerTimeoutMs} ms` });
  }

  onIdleTooLong(): void {
    this.#close();
  }

  // ---- WatchedConnection

  get turn(): Turn {
    if (this.#tunnel) return 'either';
    return this.#events === null || !(this.#requestDone || this.#input.isHeld) ? 'peer' : 'own';
  }

  onSilence(message: string): void {
    this.#counts.readTimedOut();
    if (this.#tunnel || this.#closing !== null) this.#socket.destroy();
    else if (this.#events !== null || this.#clock.isWithinHead) this.onMalformed({ status: 408, message });
    else this.#close();
  }

  /** Nobody is there to be told why. */
  onStall(): void {
    this.#counts.writeTimedOut();
    this.#socket.destroy();
  }

  // ---- the socket

  onBytes(chunk: Buffer, length: number): boolean {
    this.#counts.received(length);
    if (this.#tunnel) this.#events?.onData(chunk, 0, length);
    else this.#input.push(chunk, length);
    return this.#tunnel || (this.#events !== null && !this.#requestDone);
  }

  #gone(reason: ResetReason): void {
    const events = this.#events;
    this.#events = null;
    this.#input.stop();
    events?.onReset(reason);
  }

  // ---- the end of an exchange

  #wantsKeepAlive(options: ConnectionOptions): boolean {
    if (this.#draining || options.close) return false;
    return this.#minorVersion > 0 || options.keepAlive;
  }

  #responseEnded(): void {
    this.#responseDone = true;
    if (this.#tunnel) {
      this.#socket.end();
      if (this.#input.hasEnded) this.#events = null;
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
    if (!this.#keepAlive || this.#clock.isExpired) {
      this.#close();
      return;
    }
    this.#requestDone = false;
    this.#responseStarted = false;
    this.#responseDone = false;
    this.#closeDelimited = false;
    this.#input.giveAway();
    this.#clock.requestEnded();
    // A client that doesn't read its answers is asked for no further requests.
    if (this.#socket.writableLength < this.#socket.writableHighWaterMark) this.#input.next();
    else this.#socket.once('drain', () => this.#input.next());
  }

  #startTunnel(): void {
    this.#clock.stop();
    const early = this.#input.stop();
    if (early !== null) this.#events?.onData(early, 0, early.length);
    if (!this.#input.isHeld) this.#socket.resume();
    if (this.#input.hasEnded) this.#events?.onEnd(null);
  }

  /** Ends after what was sent has left. */
  #close(): void {
    if (this.#closing !== null) return;
    const { wheel, limits } = this.#owner;
    this.#events = null;
    this.#input.stop();
    this.#clock.stop();
    this.#closing = new LingeringClose(this.#socket, wheel, limits.idleTimeoutMs);
  }
}
