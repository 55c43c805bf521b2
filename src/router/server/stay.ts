/**
 * How long requests stay in a server, as of late: by Little's law their number divided by the rate at which they leave, so that
 * those that hang count too. It tells clients that are turned away when there is likely to be room.
 */
import type { TimerWheel } from '../../wire/timer-wheel.ts';

/** Over how many ms a request that has left is forgotten. */
const MEMORY_MS = 10_000;
const MAX_SECONDS = 60;

export class Stay {
  readonly #wheel: TimerWheel;
  #inFlight = 0;
  /** Requests that have left, each for less the longer ago that was. */
  #left = 0;
  #lastLeftMs = 0;
  /** When the first one entered, in wheel time. */
  #sinceMs = -1;

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  entered(): void {
    if (this.#sinceMs < 0) this.#sinceMs = this.#wheel.nowMs;
    this.#inFlight++;
  }

  left(): void {
    this.#inFlight--;
    const { nowMs } = this.#wheel;
    if (nowMs !== this.#lastLeftMs) this.#left *= weightAfter(nowMs - this.#lastLeftMs);
    this.#lastLeftMs = nowMs;
    this.#left++;
  }

  /** Whole seconds, 1 to 60: `Retry-After` of a request that is turned away. */
  seconds(): number {
    const { nowMs } = this.#wheel;
    const knownMs = Math.max(0, nowMs - this.#sinceMs);
    const left = this.#left * weightAfter(nowMs - this.#lastLeftMs);
    // Where none has left yet, those that are there will stay as long again as they have.
    const stayMs = left === 0 ? knownMs : (this.#inFlight * MEMORY_MS * (1 - weightAfter(knownMs))) / left;
    return Math.min(MAX_SECONDS, Math.max(1, Math.ceil(stayMs / 1000)));
  }
}

function weightAfter(ms: number): number {
  return Math.exp(-ms / MEMORY_MS);
}
