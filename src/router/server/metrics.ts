/** What a server counts (`rt/<router>/server/<ip>/<port>`). */
import { threadName } from 'node:worker_threads';
import { failureClass } from '../../metrics/names.ts';
import type { Counter, MetricRegistry, Stat } from '../../metrics/registry.ts';
import type { RouteError } from '../errors.ts';
import { ConnectionMetrics, RequestMetrics, StatusCounts, StatusTimes } from '../metrics.ts';

/** How a request ended, as its client saw it. */
export interface ServedRequest {
  readonly success: boolean;
  /** 0: it got no response. */
  readonly status: number;
  /** To the head of the response, and to its end. */
  readonly headMs: number;
  readonly ms: number;
  /** Bytes of the bodies. */
  readonly received: number;
  readonly sent: number;
  /** What the router itself answered to. */
  readonly error: RouteError | null;
  /** One of failureClass; null where there is none. */
  readonly failure: string | null;
}

/** What a connection has done when it is closed. */
export interface ClosedConnection {
  /** By performance.now(). */
  readonly openedAt: number;
  readonly requests: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export class ServerMetrics extends RequestMetrics {
  readonly connections: ConnectionMetrics;
  readonly #statuses: StatusCounts;
  readonly #times: StatusTimes;
  readonly #nacks: Counter;
  readonly #ofThread: Counter;
  readonly #requestBytes: Stat;
  readonly #responseBytes: Stat;
  readonly #dtabSize: Stat;
  readonly #deadlinesExceeded: Counter;
  readonly #deadlinesRejected: Counter;
  readonly #deadlineExpired: Stat;
  readonly #deadlineRemaining: Stat;
  readonly #connectionReceived: Stat;
  readonly #connectionSent: Stat;

  /** `address` is where it listens, as `ip/port`. */
  constructor(metrics: MetricRegistry, router: string, address: string) {
    super(metrics.scope(['rt', router, 'server', address]));
    const scope = this.scope;
    this.connections = new ConnectionMetrics(scope, this);
    this.#statuses = new StatusCounts(scope, this);
    this.#times = new StatusTimes(scope);
    this.#nacks = scope.counter('nacks');
    this.#ofThread = scope.counter(`thread_usage/requests/per_thread/${threadName || 'main'}`);
    this.#requestBytes = scope.stat('request_payload_bytes');
    this.#responseBytes = scope.stat('response_payload_bytes');
    this.#dtabSize = scope.stat('dtab/size');
    this.#deadlinesExceeded = scope.counter('admission_control/deadline/exceeded');
    this.#deadlinesRejected = scope.counter('admission_control/deadline/rejected');
    this.#deadlineExpired = scope.stat('admission_control/deadline/expired_ms');
    this.#deadlineRemaining = scope.stat('admission_control/deadline/remaining_ms');
    this.#connectionReceived = scope.stat('connection_received_bytes');
    this.#connectionSent = scope.stat('connection_sent_bytes');
  }

  override began(): void {
    super.began();
    this.#ofThread.increment();
  }

  /** A request that carries a local dtab, shown. */
  overridden(dtab: string): void {
    this.#dtabSize.record(dtab.split(';').length);
  }

  /** A request came with a deadline; `leftMs` is negative where it had passed: such requests are refused. */
  deadline(leftMs: number): void {
    if (leftMs > 0) {
      this.#deadlineRemaining.record(leftMs);
      return;
    }
    this.#deadlinesExceeded.increment();
    this.#deadlinesRejected.increment();
    this.#deadlineExpired.record(-leftMs);
  }

  ended(request: ServedRequest): void {
    const { success, status, headMs, ms, received, sent, error } = request;
    if (success) this.succeeded(ms);
    else this.failed(ms, failureOf(request));
    this.#statuses.count(status);
    this.#times.record(status, headMs);
    this.#requestBytes.record(received);
    this.#responseBytes.record(sent);
    if (isShed(error)) this.#nacks.increment();
  }

  /** Bytes that were no request, and were answered so. */
  refused(status: number): void {
    this.failedAtOnce();
    this.#ofThread.increment();
    this.#statuses.count(status);
  }

  closed({ openedAt, requests, receivedBytes, sentBytes }: ClosedConnection): void {
    this.connections.closed(performance.now() - openedAt, requests);
    this.#connectionReceived.record(receivedBytes);
    this.#connectionSent.record(sentBytes);
  }
}

/** Whether a request was turned away because there is too much to do. */
export function isShed(error: RouteError | null): boolean {
  return error !== null && (error.type === 'overloaded' || error.type === 'outOfMemory');
}

/** To a server most errors are no more than the responses that they become. */
function failureOf({ error, failure, status }: ServedRequest): string | null {
  if (error === null || error.type === 'unidentified' || isShed(error)) return failure;
  return status >= 500 ? failureClass.response : null;
}
