/** A client: everything that holds for one bound name, shared by all services that are bound to it. */
import * as defaults from '../../config/defaults.ts';
import type { MetricRegistry } from '../../metrics/registry.ts';
import { type Cell, ownCell } from '../../port/cells.ts';
import type { Address, AddressSet } from '../../port/data-end.ts';
import { processMs } from '../../port/process-clock.ts';
import type { ClientConnectionOptions } from '../../wire/http1/client-connection.ts';
import type { DecoderLimits } from '../../wire/http1/decoder.ts';
import { TimerEntry, type TimerWheel } from '../../wire/timer-wheel.ts';
import { Callbacks } from '../callbacks.ts';
import type { ClientKeys } from '../config.ts';
import { RetryBudget } from '../retry-budget.ts';
import { shareOf, type WorkerPlace } from '../worker-share.ts';
import { algorithmOf, createBalancer } from './balancers/index.ts';
import { Endpoint, type PoolLimits } from './endpoint.ts';
import { FailFast } from './fail-fast.ts';
import { accrualOf } from './failure-accrual/index.ts';
import type { HealthContext } from './health.ts';
import { ClientMetrics } from './metrics.ts';
import { Replicas } from './replicas.ts';
import type { ClientState } from './state.ts';

export interface ClientContext {
  readonly wheel: TimerWheel;
  readonly limits: DecoderLimits;
  readonly metrics: MetricRegistry;
  /** Label of the router, for metric names. */
  readonly router: string;
  /** Which of the threads that carry requests this is. */
  readonly place: WorkerPlace;
}

/** What all workers share about a client. */
export interface ClientCells {
  readonly own: Cell;
  readonly marks: Cell;
}

/** How often idle connections are looked at, at least. */
const MAX_SWEEP_MS = 1000;

export class Client extends TimerEntry {
  /** The bound name's id, such as `/#/io.l5d.fs/web`. */
  readonly id: string;
  readonly metrics: ClientMetrics;
  /** How many bindings lead here. */
  references = 0;
  /** How long one try may take until its response begins; undefined (a configured 0): for ever. */
  readonly attemptTimeoutMs: number | undefined;
  /** Of requests that are sent again because nobody can have acted on them. */
  readonly requeueBudget: RetryBudget;
  readonly #addresses: AddressSet;
  readonly #replicas: Replicas;
  /** This worker's. */
  readonly #pool: PoolLimits;
  readonly #maxWaiters: number;
  /** The shorter of the limits of a connection's life; infinite when there are none. */
  readonly #sweepMs: number;
  readonly #context: ClientContext;
  readonly #waiting = new Callbacks();
  #closed = false;

  constructor(id: string, addresses: AddressSet, cells: ClientCells, config: ClientKeys, context: ClientContext) {
    super();
    this.id = id;
    this.#addresses = addresses;
    this.#context = context;
    const failFast = config.failFast ?? false;
    const algorithm = algorithmOf(config.loadBalancer);
    this.metrics = new ClientMetrics(context.metrics, context.router, id, { balancer: algorithm, failFast });
    this.attemptTimeoutMs = config.requestAttemptTimeoutMs || undefined;
    this.requeueBudget = new RetryBudget(cells.own, config.requeueBudget);
    this.#maxWaiters = config.hostConnectionPool?.maxWaiters ?? defaults.maxWaiters;
    this.#pool = poolLimits(config, context.place);
    this.#replicas = this.#createReplicas(cells.marks, config);
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

  /** As it is configured, for all workers together. */
  get maxWaiters(): number {
    return this.#maxWaiters;
  }

  addresses(): string[] {
    return Array.from(this.#replicas.values(), (endpoint) => endpoint.address);
  }

  /** No binding leads here any more; its endpoints are as they were then. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Calls back once, when the addresses are known or the client is closed. Returns what withdraws the callback. */
  whenSettled(callback: () => void): () => void {
    return this.#waiting.add(callback);
  }

  /** The endpoint of a request, none of those tried; null if there is none. */
  pick(tried: readonly Endpoint[] | null): Endpoint | null {
    return this.#replicas.pick(tried);
  }

  /** Takes a requeue from the budget; false when none is left. */
  takeRequeue(): boolean {
    const taken = this.requeueBudget.withdraw();
    this.measure();
    return taken;
  }

  /** To be called now and then, also without requests: looks at what other workers found out. */
  measure(): void {
    this.metrics.budget.set(this.requeueBudget.balance());
    this.metrics.requeuesPerRequest.settle();
    this.#replicas.measure();
  }

  state(): ClientState {
    const { state, cause } = this.#addresses;
    const shown = { pending: 'Pending', neg: 'Neg', failed: `Failed: ${cause}`, bound: 'bound' }[state];
    return { id: this.id, router: this.#context.router, state: shown, endpoints: this.#replicas.states() };
  }

  close(): void {
    this.#closed = true;
    this.requeueBudget.attach(ownCell());
    this.#addresses.listeners.delete(this.#onChange);
    this.#context.wheel.remove(this);
    this.#replicas.close();
    this.metrics.close();
    this.#waiting.call();
  }

  onTimer(): void {
    for (const endpoint of this.#replicas.values()) endpoint.sweep();
    this.#sweepLater();
  }

  #createReplicas(marks: Cell, config: ClientKeys): Replicas {
    const { random } = Math;
    const { loadBalancer } = config;
    const accrual = accrualOf(config.failureAccrual);
    const changed = (): void => replicas.changed();
    const { failFast } = this.metrics;
    const health: HealthContext = {
      accrual,
      failFast: failFast === null ? null : new FailFast(failFast, random, changed),
      metrics: this.metrics.accrual,
      now: () => processMs(),
      mayEject: () => replicas.mayEject(),
      changed,
    };
    const options = this.#connectionOptions(config);
    const replicas = new Replicas(marks, {
      balancer: createBalancer<Endpoint>(loadBalancer, {
        random,
        now: () => performance.now(),
        workers: this.#context.place.workers,
      }),
      maxEffort: (loadBalancer?.['maxEffort'] as number | undefined) ?? defaults.maxEffort,
      maxEjectionPercent: accrual.maxEjectionPercent,
      enableProbation: loadBalancer?.['enableProbation'] === true,
      now: () => processMs(),
      metrics: this.metrics.balancer,
      failFastMetrics: failFast,
      createEndpoint: (address: Address) => new Endpoint(address, options, this.#pool, this.metrics, health),
    });
    return replicas;
  }

  #connectionOptions({ connectTimeoutMs, socketOptions }: ClientKeys): ClientConnectionOptions {
    return {
      limits: this.#context.limits,
      wheel: this.#context.wheel,
      connectTimeoutMs: connectTimeoutMs ?? defaults.connectTimeoutMs,
      noDelay: socketOptions?.noDelay ?? true,
      keepAlive: socketOptions?.keepAlive ?? true,
      readTimeoutMs: socketOptions?.readTimeoutMs,
      writeTimeoutMs: socketOptions?.writeTimeoutMs,
      counts: this.metrics.connections,
    };
  }

  #sweepLater(): void {
    if (Number.isFinite(this.#sweepMs)) this.#context.wheel.add(this, Math.min(this.#sweepMs, MAX_SWEEP_MS));
  }

  readonly #onChange = (): void => {
    const { adds, removes } = this.#replicas.update(this.#addresses.endpoints);
    if (this.isPending) return;
    this.metrics.balancer.updated(adds, removes);
    this.#waiting.call();
  };
}

function poolLimits({ hostConnectionPool: pool, clientSession: session }: ClientKeys, place: WorkerPlace): PoolLimits {
  const unlimited = Number.POSITIVE_INFINITY;
  return {
    minSize: shareOf(pool?.minSize ?? defaults.poolMinSize, place),
    // A worker that may have no connection could carry no request.
    maxSize: Math.max(1, shareOf(pool?.maxSize ?? unlimited, place)),
    maxWaiters: shareOf(pool?.maxWaiters ?? defaults.maxWaiters, place),
    idleTimeMs: Math.min(pool?.idleTimeMs ?? unlimited, session?.idleTimeMs ?? unlimited),
    lifeTimeMs: session?.lifeTimeMs ?? unlimited,
  };
}
