/** A namerd, and the places of watches on it. */
import type { NamerdClient } from './client.ts';

/** A namerd that a watch broke off on is not chosen for this long, if there is another, ms. */
const AVOID_MS = 1_000;

/** A namerd that is connected to, or tried to be. */
export class Slot {
  readonly key: string;
  readonly client: NamerdClient;
  /** It was connected to when there was no other, so that it is given long to answer. */
  readonly isPatient: boolean;
  readonly seats = new Set<Seat>();
  opening = 0;
  isUp = false;
  /** Its address is no longer in the list, or is connected to anew: watches leave it as soon as another has them. */
  isLeaving = false;
  avoidUntil = 0;
  stopObserving: () => void = () => {};

  constructor(key: string, client: NamerdClient, isPatient: boolean) {
    this.key = key;
    this.client = client;
    this.isPatient = isPatient;
  }
}

/** A watch's place on a namerd. */
export class Seat {
  readonly slot: Slot;
  readonly since = performance.now();
  /** The namerd can't be reached any more, or (`isLeaving`) should be left for another. */
  onGone: (isLeaving: boolean) => void = () => {};
  readonly #changed: () => void;
  #isOpening = true;

  constructor(slot: Slot, changed: () => void) {
    this.slot = slot;
    this.#changed = changed;
    slot.seats.add(this);
    slot.opening++;
  }

  get client(): NamerdClient {
    return this.slot.client;
  }

  /** `host:port`. */
  get address(): string {
    return this.slot.key;
  }

  /** The namerd has taken the watch. */
  opened(): void {
    if (!this.#isOpening) return;
    this.#isOpening = false;
    this.slot.opening--;
    this.#changed();
  }

  /** The watch is over; `isLost`: it broke off. */
  leave(isLost: boolean): void {
    this.opened();
    this.slot.seats.delete(this);
    if (isLost) this.slot.avoidUntil = performance.now() + AVOID_MS;
    this.#changed();
  }
}
