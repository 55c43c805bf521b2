/**
 * The client's side of a CONNECT tunnel (RFC 9110 9.3.6): a bare TCP connection to an endpoint. Once it is established it
 * answers the CONNECT itself; then bytes pass both ways until both sides have ended.
 */
import net from 'node:net';
import { PlainResponseHead } from './head.ts';
import { MessageEncoder } from './http1/encoder.ts';
import { NO_BYTES, type StreamEvents, type UpstreamStream } from './stream.ts';
import { TimerEntry, type TimerWheel } from './timer-wheel.ts';

export interface TunnelOptions {
  readonly wheel: TimerWheel;
  readonly connectTimeoutMs: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

export interface TunnelOwner {
  onConnection(tunnel: TunnelConnection): void;
  /** `code` is the system's, or ETIMEDOUT. */
  onConnectFailed(code: string): void;
}

export class TunnelConnection extends TimerEntry implements UpstreamStream {
  /** It carries one stream and is never reused. */
  readonly streams = 0;
  readonly wasUnanswered = false;
  readonly #socket: net.Socket;
  readonly #encoder: MessageEncoder;
  readonly #wheel: TimerWheel;
  readonly #owner: TunnelOwner;
  #events: StreamEvents | null = null;
  #connected = false;
  #sentEnd = false;
  #receivedEnd = false;

  constructor(host: string, port: number, options: TunnelOptions, owner: TunnelOwner) {
    super();
    this.#owner = owner;
    this.#wheel = options.wheel;
    const { noDelay, keepAlive } = options;
    this.#socket = net.connect({ host, port, noDelay, keepAlive, allowHalfOpen: true });
    this.#encoder = new MessageEncoder(this.#socket, () => this.#events?.onDrain());
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('data', (chunk: Buffer) => this.#events?.onData(chunk, 0, chunk.length));
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#onFailure(error.code ?? 'EIO'));
    this.#socket.on('close', () => this.#onFailure('ECONNRESET'));
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
    this.#wheel.remove(this);
    // Neither a failed connection nor an orderly end of the tunnel: the owner is told nothing, the server sees a reset.
    if (this.#connected) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
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

  #onConnect(): void {
    this.#connected = true;
    this.#wheel.remove(this);
    // Nothing is read before somebody listens.
    this.#socket.pause();
    this.#owner.onConnection(this);
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

  #onFailure(code: string): void {
    this.#wheel.remove(this);
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
