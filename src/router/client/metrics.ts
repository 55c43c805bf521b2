/** What a client counts (`rt/<router>/client/<bound id>`): its requests, connections, pools and balancer. */
import { failureClass } from '../../metrics/names.ts';
import type { Counter, Gauge, MetricRegistry, MetricScope, Stat } from '../../metrics/registry.ts';
import { ConnectionMetrics, FailureCounts, RequestMetrics, StatusCounts } from '../metrics.ts';

export class ClientMetrics extends RequestMetrics {
  readonly connections: ConnectionMetrics;
  readonly pool: PoolMetrics;
  readonly balancer: BalancerMetrics;
  readonly accrual: AccrualMetrics;
  readonly statuses: StatusCounts;
  readonly requeues: Counter;
  readonly requestLimit: Counter;
  readonly cannotRetry: Counter;
  readonly notOpen: Counter;
  readonly requeuesPerRequest: Stat;
  readonly budget: Gauge;
  readonly budgetExhausted: Counter;
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
    this.connections = new ConnectionMetrics(scope);
    this.pool = new PoolMetrics(scope);
    this.balancer = new BalancerMetrics(scope, balancer);
    this.accrual = new AccrualMetrics(scope);
    this.failFast = failFast ? new FailFastMetrics(scope) : null;
    this.statuses = new StatusCounts(scope);
    this.requeues = scope.counter('retries/requeues');
    this.requestLimit = scope.counter('retries/request_limit');
    this.cannotRetry = scope.counter('retries/cannot_retry');
    this.notOpen = scope.counter('retries/not_open');
    this.requeuesPerRequest = scope.stat('retries/requeues_per_request');
    // All workers see the one budget.
    this.budget = scope.gauge('retries/budget', { merge: 'max' });
    this.budgetExhausted = scope.counter('retries/budget_exhausted');
    this.#creationFailures = new FailureCounts(scope, 'service_creation/');
    this.#acquisition = scope.stat('service_creation/service_acquisition_latency_ms');
  }

  /** A request has got its connection after so many ms, or needed none. */
  acquired(ms: number): void {
    this.#acquisition.record(ms);
  }

  /** A request could not have a connection. */
  notAcquired(failure: 'noEndpoint' | 'tooManyWaiters' | 'cannotConnect'): void {
    this.#creationFailures.count(failureClass[failure]);
  }
}

/** The connections of all endpoints, as requests have them. */
export class PoolMetrics {
  readonly size: Gauge;
  readonly cached: Gauge;
  readonly waiters: Gauge;
  readonly waited: Counter;
  readonly tooManyWaiters: Counter;
  readonly cancelledConnects: Counter;
  readonly connectMs: Stat;
  readonly failedConnectMs: Stat;

  constructor(scope: MetricScope) {
    this.size = scope.gauge('pool_size');
    this.cached = scope.gauge('pool_cached');
    this.waiters = scope.gauge('pool_waiters');
    this.waited = scope.counter('pool_num_waited');
    this.tooManyWaiters = scope.counter('pool_num_too_many_waiters');
    this.cancelledConnects = scope.counter('cancelled_connects');
    this.connectMs = scope.stat('connect_latency_ms');
    this.failedConnectMs = scope.stat('failed_connect_latency_ms');
  }
}

export class BalancerMetrics {
  readonly load: Gauge;
  readonly maxEffortExhausted: Counter;
  readonly #size: Gauge;
  readonly #available: Gauge;
  readonly #busy: Gauge;
  readonly #isAvailable: Gauge;
  readonly #weightClasses: Gauge;
  readonly #meanWeight: Gauge;
  readonly #aperture: Gauge | null;
  readonly #adds: Counter;
  readonly #removes: Counter;
  readonly #updates: Counter;
  readonly #rebuilds: Counter;

  constructor(scope: MetricScope, algorithm: string) {
    const shared = (name: string): Gauge => scope.gauge(name, { merge: 'max' });
    this.#size = shared('loadbalancer/size');
    this.#available = shared('loadbalancer/available');
    this.#busy = shared('loadbalancer/busy');
    this.#isAvailable = shared('available');
    this.load = scope.gauge('loadbalancer/load');
    this.#weightClasses = shared('loadbalancer/num_weight_classes');
    this.#meanWeight = shared('loadbalancer/meanweight');
    this.#aperture = algorithm.startsWith('aperture') ? shared('loadbalancer/aperture') : null;
    this.maxEffortExhausted = scope.counter('loadbalancer/max_effort_exhausted');
    this.#adds = scope.counter('loadbalancer/adds');
    this.#removes = scope.counter('loadbalancer/removes');
    this.#updates = scope.counter('loadbalancer/updates');
    this.#rebuilds = scope.counter('loadbalancer/rebuilds');
    shared(`loadbalancer/algorithm/${algorithm}`).set(1);
  }

  /** The replica set was updated. */
  updated(adds: number, removes: number): void {
    this.#adds.add(adds);
    this.#removes.add(removes);
    this.#updates.increment();
  }

  removed(): void {
    this.#removes.increment();
  }

  /** The balancer was given `available` of the endpoints of these weights. */
  rebuilt(weights: readonly number[], available: number): void {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (weights.length > 0) this.#rebuilds.increment();
    this.#size.set(weights.length);
    this.#available.set(available);
    this.#busy.set(weights.filter((weight) => weight > 0).length - available);
    this.#isAvailable.set(available > 0 ? 1 : 0);
    this.#weightClasses.set(new Set(weights).size);
    this.#meanWeight.set(weights.length === 0 ? 0 : total / weights.length);
  }

  /** Endpoints that an aperture is over. */
  opened(aperture: number): void {
    this.#aperture?.set(aperture);
  }
}

/** What failure accrual does to endpoints. */
export class AccrualMetrics {
  readonly removals: Counter;
  readonly revivals: Counter;
  readonly probes: Counter;
  readonly removedForMs: Counter;

  constructor(scope: MetricScope) {
    this.removals = scope.counter('failure_accrual/removals');
    this.revivals = scope.counter('failure_accrual/revivals');
    this.probes = scope.counter('failure_accrual/probes');
    this.removedForMs = scope.counter('failure_accrual/removed_for_ms');
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
