/** A limit of time of one exchange: an entry of the timer wheel, made only where a limit holds. */
import { TimerEntry } from '../wire/timer-wheel.ts';

export interface DeadlineOwner {
  onDeadline(): void;
}

export class Deadline extends TimerEntry {
  readonly #owner: DeadlineOwner;

  constructor(owner: DeadlineOwner) {
    super();
    this.#owner = owner;
  }

  onTimer(): void {
    this.#owner.onDeadline();
  }
}
