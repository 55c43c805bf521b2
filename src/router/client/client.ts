/** A client: everything that holds for one bound name, shared by all services that are bound to it. */
import * as defaults from '../../config/defaults.ts';
import type { MetricRegistry } from '../../metrics/registry.ts';
import { type Cell, ownCell } from '../../port/cells.ts';
import type { AddressSet } from '../../port/data-end.ts';
import type { ClientConnectionOptions } from '../../wire/http1/client-connection.ts';
import type { DecoderLimits } from '../../wire/http1/decoder.ts';
import { TimerEntry, type TimerWheel } from '../../wire/timer-wheel.ts';
import type { ClientKeys } from '../config.ts';
import { RetryBudget } from '../retry-budget.ts';
import { algorithmOf, type Balancer, createBalancer } from './balancers/index.ts';
import { Endpoint, type PoolLimits } from './endpoint.ts';
import { ClientMetrics } from './metrics.ts';

export interface ClientContext {
  readonly wheel: TimerWheel;
  readonly limits: DecoderLimits;
  readonly metrics: MetricRegistry;
  /** Label of the router, for metric names. */
  readonly router: string;
}

/** How often idle connections are looked at, at least. */
const MAX_SWEEP_MS = 1000;

export class Client extends TimerEntry {
  /** The bound name's id, such as `/#/io.l5d.fs/web`. */
  readonly id: string;
  readonly metrics: ClientMetrics;
  /** What all workers share about this client; it is another one when the client is closed. */
  cell: Cell;
  /** How many bindings lead here. */
  references = 0;
  /** How long one try may take until its response begins; undefined: for ever. */
  readonly attemptTimeoutMs: number | undefined;
  /** Of requests that are sent again because nobody can have acted on them. */
  readonly requeueBudget: RetryBudget;
  readonly #addresses: AddressSet;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #balancer: Balancer<Endpoint>;
  readonly #connectionOptions: ClientConnectionOptions;
  readonly #pool: PoolLimits;
  /** The shorter of the limits of a connection's life; infinite when there are none. */
  readonly #sweepMs: number;
  readonly #maxEffort: number;
  readonly #context: ClientContext;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(id: string, addresses: AddressSet, cell: Cell, config: ClientKeys, context: ClientContext) {
    super();
    this.id = id;
    this.cell = cell;
    this.#addresses = addresses;
    this.#context = context;
    this.#balancer = createBalancer(config.loadBalancer, { random: Math.random });
    this.metrics = new ClientMetrics(context.metrics, context.router, id, algorithmOf(config.loadBalancer));
    this.attemptTimeoutMs = config.requestAttemptTimeoutMs;
    this.requeueBudget = new RetryBudget(this, config.requeueBudget);
    this.#maxEffort = (config.loadBalancer?.['maxEffort'] as number | undefined) ?? defaults.maxEffort;
    this.#connectionOptions = {
      limits: context.limits,
      wheel: context.wheel,
      connectTimeoutMs: config.connectTimeoutMs ?? defaults.connectTimeoutMs,
      noDelay: config.socketOptions?.noDelay ?? true,
      keepAlive: config.socketOptions?.keepAlive ?? true,
      readTimeoutMs: config.socketOptions?.readTimeoutMs,
      writeTimeoutMs: config.socketOptions?.writeTimeoutMs,
      counts: this.metrics.connections,
    };
    const { hostConnectionPool: pool, clientSession: session } = config;
    this.#pool = {
      minSize: pool?.minSize ?? defaults.poolMinSize,
      maxSize: pool?.maxSize ?? Number.POSITIVE_INFINITY,
      maxWaiters: pool?.maxWaiters ?? defaults.poolMaxWaiters,
      idleTimeMs: Math.min(
        pool?.idleTimeMs ?? Number.POSITIVE_INFINITY,
        session?.idleTimeMs ?? Number.POSITIVE_INFINITY,
      ),
      lifeTimeMs: session?.lifeTimeMs ?? Number.POSITIVE_INFINITY,
    };
    addresses.listeners.add(this.#onChange);
    this.#onChange();
    this.#sweepMs = Math.min(this.#pool.idleTimeMs, this.#pool.lifeTimeMs);
    this.#sweepLater();
    this.measure();
  }

  get wheel(): TimerWheel {
    return this.#context.wheel;
  }

  get isPending(): boolean {
    return this.#addresses.state === 'pending';
  }

  /** Why there are no addresses, when their discovery failed. */
  get failure(): string | null {
    return this.#addresses.state === 'failed' ? this.#addresses.cause : null;
  }

  get maxWaiters(): number {
    return this.#pool.maxWaiters;
  }

  addresses(): string[] {
    return Array.from(this.#endpoints.values(), (endpoint) => endpoint.address);
  }

  /** No binding leads here any more; its endpoints are as they were then. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Calls back once, when the addresses are known or the client is closed. Returns what withdraws the callback. */
  whenSettled(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  /** An endpoint that is not among those tried, after at most `maxEffort` draws by any that is left; null if none is. */
  pick(tried: readonly Endpoint[] | null): Endpoint | null {
    let endpoint = this.#balancer.pick();
    if (tried === null || endpoint === null) return endpoint;
    for (let draw = 1; draw < this.#maxEffort && tried.includes(endpoint); draw++) {
      endpoint = this.#balancer.pick() as Endpoint;
    }
    if (!tried.includes(endpoint)) return endpoint;
    for (const candidate of this.#endpoints.values()) {
      if (candidate.weight > 0 && !tried.includes(candidate)) return candidate;
    }
    return null;
  }

  /** Takes a requeue from the budget; false when none is left. */
  takeRequeue(): boolean {
    const taken = this.requeueBudget.withdraw();
    this.measure();
    return taken;
  }

  /** Brings the gauges up to date that other workers move too. */
  measure(): void {
    this.metrics.budget.set(this.requeueBudget.balance());
  }

  state(): { state: string; addresses: string[] } {
    const { state, cause } = this.#addresses;
    const shown = { pending: 'Pending', neg: 'Neg', failed: `Failed: ${cause}`, bound: 'bound' }[state];
    return { state: shown, addresses: this.addresses() };
  }

  close(): void {
    this.#closed = true;
    this.cell = ownCell();
    this.#addresses.listeners.delete(this.#onChange);
    this.#context.wheel.remove(this);
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.metrics.close();
    this.#settle();
  }

  onTimer(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.sweep();
    this.#sweepLater();
  }

  #sweepLater(): void {
    if (Number.isFinite(this.#sweepMs)) this.#context.wheel.add(this, Math.min(this.#sweepMs, MAX_SWEEP_MS));
  }

  readonly #onChange = (): void => {
    const wanted = this.#addresses.endpoints;
    let [adds, removes] = [0, 0];
    for (const [key, endpoint] of this.#endpoints) {
      if (wanted.has(key)) continue;
      this.#endpoints.delete(key);
      endpoint.close();
      removes++;
    }
    for (const [key, address] of wanted) {
      const known = this.#endpoints.get(key);
      if (known !== undefined) {
        known.weight = address.weight;
        continue;
      }
      adds++;
      this.#endpoints.set(key, new Endpoint(address, this.#connectionOptions, this.#pool, this.metrics));
    }
    this.#balancer.update([...this.#endpoints.values()]);
    if (this.isPending) return;
    const weights = Array.from(this.#endpoints.values(), ({ weight }) => weight);
    this.metrics.balancer.updated(weights, adds, removes);
    this.#settle();
  };

  #settle(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
