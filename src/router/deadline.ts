/** Limits of time of an exchange: entries of the timer wheel, made only where a limit holds. */
import { TICK_MS, TimerEntry } from '../wire/timer-wheel.ts';
import type { RouteError } from './errors.ts';
import { type DeadlineHeader, fromMs, leftMs, NEVER_NS, stricter } from './http/deadline.ts';

export interface DeadlineOwner {
  onDeadline(deadline: Deadline): void;
}

export class Deadline extends TimerEntry {
  readonly #owner: DeadlineOwner;

  constructor(owner: DeadlineOwner) {
    super();
    this.#owner = owner;
  }

  onTimer(): void {
    this.#owner.onDeadline(this);
  }
}

/** Times in ms that a request may take until its response begins; undefined: for ever. */
export interface TimeLimits {
  /** Of the server, which is named by where it listens. */
  readonly server: string;
  readonly serverMs: number | undefined;
  /** Of the service, all tries together. */
  readonly totalMs: number | undefined;
  /** What the client says. */
  readonly received: DeadlineHeader | null;
}

/** When the response to a request has to begin: the earliest of what its server, its service and its client say. */
export class RequestDeadline extends Deadline {
  /** By performance.now(). */
  readonly endsMs: number;
  /** What is to be said when it has passed. */
  readonly error: RouteError;
  /** What is left by the client's word in ms, negative when nothing is; null: it says nothing. */
  readonly clientMs: number | null;
  readonly #received: DeadlineHeader | null;
  /** By Date.now(): when the request came, and until when this hop lets it take. */
  readonly #arrivedMs: number;
  readonly #untilMs: number;
  /** The client's words were replaced: they have to be for each try. */
  #isRewritten = false;

  /** Of a request with one limit at least, which came `startMs` by performance.now(). */
  constructor(owner: DeadlineOwner, { server, serverMs, totalMs, received }: TimeLimits, startMs: number) {
    super(owner);
    const own = Math.min(serverMs ?? Number.POSITIVE_INFINITY, totalMs ?? Number.POSITIVE_INFINITY);
    this.#received = received;
    this.#arrivedMs = Math.round(Date.now() - (performance.now() - startMs));
    this.#untilMs = this.#arrivedMs + own;
    this.clientMs = received === null ? null : leftMs(received, this.#arrivedMs);
    const client = this.clientMs ?? Number.POSITIVE_INFINITY;
    this.endsMs = startMs + Math.min(own, client);
    if (client < own) this.error = { type: 'deadlinePassed' };
    else if (own === totalMs) this.error = { type: 'totalTimeout', ms: own };
    else this.error = { type: 'serverTimeout', server, ms: own };
  }

  /** What a try that begins now, and may take `attemptMs`, tells the next hop; null: what the client said is still true. */
  header(attemptMs: number | undefined): DeadlineHeader | null {
    if (attemptMs !== undefined || Number.isFinite(this.#untilMs)) this.#isRewritten = true;
    if (!this.#isRewritten) return null;
    const own = ownHeader(this.#arrivedMs, this.#untilMs, attemptMs);
    return this.#received === null ? own : stricter(this.#received, own);
  }
}

/** The same of a request of which only the tries are limited. */
export function attemptHeader(attemptMs: number): DeadlineHeader {
  return ownHeader(Date.now(), Number.POSITIVE_INFINITY, attemptMs);
}

function ownHeader(arrivedMs: number, untilMs: number, attemptMs: number | undefined): DeadlineHeader {
  const nowMs = Date.now();
  // No timer is finer than a tick: until then the request has just come.
  const seenMs = nowMs - arrivedMs < TICK_MS ? arrivedMs : nowMs;
  const limitMs = attemptMs === undefined ? untilMs : Math.min(untilMs, seenMs + attemptMs);
  return { seenNs: fromMs(seenMs), untilNs: Number.isFinite(limitMs) ? fromMs(limitMs) : NEVER_NS };
}
