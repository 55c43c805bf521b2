/** What a client counts (`rt/<router>/client/<bound id>`): its requests, connections, pools and balancer. */
import { failureClass } from '../../metrics/names.ts';
import type { Counter, Gauge, MetricRegistry, MetricScope, Stat } from '../../metrics/registry.ts';
import { ConnectionMetrics, FailureCounts, RequestMetrics, StatusCounts } from '../metrics.ts';

export class ClientMetrics extends RequestMetrics {
  readonly connections: ConnectionMetrics;
  readonly pool: PoolMetrics;
  readonly balancer: BalancerMetrics;
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

  /** `balancer` is the configured kind, as the original names its algorithm. */
  constructor(metrics: MetricRegistry, router: string, id: string, balancer: string) {
    super(metrics.scope(['rt', router, 'client', id.slice(1)]));
    const scope = this.scope;
    this.connections = new ConnectionMetrics(scope);
    this.pool = new PoolMetrics(scope);
    this.balancer = new BalancerMetrics(scope, balancer);
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
  readonly #size: Gauge;
  readonly #available: Gauge;
  readonly #isAvailable: Gauge;
  readonly #weightClasses: Gauge;
  readonly #meanWeight: Gauge;
  readonly #adds: Counter;
  readonly #removes: Counter;
  readonly #updates: Counter;

  constructor(scope: MetricScope, algorithm: string) {
    this.#size = scope.gauge('loadbalancer/size', { merge: 'max' });
    this.#available = scope.gauge('loadbalancer/available', { merge: 'max' });
    this.#isAvailable = scope.gauge('available', { merge: 'max' });
    this.load = scope.gauge('loadbalancer/load');
    this.#weightClasses = scope.gauge('loadbalancer/num_weight_classes', { merge: 'max' });
    this.#meanWeight = scope.gauge('loadbalancer/meanweight', { merge: 'max' });
    this.#adds = scope.counter('loadbalancer/adds');
    this.#removes = scope.counter('loadbalancer/removes');
    this.#updates = scope.counter('loadbalancer/updates');
    scope.gauge(`loadbalancer/algorithm/${algorithm}`, { merge: 'max' }).set(1);
  }

  /** The replica set has changed to endpoints of these weights. */
  updated(weights: readonly number[], adds: number, removes: number): void {
    const available = weights.filter((weight) => weight > 0).length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#size.set(weights.length);
    this.#available.set(available);
    this.#isAvailable.set(available > 0 ? 1 : 0);
    this.#weightClasses.set(new Set(weights).size);
    this.#meanWeight.set(weights.length === 0 ? 0 : total / weights.length);
    this.#adds.add(adds);
    this.#removes.add(removes);
    this.#updates.increment();
  }
}
