/**
 * The endpoints of a client, and which of them requests may go to now: all but those that failure accrual or failFast have taken
 * out, and all of them when that leaves none.
 *
 *     discovered --update--> [endpoints] --choose--> balancer --pick--> endpoint of a request
 *                                           ^
 *             marks of any worker ----------+  (a count in shared memory says that one has changed)
 *
 * The balancer knows only those that may be used; it gets them anew when a mark has changed or its time has come.
 */
import { type Cell, ownCell } from '../../port/cells.ts';
import type { Address } from '../../port/data-end.ts';
import { elapsedMs } from '../../port/process-clock.ts';
import type { Balancer } from './balancers/index.ts';
import type { Endpoint } from './endpoint.ts';
import type { BalancerMetrics, FailFastMetrics } from './metrics.ts';
import type { EndpointState } from './state.ts';

export interface ReplicaOptions {
  readonly balancer: Balancer<Endpoint>;
  /** Draws for an endpoint that was not tried and has a connection to spare. */
  readonly maxEffort: number;
  /** 0 to 100. */
  readonly maxEjectionPercent: number;
  /** Endpoints that discovery lost are kept while they work. */
  readonly enableProbation: boolean;
  /** processMs, unless a test sets the time. */
  readonly now: () => number;
  readonly metrics: BalancerMetrics;
  readonly failFastMetrics: FailFastMetrics | null;
  createEndpoint(address: Address): Endpoint;
}

/** Who has drawn so often would not find another one: however high `maxEffort` is, a request takes no longer than that. */
const DRAWS_PER_ENDPOINT = 5;

export class Replicas {
  /** A word that counts changes of marks by any worker. */
  #marks: Int32Array;
  #marksAt: number;
  /** Of the marks that the balancer knows. */
  #seen = 0;
  /** When the first mark ends, by processMs; null when there is none. */
  #nextMs: number | null = null;
  /** The endpoint that all requests go to, where there is no choice: no balancer is asked. */
  #sole: Endpoint | null = null;
  /** All that there are, if they had to be used because none is left. */
  #isPanicking = false;
  readonly #options: ReplicaOptions;
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(marks: Cell, options: ReplicaOptions) {
    this.#marks = marks.words;
    this.#marksAt = marks.at;
    this.#options = options;
  }

  values(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** For endpoints: a mark has changed. */
  changed(): void {
    Atomics.add(this.#marks, this.#marksAt, 1);
  }

  /** For endpoints: whether one more may be taken out for its failures. */
  mayEject(): boolean {
    let out = 1;
    for (const endpoint of this.#endpoints.values()) if (endpoint.health.isOut) out++;
    return out <= this.#maxOut(this.#endpoints.size);
  }

  /** Follows the discovered set. Returns how many endpoints were added and removed. */
  update(wanted: ReadonlyMap<string, Address>): { adds: number; removes: number } {
    let [adds, removes] = [0, 0];
    for (const [key, endpoint] of this.#endpoints) {
      if (wanted.has(key)) continue;
      if (this.#options.enableProbation && endpoint.health.isGood) {
        endpoint.beginProbation();
        continue;
      }
      this.#endpoints.delete(key);
      endpoint.close();
      removes++;
    }
    for (const [key, address] of wanted) {
      const known = this.#endpoints.get(key);
      if (known === undefined) {
        adds++;
        this.#endpoints.set(key, this.#options.createEndpoint(address));
        continue;
      }
      known.weight = address.weight;
      if (known.isOnProbation) known.endProbation(address.cell);
    }
    this.#choose();
    return { adds, removes };
  }

  /**
   * The endpoint of a request: not one of those tried, and if possible one that has a connection to spare; null when there is
   * none that was not tried.
   */
  pick(tried: readonly Endpoint[] | null): Endpoint | null {
    this.refresh();
    if (tried === null && this.#sole?.isFull === false) return this.#sole;
    const { balancer, maxEffort, metrics } = this.#options;
    if (this.#isPanicking) metrics.maxEffortExhausted();
    let endpoint = balancer.pick();
    if (endpoint === null) return null;
    for (let draw = 1; endpoint.isFull || tried?.includes(endpoint) === true; draw++) {
      if (draw === maxEffort || draw === DRAWS_PER_ENDPOINT * this.#endpoints.size) {
        if (tried?.includes(endpoint) === true) return this.#untried(tried);
        metrics.maxEffortExhausted();
        return endpoint;
      }
      endpoint = balancer.pick() as Endpoint;
    }
    return endpoint;
  }

  /** Lets the balancer know of marks that have changed or ended. Cheap when there are none. */
  refresh(): void {
    const changes = Atomics.load(this.#marks, this.#marksAt);
    if (changes === this.#seen && (this.#nextMs === null || elapsedMs(this.#nextMs, this.#options.now()) < 0)) return;
    this.#choose();
  }

  states(): EndpointState[] {
    const nowMs = this.#options.now();
    return Array.from(this.#endpoints.values(), (endpoint) => endpoint.state(nowMs));
  }

  /** Though no request comes: tries connects that are due, and brings metrics up to date. */
  measure(): void {
    this.refresh();
    this.#options.metrics.opened(this.#options.balancer.aperture ?? 0);
  }

  close(): void {
    const own = ownCell();
    this.#marks = own.words;
    this.#marksAt = own.at;
    for (const endpoint of this.#endpoints.values()) endpoint.close();
  }

  #untried(tried: readonly Endpoint[]): Endpoint | null {
    let last: Endpoint | null = null;
    for (const candidate of this.#endpoints.values()) {
      if (candidate.weight <= 0 || tried.includes(candidate)) continue;
      if (candidate.health.isGood) return candidate;
      last ??= candidate;
    }
    return last;
  }

  #maxOut(endpoints: number): number {
    return Math.floor((endpoints * this.#options.maxEjectionPercent) / 100);
  }

  /** Gives the balancer the endpoints that requests may go to. */
  #choose(): void {
    // Before the marks are read: what changes meanwhile is looked at again.
    this.#seen = Atomics.load(this.#marks, this.#marksAt);
    this.#endProbations();
    const nowMs = this.#options.now();
    const weighted = Array.from(this.#endpoints.values()).filter(({ weight }) => weight > 0);
    const usable: Endpoint[] = [];
    const out: { readonly endpoint: Endpoint; readonly ms: number }[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const endpoint of weighted) {
      const { health } = endpoint;
      if (health.isUnreachable) {
        if (health.claimsConnect(nowMs)) endpoint.connectInBackground();
        nextMs = Math.min(nextMs, health.connectWaitMs(nowMs));
        continue;
      }
      const ms = health.waitMs(nowMs);
      if (ms === 0) usable.push(endpoint);
      else out.push({ endpoint, ms });
      if (ms > 0) nextMs = Math.min(nextMs, ms);
    }
    for (const endpoint of this.#tooMany(out, weighted.length)) usable.push(endpoint);
    this.#isPanicking = usable.length === 0 && weighted.length > 0;
    this.#sole = usable.length === 1 ? (usable[0] as Endpoint) : null;
    this.#nextMs = Number.isFinite(nextMs) ? (nowMs + Math.ceil(nextMs)) | 0 : null;
    this.#options.balancer.update(this.#isPanicking ? weighted : usable);
    this.#measureMarks(nowMs, this.#isPanicking ? 0 : usable.length);
  }

  /** Of those that are out as many as exceed the share, since healthy ones have gone: the first that would be tried. */
  #tooMany(out: { readonly endpoint: Endpoint; readonly ms: number }[], endpoints: number): Endpoint[] {
    const excess = out.length - this.#maxOut(endpoints);
    if (excess <= 0) return [];
    return out
      .toSorted((a, b) => a.ms - b.ms)
      .slice(0, excess)
      .map(({ endpoint }) => endpoint);
  }

  /** What discovery lost goes when it works no more. */
  #endProbations(): void {
    if (!this.#options.enableProbation) return;
    for (const [key, endpoint] of this.#endpoints) {
      if (!endpoint.isOnProbation || !endpoint.health.hasLostTouch) continue;
      this.#endpoints.delete(key);
      endpoint.close();
      this.#options.metrics.removed();
    }
  }

  #measureMarks(nowMs: number, available: number): void {
    const { metrics, failFastMetrics } = this.#options;
    const weights = Array.from(this.#endpoints.values(), ({ weight }) => weight);
    metrics.rebuilt(weights, available);
    if (failFastMetrics === null) return;
    let [marked, ms, tries] = [0, 0, 0];
    for (const { health } of this.#endpoints.values()) {
      const unreachable = health.unreachable(nowMs);
      if (unreachable === null) continue;
      marked++;
      ms = Math.max(ms, unreachable.ms);
      tries = Math.max(tries, unreachable.tries);
    }
    failFastMetrics.measure(marked, ms, tries);
  }
}
