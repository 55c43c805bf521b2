/**
 * The health of one endpoint, as all workers know it: whether failure accrual or failFast have taken it out. What a request
 * finds out here, it finds out for all workers; one of them probes for all.
 */
import { type Cell, ownCell } from '../../port/cells.ts';
import { mark, OPEN, OUT, stateOf, TRYING, Word, waitMs } from './endpoint-cell.ts';
import type { FailFast } from './fail-fast.ts';
import type { Accrual } from './failure-accrual/index.ts';
import type { AccrualMetrics } from './metrics.ts';

/** What the endpoints of a client have in common. */
export interface HealthContext {
  readonly accrual: Accrual;
  /** Null: a failed connect is a failure like any other. */
  readonly failFast: FailFast | null;
  readonly metrics: AccrualMetrics;
  /** processMs, unless a test sets the time. */
  readonly now: () => number;
  /** Whether one endpoint more may be taken out. */
  mayEject(): boolean;
  /** All workers are to look again which endpoints requests may go to. */
  changed(): void;
}

/**
 * What a request is to the endpoint that it goes to, given back when it ends: 0 where the endpoint was open; else the mark that it
 * had, of state TRYING if this request is the probe.
 */
export type Role = number;

/** The shortest time that a probe has for its answer before another may try, in ms. */
const MIN_PROBE_MS = 1000;

export class EndpointHealth {
  #cell: Cell;
  readonly #context: HealthContext;
  /** Discovery has lost the endpoint: the cell is this worker's own. */
  #isDetached = false;
  #hasLostTouch = false;

  constructor(cell: Cell, context: HealthContext) {
    this.#context = context;
    this.#cell = cell;
    this.attach(cell);
  }

  /** From now on this cell has what workers know. */
  attach(cell: Cell): void {
    this.#cell = cell;
    this.#isDetached = false;
    // The first worker that knows the endpoint begins to measure; no time is 0, which stands for none.
    const nowMs = this.#context.now() || 1;
    const isFirst = Atomics.compareExchange(cell.words, cell.at + Word.measuredSinceMs, 0, nowMs) === 0;
    if (isFirst) this.#context.accrual.policy?.reset(cell, nowMs);
  }

  /** The endpoint is no longer discovered: its cell may soon be another's, so what it knew goes on in one of its own. */
  detach(): void {
    const { words, at } = this.#cell;
    const own = ownCell();
    own.words.set(words.subarray(at, at + own.words.length));
    this.#cell = own;
    this.#isDetached = true;
    this.#hasLostTouch = false;
  }

  /** Whether an endpoint that is not discovered any more has stopped working since. */
  get hasLostTouch(): boolean {
    return this.#hasLostTouch || !this.isGood;
  }

  // ---- where requests may go

  /** Taken out by failure accrual. */
  get isOut(): boolean {
    return Atomics.load(this.#cell.words, this.#cell.at + Word.accrual) !== OPEN;
  }

  /** Left alone because connects failed. */
  get isUnreachable(): boolean {
    return this.#context.failFast?.isMarked(this.#cell) ?? false;
  }

  get isGood(): boolean {
    return !this.isOut && !this.isUnreachable;
  }

  /** ms until failure accrual lets a request go there; 0 if one may now. */
  waitMs(nowMs: number): number {
    const { words, at } = this.#cell;
    const word = Atomics.load(words, at + Word.accrual);
    return word === OPEN ? 0 : waitMs(word, nowMs, this.#longestMs);
  }

  /** ms until a connect is to be tried in the background. */
  connectWaitMs(nowMs: number): number {
    return this.#context.failFast?.waitMs(this.#cell, nowMs) ?? 0;
  }

  /** Whether this worker is to try a connect in the background. */
  claimsConnect(nowMs: number): boolean {
    return this.#context.failFast?.claims(this.#cell, nowMs) ?? false;
  }

  // ---- what requests find out

  /** A request goes there. */
  begin(): Role {
    const { words, at } = this.#cell;
    const word = Atomics.load(words, at + Word.accrual);
    return word === OPEN ? 0 : this.#beginMarked(word);
  }

  /** The service's classifier calls the response a success. */
  succeeded(role: Role): void {
    const { policy } = this.#context.accrual;
    if (policy === null) return;
    policy.succeeded(this.#cell, this.#context.now);
    this.#revive(role);
  }

  /** The response looks like a success, but is not complete: a stream may last for hours. */
  responding(role: Role): void {
    if (role !== 0) this.#revive(role);
  }

  /** The classifier calls the response a failure, or there was none. */
  failed(role: Role): void {
    const { policy } = this.#context.accrual;
    if (policy === null) return;
    const { words, at } = this.#cell;
    const word = Atomics.load(words, at + Word.accrual);
    // Of one that is out a failure says nothing new; of one that is tried, only by a request that was sent since.
    if (stateOf(word) === OUT || (stateOf(word) === TRYING && role === 0)) return;
    const nowMs = this.#context.now();
    const isTooMuch = policy.failed(this.#cell, nowMs);
    if (isTooMuch) this.#takeOut(word, nowMs);
    else if (word !== OPEN) this.#replace(word, mark(OUT, nowMs, 0));
  }

  /** The request has ended. If it was the probe and nothing was found out, another may be. */
  end(role: Role): void {
    if (stateOf(role) === TRYING) this.#replace(role, mark(OUT, this.#context.now(), 0));
  }

  connected(): void {
    this.#context.failFast?.connected(this.#cell);
  }

  connectFailed(): void {
    this.#context.failFast?.connectFailed(this.#cell, this.#context.now());
    if (!this.#isDetached) return;
    this.#hasLostTouch = true;
    this.#context.changed();
  }

  // ---- for metrics and the admin server

  /** How long connects have failed in ms, and how often; null when they don't. */
  unreachable(nowMs: number): { readonly ms: number; readonly tries: number } | null {
    return this.#context.failFast?.unhealthy(this.#cell, nowMs) ?? null;
  }

  state(nowMs: number): HealthState {
    const { words, at } = this.#cell;
    const word = Atomics.load(words, at + Word.accrual);
    const ejections = Atomics.load(words, at + Word.ejections);
    if (this.isUnreachable) return { status: 'unreachable', retryMs: this.connectWaitMs(nowMs), ejections };
    if (word === OPEN) return { status: 'open' };
    if (stateOf(word) === TRYING) return { status: 'probing', ejections };
    return { status: 'ejected', retryMs: this.waitMs(nowMs), ejections };
  }

  // ---- marks

  #beginMarked(word: number): Role {
    const nowMs = this.#context.now();
    const used = mark(OUT, nowMs, 0);
    // All are out, or it is the last one left to try.
    if (waitMs(word, nowMs, this.#longestMs) > 0) return used;
    const probe = mark(TRYING, nowMs, this.#probeMs());
    if (!this.#replace(word, probe)) return used;
    this.#context.metrics.probed();
    return probe;
  }

  /** Any answer is good news of one that is tried; of one that is out, an answer to a request that was sent since. */
  #revive(role: Role): void {
    const { words, at } = this.#cell;
    const word = Atomics.load(words, at + Word.accrual);
    if (word === OPEN || (stateOf(word) === OUT && role === 0)) return;
    if (!this.#replace(word, OPEN)) return;
    this.#context.accrual.policy?.reset(this.#cell, this.#context.now());
    Atomics.store(words, at + Word.ejections, 0);
    Atomics.store(words, at + Word.lastEjectionMs, 0);
    this.#context.metrics.revived();
  }

  #takeOut(word: number, nowMs: number): void {
    if (word === OPEN && !this.#context.mayEject()) return;
    const { words, at } = this.#cell;
    const { backoff } = this.#context.accrual;
    const ejections = Atomics.load(words, at + Word.ejections);
    const ms = backoff(ejections, Atomics.load(words, at + Word.lastEjectionMs));
    if (!this.#replace(word, mark(OUT, nowMs, ms))) return;
    Atomics.store(words, at + Word.ejections, ejections + 1);
    Atomics.store(words, at + Word.lastEjectionMs, Math.ceil(ms));
    this.#context.metrics.removedFor(Math.round(ms));
    if (word === OPEN) this.#context.metrics.removed();
  }

  /** False when another worker was quicker. */
  #replace(word: number, by: number): boolean {
    const { words, at } = this.#cell;
    if (Atomics.compareExchange(words, at + Word.accrual, word, by) !== word) return false;
    this.#context.changed();
    return true;
  }

  #probeMs(): number {
    return Math.max(MIN_PROBE_MS, Atomics.load(this.#cell.words, this.#cell.at + Word.lastEjectionMs));
  }

  /** The longest that a mark can last. */
  get #longestMs(): number {
    return Math.max(MIN_PROBE_MS, this.#context.accrual.maxBackoffMs);
  }
}

/** What is shown of an endpoint. */
export interface HealthState {
  readonly status: 'open' | 'ejected' | 'probing' | 'unreachable';
  /** ms until it is tried again. */
  readonly retryMs?: number;
  /** How often in a row it was taken out. */
  readonly ejections?: number;
}
