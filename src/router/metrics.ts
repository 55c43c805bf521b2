/**
 * What servers, services and clients count alike (metrics/names.ts has the names). What each of them has stands in its block
 * of cells; what is rare (a status, a class of failure) is made when it first happens.
 */
import { failureClass, failureNames } from '../metrics/names.ts';
import { Cells, type Counter, type MetricRegistry, type MetricScope, type Stat } from '../metrics/registry.ts';
import { sharedCells } from '../metrics/shapes.ts';
import type { ConnectionCounts } from '../wire/connection-counts.ts';
import type { RouteError } from './errors.ts';

const request = sharedCells('requests', 'success', 'failures', 'pending');

/**
 * Requests: how many, how they ended, and how long they took. It is itself the cells of its scope: one thing less to look up, and
 * there may be one of these for each of many names.
 */
export class RequestMetrics extends Cells {
  readonly #latency: Stat;
  protected readonly scope: MetricScope;
  #failures: FailureCounts | null = null;

  constructor(scope: MetricScope) {
    super(scope.block);
    scope.adopt(this);
    this.scope = scope;
    this.#latency = scope.stat('request_latency_ms');
  }

  began(): void {
    this.increment(request.requests);
    this.increment(request.pending);
  }

  succeeded(ms: number): void {
    this.decrement(request.pending);
    this.increment(request.success);
    this.#latency.record(ms);
  }

  /** `failure` is one of failureClass; null: the original has no class for it, or none is known. */
  failed(ms: number, failure: string | null): void {
    this.decrement(request.pending);
    this.#latency.record(ms);
    this.#countFailure(failure);
  }

  /** What never became a request failed at once. */
  protected failedAtOnce(): void {
    this.increment(request.requests);
    this.#countFailure(null);
  }

  close(): void {
    this.scope.close();
  }

  #countFailure(failure: string | null): void {
    this.#failures ??= new FailureCounts(this.scope);
    this.#failures.count(failure);
  }
}

/** `failures`, and one counter for each class; made when something fails. */
export class FailureCounts {
  readonly #scope: MetricScope;
  readonly #prefix: string;
  #all: Counter | null = null;
  #classes: Map<string, readonly Counter[]> | null = null;

  constructor(scope: MetricScope, prefix = '') {
    this.#scope = scope;
    this.#prefix = prefix;
  }

  count(failure: string | null): void {
    this.#all ??= this.#scope.counter(`${this.#prefix}failures`);
    this.#all.increment();
    if (failure === null) return;
    this.#classes ??= new Map();
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
const status = sharedCells('status/1XX', 'status/2XX', 'status/3XX', 'status/4XX', 'status/5XX', 'status/error');
const groupCells = GROUPS.map((group) => status[`status/${group}`]);

/** Responses by status. */
export class StatusCounts {
  readonly #scope: MetricScope;
  readonly #cells: Cells;
  /** The status that came last, and its counter: mostly it comes again. */
  #last = 0;
  #counter: Counter | null = null;
  /** By status; null while there was one alone. */
  #counters: Map<number, Counter> | null = null;

  constructor(scope: MetricScope, cells: Cells) {
    this.#scope = scope;
    this.#cells = cells;
  }

  /** 0: there was no response. */
  count(code: number): void {
    if (code === 0) {
      this.#cells.increment(status['status/error']);
      return;
    }
    this.#counterOf(code).increment();
    const group = groupCells[groupOf(code)];
    if (group !== undefined) this.#cells.increment(group);
  }

  #counterOf(code: number): Counter {
    if (code === this.#last && this.#counter !== null) return this.#counter;
    if (this.#counter !== null) this.#counters ??= new Map([[this.#last, this.#counter]]);
    const counter = this.#counters?.get(code) ?? this.#scope.counter(`status/${code}`);
    this.#counters?.set(code, counter);
    this.#last = code;
    this.#counter = counter;
    return counter;
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

  record(code: number, ms: number): void {
    (code === 0 ? this.#error : this.#groups[groupOf(code)])?.record(ms);
  }
}

function groupOf(code: number): number {
  return ((code / 100) | 0) - 1;
}

const connection = sharedCells(
  'connects',
  'closes',
  'connections',
  'received_bytes',
  'sent_bytes',
  'read_timeout',
  'write_timeout',
);

/** Connections: how many, how much they carried, and how long they lived. */
export class ConnectionMetrics implements ConnectionCounts {
  readonly #cells: Cells;
  readonly #duration: Stat;
  readonly #requests: Stat;

  constructor(scope: MetricScope, cells: Cells) {
    this.#cells = cells;
    this.#duration = scope.stat('connection_duration', { stepsPerUnit: 1 });
    this.#requests = scope.stat('connection_requests');
  }

  opened(): void {
    this.#cells.increment(connection.connects);
    this.#cells.increment(connection.connections);
  }

  closed(ms: number, requests: number): void {
    this.#cells.increment(connection.closes);
    this.#cells.decrement(connection.connections);
    this.#duration.record(ms);
    this.#requests.record(requests);
  }

  received(bytes: number): void {
    this.#cells.add(connection.received_bytes, bytes);
  }

  sent(bytes: number): void {
    this.#cells.add(connection.sent_bytes, bytes);
  }

  readTimedOut(): void {
    this.#cells.increment(connection.read_timeout);
  }

  writeTimedOut(): void {
    this.#cells.increment(connection.write_timeout);
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
