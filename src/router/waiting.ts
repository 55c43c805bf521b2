/** What a request waits for before it can be sent (again): its name, the addresses behind it, the end of a backoff. */
import type { TimerWheel } from '../wire/timer-wheel.ts';
import { Deadline, type DeadlineOwner } from './deadline.ts';

/** What is not known yet. */
export interface Unsettled {
  /** Calls back once. Returns what withdraws the callback. */
  whenSettled(callback: () => void): () => void;
}

/** The longest that Node's timers can wait; they take what is longer for no time at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Waiting implements DeadlineOwner {
  readonly #wheel: TimerWheel;
  readonly #bindingTimeoutMs: number;
  readonly #onBindingTimeout: () => void;
  /** For name and addresses together. */
  #boundBy: Deadline | null = null;
  #isForName = false;
  #withdraw: (() => void) | null = null;

  constructor(wheel: TimerWheel, bindingTimeoutMs: number, onBindingTimeout: () => void) {
    this.#wheel = wheel;
    this.#bindingTimeoutMs = bindingTimeoutMs;
    this.#onBindingTimeout = onBindingTimeout;
  }

  /** For a name or its addresses, no longer than `bindingTimeoutMs` in all. */
  forName(awaited: Unsettled, proceed: () => void): void {
    if (this.#boundBy === null) {
      this.#boundBy = new Deadline(this);
      this.#wheel.add(this.#boundBy, this.#bindingTimeoutMs);
    }
    this.#isForName = true;
    this.#withdraw = awaited.whenSettled(() => {
      // What others did when they were called back may have ended this request.
      if (!this.#isForName) return;
      this.#isForName = false;
      this.#withdraw = null;
      proceed();
    });
  }

  /** For so many ms. Not by the wheel: its ticks would bring the requests together again that a backoff sets apart. */
  forTime(ms: number, proceed: () => void): void {
    const timer = setTimeout(
      () => {
        this.#withdraw = null;
        proceed();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    this.#withdraw = () => clearTimeout(timer);
  }

  onDeadline(): void {
    if (this.#isForName) this.#onBindingTimeout();
  }

  close(): void {
    if (this.#boundBy !== null) this.#wheel.remove(this.#boundBy);
    this.#withdraw?.();
    this.#withdraw = null;
    this.#isForName = false;
  }
}
