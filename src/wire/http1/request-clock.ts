/**
 * How long a client may take on a connection: for a head, without a request, in all. One entry of the wheel for each
 * connection, which looks at its own times when it comes round; a request moves nothing on the wheel.
 */
import { TimerEntry, type TimerWheel } from '../timer-wheel.ts';

export interface RequestTimes {
  /** From the first byte of a head to its last. */
  readonly headerTimeoutMs: number;
  /** Without a request under way. */
  readonly idleTimeoutMs: number;
  /** After so long the response under way is the last; none: never. */
  readonly lifeTimeMs?: number | undefined;
}

export interface RequestClockOwner {
  /** A head has begun and isn't complete in time. */
  onHeadOverdue(): void;
  /** The connection was idle, or has lived, for as long as it may. */
  onIdleTooLong(): void;
}

const State = { idle: 0, head: 1, request: 2 } as const;

export class RequestClock extends TimerEntry {
  readonly #wheel: TimerWheel;
  readonly #times: RequestTimes;
  readonly #owner: RequestClockOwner;
  /** Wheel time from which on no further request is taken. */
  readonly #expiresMs: number;
  #idleSinceMs: number;
  #state: number = State.idle;

  constructor(wheel: TimerWheel, times: RequestTimes, owner: RequestClockOwner) {
    super();
    this.#wheel = wheel;
    this.#times = times;
    this.#owner = owner;
    this.#idleSinceMs = wheel.nowMs;
    this.#expiresMs = wheel.nowMs + (times.lifeTimeMs ?? Number.POSITIVE_INFINITY);
    wheel.add(this, this.#idleLeftMs());
  }

  get isExpired(): boolean {
    return this.#wheel.nowMs >= this.#expiresMs;
  }

  /** Whether a head has begun and is not complete. */
  get isWithinHead(): boolean {
    return this.#state === State.head;
  }

  /** A part of a head has come. */
  headBegan(): void {
    if (this.#state === State.head) return;
    this.#state = State.head;
    this.#wheel.add(this, this.#times.headerTimeoutMs);
  }

  requestBegan(): void {
    this.#state = State.request;
  }

  requestEnded(): void {
    this.#state = State.idle;
    this.#idleSinceMs = this.#wheel.nowMs;
  }

  stop(): void {
    this.#wheel.remove(this);
  }

  onTimer(): void {
    if (this.#state === State.head) {
      this.#owner.onHeadOverdue();
    } else if (this.#state === State.request) {
      this.#wheel.add(this, this.#times.idleTimeoutMs);
    } else {
      const leftMs = this.#idleLeftMs();
      if (leftMs > 0) this.#wheel.add(this, leftMs);
      else this.#owner.onIdleTooLong();
    }
  }

  #idleLeftMs(): number {
    return Math.min(this.#idleSinceMs + this.#times.idleTimeoutMs, this.#expiresMs) - this.#wheel.nowMs;
  }
}
