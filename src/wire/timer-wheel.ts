/**
 * One coarse timer for everything on a data thread. A request costs no timer: a connection or a waiting request is an
 * entry of the wheel once, and looks at its own deadline when its slot comes round.
 *
 *     slots:  [0] [1] [2] ... [511]     each a doubly linked ring of entries
 *              ^ one slot every TICK_MS; an entry further away than the wheel comes round again
 */
export const TICK_MS = 50;
const SLOTS = 512;

export abstract class TimerEntry {
  next: TimerEntry | null = null;
  previous: TimerEntry | null = null;
  /** Wheel time (ms) at which the entry is due. */
  dueMs = 0;

  abstract onTimer(): void;
}

class Ring extends TimerEntry {
  constructor() {
    super();
    this.next = this;
    this.previous = this;
  }
  onTimer(): void {}
}

export class TimerWheel {
  /** Milliseconds since the wheel was made; advances in ticks. */
  nowMs = 0;
  readonly #slots: Ring[] = Array.from({ length: SLOTS }, () => new Ring());
  /** Entries that are due and not called yet. */
  readonly #due = new Ring();
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #tick = 0;

  constructor() {
    this.#timer = setInterval(() => this.#advance(), TICK_MS).unref();
  }

  /** Schedules (or moves) an entry. It fires up to a tick late (more when the thread is busy), never early. */
  add(entry: TimerEntry, delayMs: number): void {
    this.remove(entry);
    // By the clock, not by `nowMs`: that stands still while the thread is busy.
    const tick = Math.max(this.#tick + 1, Math.ceil((performance.now() - this.#startedMs + delayMs) / TICK_MS));
    entry.dueMs = tick * TICK_MS;
    this.#link(this.#ringOf(tick), entry);
  }

  remove(entry: TimerEntry): void {
    if (entry.next === null) return;
    (entry.previous as TimerEntry).next = entry.next;
    entry.next.previous = entry.previous;
    entry.next = null;
    entry.previous = null;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The slot of a tick that is to come, or the last one before the wheel comes round. */
  #ringOf(tick: number): Ring {
    return this.#slots[Math.min(tick, this.#tick + SLOTS - 1) % SLOTS] as Ring;
  }

  #link(ring: Ring, entry: TimerEntry): void {
    const last = ring.previous as TimerEntry;
    last.next = entry;
    entry.previous = last;
    entry.next = ring;
    ring.previous = entry;
  }

  /** Catches up with the clock: after a stall all slots that were passed are served. */
  #advance(): void {
    const target = Math.floor((performance.now() - this.#startedMs) / TICK_MS);
    while (this.#tick < target) {
      this.#tick += 1;
      this.nowMs = this.#tick * TICK_MS;
      this.#serve(this.#slots[this.#tick % SLOTS] as Ring);
    }
  }

  #serve(ring: Ring): void {
    // Entries are set aside first: a callback may add entries to this very slot, and remove others that are due.
    while (ring.next !== ring) {
      const entry = ring.next as TimerEntry;
      this.remove(entry);
      this.#link(entry.dueMs > this.nowMs ? this.#ringOf(entry.dueMs / TICK_MS) : this.#due, entry);
    }
    while (this.#due.next !== this.#due) {
      const entry = this.#due.next as TimerEntry;
      this.remove(entry);
      entry.onTimer();
    }
  }
}
