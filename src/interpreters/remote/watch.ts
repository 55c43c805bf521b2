/**
 * One thing that is watched on some namerd for as long as somebody wants to know. It survives namerds: when the watch breaks off it
 * is begun on another one, or again; and it is begun anew from time to time, since a stream that says nothing may have been
 * forgotten by its server (linkerd/linkerd#2249).
 */
import type { Waits } from '../../config/backoff.ts';
import type { NamerdClient, WatchEnding, WatchListener } from './client.ts';
import type { Namerds, Watchful } from './namerds.ts';
import { type Retry, waitsOf } from './retry.ts';
import type { Seat } from './seat.ts';

/** A watch is begun anew when it is about this old, ms; its time varies by a fifth so that not all are at once. */
const RENEW_MS = 600_000;
const RENEW_JITTER = 0.2;

export interface WatchReader<T> {
  onValue(value: T): void;
  /** namerd's answer is that there is none now. It is asked again. */
  onFailed(message: string): void;
  /** The watch broke off. It is begun again as soon as there is a namerd. */
  onLost(message: string): void;
}

/** A watch that is open, or being opened, on one namerd. */
interface Attempt {
  readonly seat: Seat;
  stop: () => void;
  isOver: boolean;
}

export interface WatchOptions<T> {
  readonly namerds: Namerds;
  readonly retry: Retry;
  readonly open: (client: NamerdClient, listener: WatchListener<T>) => () => void;
  readonly reader: WatchReader<T>;
}

export class Watch<T> implements Watchful {
  readonly #namerds: Namerds;
  readonly #open: WatchOptions<T>['open'];
  readonly #reader: WatchReader<T>;
  readonly #waits: Waits;
  readonly #stopSweeping: () => void;
  #current: Attempt | null = null;
  /** Takes the place of the current one with its first value. */
  #next: Attempt | null = null;
  #withdraw: (() => void) | null = null;
  #retrying: NodeJS.Timeout | undefined;
  #hasValue = false;
  /** Whether the last attempt told a value: then the next one need not wait. */
  #wasGood = true;
  #renewAt = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor({ namerds, retry, open, reader }: WatchOptions<T>) {
    this.#namerds = namerds;
    this.#open = open;
    this.#reader = reader;
    this.#waits = waitsOf(retry);
    this.#stopSweeping = namerds.sweepFor(this);
    this.#begin();
  }

  /** The namerd that is asked, `host:port`; null while none is. */
  get address(): string | null {
    return this.#current?.seat.address ?? null;
  }

  /** Begins it anew, and ends the present one when the new one has told a value. */
  renew(): void {
    if (this.#current === null || this.#next !== null || this.#withdraw !== null) return;
    this.#renewAt = renewalFrom(performance.now());
    this.#withdraw = this.#namerds.apply({
      isUrgent: false,
      begin: (seat) => {
        this.#withdraw = null;
        this.#next = this.#newAttempt(seat);
        this.#start(this.#next);
      },
    });
  }

  onSweep(now: number): void {
    if (now >= this.#renewAt) this.renew();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopSweeping();
    this.#withdraw?.();
    clearTimeout(this.#retrying);
    for (const attempt of [this.#current, this.#next]) if (attempt !== null) this.#leave(attempt, false);
    this.#current = null;
    this.#next = null;
  }

  #begin(): void {
    this.#withdraw = this.#namerds.apply({
      isUrgent: !this.#hasValue,
      begin: (seat) => {
        this.#withdraw = null;
        this.#wasGood = false;
        this.#renewAt = renewalFrom(performance.now());
        this.#current = this.#newAttempt(seat);
        this.#start(this.#current);
      },
    });
  }

  #newAttempt(seat: Seat): Attempt {
    const attempt: Attempt = { seat, stop: () => {}, isOver: false };
    seat.onGone = (isLeaving) => {
      if (isLeaving) {
        this.renew();
        return;
      }
      // Nothing goes round in circles here: this namerd is not asked before it is up again.
      this.#wasGood = true;
      this.#onEnd(attempt, { type: 'lost', message: `namerd at ${seat.address} is away` });
    };
    return attempt;
  }

  #start(attempt: Attempt): void {
    const { seat } = attempt;
    attempt.stop = this.#open(seat.client, {
      onOpen: () => seat.opened(),
      onValue: (value) => this.#onValue(attempt, value),
      onEnd: (ending) => this.#onEnd(attempt, ending),
    });
    // It has ended already, before there was anything to stop.
    if (attempt.isOver) attempt.stop();
  }

  #onValue(attempt: Attempt, value: T): void {
    if (attempt.isOver || this.#isClosed) return;
    attempt.seat.opened();
    if (this.#next === attempt) {
      const before = this.#current;
      this.#current = attempt;
      this.#next = null;
      if (before !== null) this.#leave(before, false);
    }
    this.#waits.reset();
    this.#wasGood = true;
    this.#hasValue = true;
    this.#reader.onValue(value);
  }

  #onEnd(attempt: Attempt, { type, message }: WatchEnding): void {
    if (attempt.isOver || this.#isClosed) return;
    const wasNext = this.#next === attempt;
    this.#leave(attempt, type === 'lost');
    if (wasNext) {
      this.#next = null;
      return;
    }
    this.#current = this.#next;
    this.#next = null;
    if (this.#current !== null) return;
    this.#withdraw?.();
    this.#withdraw = null;
    if (type === 'failed') this.#reader.onFailed(message);
    else this.#reader.onLost(message);
    if (!this.#isClosed) this.#retry(type);
  }

  /** What broke off after an answer is begun again at once: most likely another namerd is there. */
  #retry(type: WatchEnding['type']): void {
    const delayMs = type === 'lost' && this.#wasGood ? 0 : this.#waits.next();
    this.#wasGood = false;
    if (delayMs === 0) this.#begin();
    else this.#retrying = setTimeout(() => this.#begin(), delayMs).unref();
  }

  #leave(attempt: Attempt, isLost: boolean): void {
    attempt.isOver = true;
    attempt.stop();
    attempt.seat.leave(isLost);
  }
}

function renewalFrom(now: number): number {
  return now + RENEW_MS * (1 - RENEW_JITTER + 2 * RENEW_JITTER * Math.random());
}
