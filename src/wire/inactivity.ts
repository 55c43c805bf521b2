/**
 * Ends connections whose peer has fallen silent or takes nothing (`socketOptions.readTimeoutMs`, `writeTimeoutMs`). It looks
 * at the socket's own counters now and then, so that bytes cost nothing more for being watched.
 */
import type { Socket } from 'node:net';
import { TimerEntry, type TimerWheel } from './timer-wheel.ts';

export interface InactivityLimits {
  /** How long a peer whose turn it is may send nothing; none or 0: for ever. */
  readonly readTimeoutMs?: number | undefined;
  /** How long what was written may wait without any of it leaving; none or 0: for ever. */
  readonly writeTimeoutMs?: number | undefined;
}

/** Who has to send next: in a tunnel bytes either way are a sign of life. */
export type Turn = 'peer' | 'either' | 'own';

export interface WatchedConnection {
  readonly turn: Turn;
  onSilence(message: string): void;
  onStall(message: string): void;
}

/** Looks within a limit: it is exceeded by no more than a part in so many. */
const LOOKS = 4;

export class InactivityWatch extends TimerEntry {
  readonly #socket: Socket;
  readonly #connection: WatchedConnection;
  readonly #wheel: TimerWheel;
  readonly #readTimeoutMs: number;
  readonly #writeTimeoutMs: number;
  #read = 0;
  #readMs: number;
  #left = 0;
  #leftMs: number;

  /** Begins to watch; null where there is nothing to watch for. `wheel.remove` ends it. */
  static start(
    socket: Socket,
    connection: WatchedConnection,
    limits: InactivityLimits,
    wheel: TimerWheel,
  ): InactivityWatch | null {
    const readTimeoutMs = limits.readTimeoutMs || Number.POSITIVE_INFINITY;
    const writeTimeoutMs = limits.writeTimeoutMs || Number.POSITIVE_INFINITY;
    if (!Number.isFinite(Math.min(readTimeoutMs, writeTimeoutMs))) return null;
    return new InactivityWatch(socket, connection, wheel, readTimeoutMs, writeTimeoutMs);
  }

  private constructor(
    socket: Socket,
    connection: WatchedConnection,
    wheel: TimerWheel,
    readTimeoutMs: number,
    writeTimeoutMs: number,
  ) {
    super();
    this.#socket = socket;
    this.#connection = connection;
    this.#wheel = wheel;
    this.#readTimeoutMs = readTimeoutMs;
    this.#writeTimeoutMs = writeTimeoutMs;
    this.#readMs = wheel.nowMs;
    this.#leftMs = wheel.nowMs;
    this.#lookLater();
  }

  onTimer(): void {
    const { nowMs } = this.#wheel;
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    const { turn } = this.#connection;
    const hasRead = bytesRead !== this.#read;
    const hasLeft = bytesWritten - writableLength !== this.#left;
    this.#read = bytesRead;
    this.#left = bytesWritten - writableLength;
    if (hasRead || turn === 'own' || (hasLeft && turn === 'either')) this.#readMs = nowMs;
    if (hasLeft || writableLength === 0) this.#leftMs = nowMs;
    if (nowMs - this.#leftMs >= this.#writeTimeoutMs) {
      this.#connection.onStall(`nothing could be sent for ${this.#writeTimeoutMs} ms`);
    } else if (nowMs - this.#readMs >= this.#readTimeoutMs) {
      this.#connection.onSilence(`nothing was received for ${this.#readTimeoutMs} ms`);
    } else {
      this.#lookLater();
    }
  }

  #lookLater(): void {
    this.#wheel.add(this, Math.min(this.#readTimeoutMs, this.#writeTimeoutMs) / LOOKS);
  }
}
