/**
 * The client's side of a CONNECT tunnel (RFC 9110 9.3.6): a bare TCP connection to an endpoint. Once it is established it
 * answers the CONNECT itself; then bytes pass both ways until both sides have ended.
 */
import net from 'node:net';
import { type ConnectionCounts, UNCOUNTED } from './connection-counts.ts';
import { PlainResponseHead } from './head.ts';
import { MessageEncoder } from './http1/encoder.ts';
import { type InactivityLimits, InactivityWatch, type WatchedConnection } from './inactivity.ts';
import { NO_BYTES, type StreamEvents, type UpstreamStream } from './stream.ts';
import { TimerEntry, type TimerWheel } from './timer-wheel.ts';

export interface TunnelOptions extends InactivityLimits {
  readonly counts?: ConnectionCounts | undefined;
  readonly wheel: TimerWheel;
  readonly connectTimeoutMs: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

export interface TunnelOwner {
  onConnection(tunnel: TunnelConnection): void;
  /** `code` is the system's, or ETIMEDOUT. */
  onConnectFailed(code: string): void;
  /** It was reset before it was connected. */
  onConnectCancelled?(): void;
  onClosed?(): void;
}

export class TunnelConnection extends TimerEntry implements UpstreamStream, WatchedConnection {
  /** It carries one stream and is never reused. */
  readonly streams = 0;
  readonly wasUnanswered = false;
  readonly turn = 'either';
  readonly #socket: net.Socket;
  readonly #encoder: MessageEncoder;
  readonly #options: TunnelOptions;
  readonly #owner: TunnelOwner;
  readonly #counts: ConnectionCounts;
  #watch: InactivityWatch | null = null;
  #events: StreamEvents | null = null;
  #connected = false;
  #sentEnd = false;
  #receivedEnd = false;

  constructor(host: string, port: number, options: TunnelOptions, owner: TunnelOwner) {
    super();
    this.#owner = owner;
    this.#options = options;
    this.#counts = options.counts ?? UNCOUNTED;
    const { noDelay, keepAlive } = options;
    this.#socket = net.connect({ host, port, noDelay, keepAlive, allowHalfOpen: true });
    this.#encoder = new MessageEncoder(this.#socket, () => this.#events?.onDrain(), this.#counts);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onFailure(error.code ?? 'EIO'));
    this.#socket.on('close', () => this.#onClose());
    options.wheel.add(this, options.connectTimeoutMs);
  }

  open(events: StreamEvents): void {
    this.#events = events;
  }

  /** The CONNECT request itself goes nowhere: the tunnel exists, so it is answered. */
  sendHead(): boolean {
    this.#events?.onHead(PlainResponseHead.tunnel('Connection established'), NO_BYTES, 0, 0, false);
    this.#socket.resume();
    return true;
  }

  sendInterim(): void {}

  sendData(chunk: Buffer, start: number, end: number): boolean {
    return this.#encoder.data(chunk, start, end);
  }

  sendEnd(): void {
    this.#sentEnd = true;
    this.#socket.end();
    this.#endIfDone();
  }

  reset(): void {
    this.#events = null;
    this.#options.wheel.remove(this);
    // Neither a failed connection nor an orderly end of the tunnel: the owner is told nothing, the server sees a reset.
    if (this.#connected) this.#socket.resetAndDestroy();
    else {
      this.#socket.destroy();
      this.#owner.onConnectCancelled?.();
    }
    this.#connected = true;
  }

  hold(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  onTimer(): void {
    this.#onFailure('ETIMEDOUT');
  }

  onSilence(): void {
    this.#counts.readTimedOut();
    this.#onFailure('ETIMEDOUT');
  }

  onStall(): void {
    this.#counts.writeTimedOut();
    this.#onFailure('ETIMEDOUT');
  }

  #onConnect(): void {
    this.#connected = true;
    const { wheel } = this.#options;
    wheel.remove(this);
    this.#watch = InactivityWatch.start(this.#socket, this, this.#options, wheel);
    // Nothing is read before somebody listens.
    this.#socket.pause();
    this.#owner.onConnection(this);
  }

  #onData(chunk: Buffer): void {
    this.#counts.received(chunk.length);
    this.#events?.onData(chunk, 0, chunk.length);
  }

  #onEnd(): void {
    this.#receivedEnd = true;
    this.#events?.onEnd(null);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#sentEnd || !this.#receivedEnd) return;
    this.#events = null;
    this.#socket.destroySoon();
  }

  #onClose(): void {
    if (this.#watch !== null) this.#options.wheel.remove(this.#watch);
    this.#onFailure('ECONNRESET');
    this.#owner.onClosed?.();
  }

  #onFailure(code: string): void {
    this.#options.wheel.remove(this);
    if (!this.#connected) {
      this.#connected = true;
      this.#socket.destroy();
      this.#owner.onConnectFailed(code);
      return;
    }
    const events = this.#events;
    this.#events = null;
    this.#socket.destroy();
    events?.onReset({ type: 'failed', code });
  }
}
