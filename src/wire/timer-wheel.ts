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
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #tick = 0;

  constructor() {
    this.#timer = setInterval(() => this.#advance(), TICK_MS).unref();
  }

  /** Schedules (or moves) an entry. It fires up to two ticks late, never early. */
  add(entry: TimerEntry, delayMs: number): void {
    this.remove(entry);
    const ticks = Math.max(1, Math.ceil(delayMs / TICK_MS) + 1);
    entry.dueMs = this.nowMs + ticks * TICK_MS;
    this.#link(entry, this.#tick + Math.min(ticks, SLOTS - 1));
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

  #link(entry: TimerEntry, tick: number): void {
    const ring = this.#slots[tick % SLOTS] as Ring;
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
    // Entries are taken off first: a callback may add entries to this very slot.
    let entry = ring.next as TimerEntry;
    const due: TimerEntry[] = [];
    while (entry !== ring) {
      const following = entry.next as TimerEntry;
      this.remove(entry);
      if (entry.dueMs > this.nowMs) {
        this.#link(entry, this.#tick + Math.min((entry.dueMs - this.nowMs) / TICK_MS, SLOTS - 1));
      } else {
        due.push(entry);
      }
      entry = following;
    }
    for (const each of due) each.onTimer();
  }
}
