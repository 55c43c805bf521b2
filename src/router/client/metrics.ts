/** What a client counts (`rt/<router>/client/<bound id>`): its requests, connections, pools and balancer. */
import { failureClass } from '../../metrics/names.ts';
import {
  type Cells,
  type Counter,
  type Gauge,
  type MetricRegistry,
  type MetricScope,
  MostlyZeroStat,
  type Stat,
} from '../../metrics/registry.ts';
import { sharedCells } from '../../metrics/shapes.ts';
import { ConnectionMetrics, FailureCounts, RequestMetrics, StatusCounts } from '../metrics.ts';

export class ClientMetrics extends RequestMetrics {
  readonly connections: ConnectionMetrics;
  readonly pool: PoolMetrics;
  readonly balancer: BalancerMetrics;
  readonly accrual: AccrualMetrics;
  readonly statuses: StatusCounts;
  readonly requeuesPerRequest: MostlyZeroStat;
  readonly budget: Gauge;
  readonly #creationFailures: FailureCounts;
  readonly #acquisition: Stat;

  /** Null where `failFast` is off. */
  readonly failFast: FailFastMetrics | null;

  /** `balancer` is the configured kind, as the original names its algorithm. */
  constructor(
    metrics: MetricRegistry,
    router: string,
    id: string,
    { balancer, failFast }: { readonly balancer: string; readonly failFast: boolean },
  ) {
    super(metrics.scope(['rt', router, 'client', id.slice(1)]));
    const scope = this.scope;
    this.connections = new ConnectionMetrics(scope, this);
    this.pool = new PoolMetrics(scope, this);
    this.balancer = new BalancerMetrics(scope, this, balancer);
    this.accrual = new AccrualMetrics(this);
    this.failFast = failFast ? new FailFastMetrics(scope) : null;
    this.statuses = new StatusCounts(scope, this);
    this.requeuesPerRequest = new MostlyZeroStat(scope.stat('retries/requeues_per_request'));
    // All workers see the one budget.
    this.budget = scope.gauge('retries/budget', { merge: 'max' });
    this.#creationFailures = new FailureCounts(scope, 'service_creation/');
    this.#acquisition = scope.stat('service_creation/service_acquisition_latency_ms');
  }

  override close(): void {
    this.requeuesPerRequest.settle();
    super.close();
  }

  /** A request has got its connection after so many ms, or needed none. */
  acquired(ms: number): void {
    this.#acquisition.record(ms);
  }

  /** A request could not have a connection. */
  notAcquired(failure: 'noEndpoint' | 'tooManyWaiters' | 'cannotConnect'): void {
    this.#creationFailures.count(failureClass[failure]);
  }

  // What is rare needs no handle that is kept.

  get requeues(): Counter {
    return this.scope.counter('retries/requeues');
  }

  get requestLimit(): Counter {
    return this.scope.counter('retries/request_limit');
  }

  get cannotRetry(): Counter {
    return this.scope.counter('retries/cannot_retry');
  }

  get notOpen(): Counter {
    return this.scope.counter('retries/not_open');
  }

  get budgetExhausted(): Counter {
    return this.scope.counter('retries/budget_exhausted');
  }
}

const pool = sharedCells(
  'pool_size',
  'pool_cached',
  'pool_waiters',
  'pool_num_waited',
  'pool_num_too_many_waiters',
  'cancelled_connects',
);

/** What the gauges of the pool have of one endpoint. */
export interface PoolUse {
  /** Connections in use. */
  measuredSize: number;
  /** Idle ones. */
  measuredCached: number;
  /** Requests that wait for one. */
  measuredWaiters: number;
}

/** The connections of all endpoints. */
export class PoolMetrics {
  readonly connectMs: Stat;
  readonly failedConnectMs: Stat;
  readonly #cells: Cells;

  constructor(scope: MetricScope, cells: Cells) {
    this.#cells = cells;
    this.connectMs = scope.stat('connect_latency_ms');
    this.failedConnectMs = scope.stat('failed_connect_latency_ms');
  }

  /** Brings the gauges from what they have of an endpoint to what it has now, and keeps that in `use`. */
  measure(use: PoolUse, size: number, cached: number, waiters: number): void {
    const cells = this.#cells;
    if (size !== use.measuredSize) cells.add(pool.pool_size, size - use.measuredSize);
    if (cached !== use.measuredCached) cells.add(pool.pool_cached, cached - use.measuredCached);
    if (waiters !== use.measuredWaiters) cells.add(pool.pool_waiters, waiters - use.measuredWaiters);
    use.measuredSize = size;
    use.measuredCached = cached;
    use.measuredWaiters = waiters;
  }

  waited(): void {
    this.#cells.increment(pool.pool_num_waited);
  }

  tooManyWaiters(): void {
    this.#cells.increment(pool.pool_num_too_many_waiters);
  }

  cancelledConnect(): void {
    this.#cells.increment(pool.cancelled_connects);
  }
}

const balancing = sharedCells(
  'available',
  'loadbalancer/size',
  'loadbalancer/available',
  'loadbalancer/load',
  'loadbalancer/num_weight_classes',
  'loadbalancer/meanweight',
  'loadbalancer/busy',
  'loadbalancer/adds',
  'loadbalancer/removes',
  'loadbalancer/updates',
  'loadbalancer/rebuilds',
  'loadbalancer/max_effort_exhausted',
);

export class BalancerMetrics {
  readonly #cells: Cells;
  readonly #scope: MetricScope;
  readonly #isAperture: boolean;

  constructor(scope: MetricScope, cells: Cells, algorithm: string) {
    this.#cells = cells;
    this.#scope = scope;
    this.#isAperture = algorithm.startsWith('aperture');
    scope.gauge(`loadbalancer/algorithm/${algorithm}`, { merge: 'max' }).set(1);
  }

  /** A request is on its way to an endpoint. */
  entered(): void {
    this.#cells.increment(balancing['loadbalancer/load']);
  }

  left(): void {
    this.#cells.decrement(balancing['loadbalancer/load']);
  }

  maxEffortExhausted(): void {
    this.#cells.increment(balancing['loadbalancer/max_effort_exhausted']);
  }

  /** The replica set was updated. */
  updated(adds: number, removes: number): void {
    this.#cells.add(balancing['loadbalancer/adds'], adds);
    this.#cells.add(balancing['loadbalancer/removes'], removes);
    this.#cells.increment(balancing['loadbalancer/updates']);
  }

  removed(): void {
    this.#cells.increment(balancing['loadbalancer/removes']);
  }

  /** The balancer was given `available` of the endpoints of these weights. */
  rebuilt(weights: readonly number[], available: number): void {
    const cells = this.#cells;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (weights.length > 0) cells.increment(balancing['loadbalancer/rebuilds']);
    cells.set(balancing['loadbalancer/size'], weights.length);
    cells.set(balancing['loadbalancer/available'], available);
    cells.set(balancing['loadbalancer/busy'], weights.filter((weight) => weight > 0).length - available);
    cells.set(balancing.available, available > 0 ? 1 : 0);
    cells.set(balancing['loadbalancer/num_weight_classes'], new Set(weights).size);
    cells.set(balancing['loadbalancer/meanweight'], weights.length === 0 ? 0 : total / weights.length);
  }

  /** Endpoints that an aperture is over. */
  opened(aperture: number): void {
    if (this.#isAperture) this.#scope.gauge('loadbalancer/aperture', { merge: 'max' }).set(aperture);
  }
}

const accruing = sharedCells(
  'failure_accrual/removals',
  'failure_accrual/revivals',
  'failure_accrual/probes',
  'failure_accrual/removed_for_ms',
);

/** What failure accrual does to endpoints. */
export class AccrualMetrics {
  readonly #cells: Cells;

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  removed(): void {
    this.#cells.increment(accruing['failure_accrual/removals']);
  }

  /** An endpoint is to be left alone for so many ms. */
  removedFor(ms: number): void {
    this.#cells.add(accruing['failure_accrual/removed_for_ms'], ms);
  }

  revived(): void {
    this.#cells.increment(accruing['failure_accrual/revivals']);
  }

  probed(): void {
    this.#cells.increment(accruing['failure_accrual/probes']);
  }
}

/** What failFast does to endpoints. */
export class FailFastMetrics {
  readonly markedDead: Counter;
  readonly markedAvailable: Counter;
  readonly #dead: Gauge;
  readonly #unhealthyMs: Gauge;
  readonly #tries: Gauge;

  constructor(scope: MetricScope) {
    this.markedDead = scope.counter('failfast/marked_dead');
    this.markedAvailable = scope.counter('failfast/marked_available');
    this.#dead = scope.gauge('failfast/is_marked_dead', { merge: 'max' });
    this.#unhealthyMs = scope.gauge('failfast/unhealthy_for_ms', { merge: 'max' });
    this.#tries = scope.gauge('failfast/unhealthy_num_tries', { merge: 'max' });
  }

  /** Endpoints that can't be connected to: how many, the longest time, and the most tries of one. */
  measure(dead: number, unhealthyMs: number, tries: number): void {
    this.#dead.set(dead);
    this.#unhealthyMs.set(unhealthyMs);
    this.#tries.set(tries);
  }
}
