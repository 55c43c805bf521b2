/**
 * Which namerd a watch goes to. Watches are spread: one goes to the namerd that has the fewest; while there is none they wait here.
 *
 *     watches --apply--> waiting --(at most 16 unanswered a namerd)--> seats on a namerd
 *
 * A watch that waits for an answer holds up no request by itself; but a namerd that has just come up would be asked for
 * everything by the whole fleet in one moment. So each Signpost has few questions open at a time, those without any answer yet first.
 */
import { Seat, type Slot } from './seat.ts';

/** Watches of one namerd that may wait for it to take them. */
const MAX_OPENING = 16;
/** A namerd that has not taken a watch by now is busy with it, ms. The original does not say that it has taken one. */
const OPEN_TIMEOUT_MS = 1_000;

/** Who wants to watch. */
export interface Applicant {
  /** It has no answer yet, so requests may wait for it. */
  readonly isUrgent: boolean;
  begin(seat: Seat): void;
}

export interface SeatingOptions {
  /** The namerds that there are now. */
  readonly slots: () => Iterable<Slot>;
  /** A watch has left a namerd, or was taken by it. */
  readonly onChange: (slot: Slot) => void;
}

export class Seating {
  readonly #options: SeatingOptions;
  readonly #urgent = new Set<Applicant>();
  readonly #patient = new Set<Applicant>();
  #isPumping = false;

  constructor(options: SeatingOptions) {
    this.#options = options;
  }

  /** Gives the applicant a seat as soon as there is one. Returns what withdraws it; after `begin` that does nothing. */
  apply(applicant: Applicant): () => void {
    const queue = applicant.isUrgent ? this.#urgent : this.#patient;
    queue.add(applicant);
    this.pump();
    return () => queue.delete(applicant);
  }

  /** To be called when there may be more room. In a turn of its own: an applicant may be called back in the midst of what it does else. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      for (const queue of [this.#urgent, this.#patient]) {
        for (const applicant of queue) {
          const slot = this.#choose();
          if (slot === undefined) return;
          queue.delete(applicant);
          applicant.begin(new Seat(slot, () => this.#onSeatChange(slot)));
        }
      }
    });
  }

  /** To be called from time to time: takes as open what has been waiting for too long. */
  sweep(now: number): void {
    for (const { seats } of this.#options.slots()) {
      for (const seat of seats) if (now - seat.since > OPEN_TIMEOUT_MS) seat.opened();
    }
  }

  clear(): void {
    this.#urgent.clear();
    this.#patient.clear();
  }

  #onSeatChange(slot: Slot): void {
    this.#options.onChange(slot);
    if (this.#urgent.size + this.#patient.size > 0) this.pump();
  }

  /** The one with the fewest watches, of those that take one; one that was broken off on lately only if there is no other. */
  #choose(): Slot | undefined {
    const now = performance.now();
    let best: Slot | undefined;
    const rank = (slot: Slot): number => slot.seats.size + (slot.avoidUntil > now ? 1e9 : 0);
    for (const slot of this.#options.slots()) {
      if (!slot.isUp || slot.isLeaving || slot.opening >= MAX_OPENING) continue;
      if (best === undefined || rank(slot) < rank(best)) best = slot;
    }
    return best;
  }
}
