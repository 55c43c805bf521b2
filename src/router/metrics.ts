/**
 * What servers, services and clients count alike, as handles that are taken when their owner is made (metrics/names.ts
 * has the names). What is rare (a status, a class of failure) is made when it first happens.
 */
import { failureClass, failureNames } from '../metrics/names.ts';
import type { Counter, Gauge, MetricRegistry, MetricScope, Stat } from '../metrics/registry.ts';
import type { ConnectionCounts } from '../wire/connection-counts.ts';
import type { RouteError } from './errors.ts';

/** Requests: how many, how they ended, and how long they took. */
export class RequestMetrics {
  protected readonly scope: MetricScope;
  readonly #requests: Counter;
  readonly #success: Counter;
  readonly #pending: Gauge;
  readonly #latency: Stat;
  readonly #failures: FailureCounts;

  constructor(scope: MetricScope) {
    this.scope = scope;
    this.#requests = scope.counter('requests');
    this.#success = scope.counter('success');
    this.#failures = new FailureCounts(scope);
    this.#pending = scope.gauge('pending');
    this.#latency = scope.stat('request_latency_ms');
  }

  began(): void {
    this.#requests.increment();
    this.#pending.increment();
  }

  succeeded(ms: number): void {
    this.#pending.decrement();
    this.#latency.record(ms);
    this.#success.increment();
  }

  /** `failure` is one of failureClass; null: the original has no class for it, or none is known. */
  failed(ms: number, failure: string | null): void {
    this.#pending.decrement();
    this.#latency.record(ms);
    this.#failures.count(failure);
  }

  /** What never became a request failed at once. */
  protected failedAtOnce(): void {
    this.#requests.increment();
    this.#failures.count(null);
  }

  close(): void {
    this.scope.close();
  }
}

/** `failures`, and one counter for each class. */
export class FailureCounts {
  readonly #scope: MetricScope;
  readonly #prefix: string;
  readonly #all: Counter;
  readonly #classes = new Map<string, readonly Counter[]>();

  constructor(scope: MetricScope, prefix = '') {
    this.#scope = scope;
    this.#prefix = prefix;
    this.#all = scope.counter(`${prefix}failures`);
  }

  count(failure: string | null): void {
    this.#all.increment();
    if (failure === null) return;
    let counters = this.#classes.get(failure);
    if (counters === undefined) {
      counters = failureNames(failure).map((name) => this.#scope.counter(`${this.#prefix}${name}`));
      this.#classes.set(failure, counters);
    }
    for (const counter of counters) counter.increment();
  }
}

/** What a request of a service, or of a service at a client, is counted as when it fails without a response. */
const ROUTE_FAILURES: Partial<Record<RouteError['type'], string>> = {
  unidentified: failureClass.unidentified,
  unbound: failureClass.unbound,
  bindingTimeout: failureClass.bindingTimeout,
  connectFailed: failureClass.connectFailed,
  backendClosed: failureClass.backendClosed,
  overloaded: failureClass.overloaded,
  outOfMemory: failureClass.overloaded,
  tooManyWaiters: failureClass.tooManyWaiters,
  serverTimeout: failureClass.timeout,
  totalTimeout: failureClass.timeout,
  deadlinePassed: failureClass.timeout,
  attemptTimeout: failureClass.attemptTimeout,
};

export function routeFailure(error: RouteError): string | null {
  return ROUTE_FAILURES[error.type] ?? null;
}

const GROUPS = ['1XX', '2XX', '3XX', '4XX', '5XX'] as const;

/** Responses by status. */
export class StatusCounts {
  readonly #scope: MetricScope;
  readonly #groups: readonly Counter[];
  readonly #error: Counter;
  /** By status. */
  readonly #codes: (Counter | undefined)[] = [];

  constructor(scope: MetricScope) {
    this.#scope = scope;
    this.#groups = GROUPS.map((group) => scope.counter(`status/${group}`));
    this.#error = scope.counter('status/error');
  }

  /** 0: there was no response. */
  count(status: number): void {
    if (status === 0) {
      this.#error.increment();
      return;
    }
    let code = this.#codes[status];
    if (code === undefined) {
      code = this.#scope.counter(`status/${status}`);
      this.#codes[status] = code;
    }
    code.increment();
    this.#groups[groupOf(status)]?.increment();
  }
}

/** Times to responses by status. */
export class StatusTimes {
  readonly #groups: readonly Stat[];
  readonly #error: Stat;

  constructor(scope: MetricScope) {
    this.#groups = GROUPS.map((group) => scope.stat(`time/${group}`));
    this.#error = scope.stat('time/error');
  }

  record(status: number, ms: number): void {
    (status === 0 ? this.#error : this.#groups[groupOf(status)])?.record(ms);
  }
}

function groupOf(status: number): number {
  return ((status / 100) | 0) - 1;
}

/** Connections: how many, how much they carried, and how long they lived. */
export class ConnectionMetrics implements ConnectionCounts {
  readonly received: Counter;
  readonly sent: Counter;
  readonly readTimeouts: Counter;
  readonly writeTimeouts: Counter;
  readonly #connects: Counter;
  readonly #closes: Counter;
  readonly #open: Gauge;
  readonly #duration: Stat;
  readonly #requests: Stat;

  constructor(scope: MetricScope) {
    this.#connects = scope.counter('connects');
    this.#closes = scope.counter('closes');
    this.#open = scope.gauge('connections');
    this.received = scope.counter('received_bytes');
    this.sent = scope.counter('sent_bytes');
    this.readTimeouts = scope.counter('read_timeout');
    this.writeTimeouts = scope.counter('write_timeout');
    this.#duration = scope.stat('connection_duration', { stepsPerUnit: 1 });
    this.#requests = scope.stat('connection_requests');
  }

  opened(): void {
    this.#connects.increment();
    this.#open.increment();
  }

  closed(ms: number, requests: number): void {
    this.#closes.increment();
    this.#open.decrement();
    this.#duration.record(ms);
    this.#requests.record(requests);
  }
}

/** What the cache of bound names does. */
export class PathCacheMetrics {
  readonly misses: Counter;
  readonly evicts: Counter;
  readonly expires: Counter;
  readonly #scope: MetricScope;

  constructor(metrics: MetricRegistry, router: string) {
    this.#scope = metrics.scope(['rt', router, 'bindcache', 'path']);
    this.misses = this.#scope.counter('misses');
    this.evicts = this.#scope.counter('evicts');
    this.expires = this.#scope.counter('expires');
  }

  close(): void {
    this.#scope.close();
  }
}

/** Clients make no room for others: each goes with the last binding that leads to it. */
export class ClientCacheMetrics {
  readonly misses: Counter;
  readonly expires: Counter;
  readonly #scope: MetricScope;

  constructor(metrics: MetricRegistry, router: string) {
    this.#scope = metrics.scope(['rt', router, 'bindcache', 'client']);
    this.misses = this.#scope.counter('misses');
    this.expires = this.#scope.counter('expires');
  }

  close(): void {
    this.#scope.close();
  }
}

/** What a client does for one service. */
export function pairMetrics(metrics: MetricRegistry, router: string, client: string, service: string): RequestMetrics {
  return new RequestMetrics(metrics.scope(['rt', router, 'client', client.slice(1), 'service', service.slice(1)]));
}
