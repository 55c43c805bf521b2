/** Records one exchange in the metrics of its server, its service, and each client that it is sent to. */
import { failureClass } from '../metrics/names.ts';
import type { ClientMetrics } from './client/metrics.ts';
import type { RouteError } from './errors.ts';
import { type RequestMetrics, routeFailure } from './metrics.ts';
import type { ServedRequest } from './server/metrics.ts';

export class Recorder implements ServedRequest {
  /** When the request began, by `performance.now()`, as are all times here. */
  readonly startMs = performance.now();
  headMs = 0;
  ms = 0;
  status = 0;
  received = 0;
  sent = 0;
  error: RouteError | null = null;
  /** One of failureClass; null where there is none. */
  failure: string | null = null;
  #service: RequestMetrics | null = null;
  /** Of the attempt that is under way. */
  #client: ClientMetrics | null = null;
  #pair: RequestMetrics | null = null;
  #triedMs = 0;
  #isTrying = false;
  #isWhole = false;
  #sentMs = 0;

  get success(): boolean {
    return this.failure === null && this.error === null && this.status > 0 && this.status < 500;
  }

  bound(service: RequestMetrics): void {
    this.#service = service;
    service.began();
  }

  // ---- attempts

  /** Asks for a connection, `atOnce`: when the request came. `tried` follows once the call that asks returns. */
  trying(atOnce: boolean): void {
    this.#triedMs = atOnce ? this.startMs : performance.now();
    this.#isTrying = true;
  }

  tried(): void {
    this.#isTrying = false;
  }

  /** The request is sent to a client. `pair`: what that client does for this service. */
  sentTo(client: ClientMetrics, pair: RequestMetrics): void {
    this.#client = client;
    this.#pair = pair;
    client.began();
    pair.began();
    // An idle connection is there in the same call: the clock can't tell.
    this.#sentMs = this.#isTrying ? this.#triedMs : performance.now();
    client.acquired(this.#sentMs - this.#triedMs);
  }

  /** The name is bound to a status: the client answers without a connection. */
  answeredBy(client: ClientMetrics, pair: RequestMetrics): void {
    this.#client = client;
    this.#pair = pair;
    client.began();
    pair.began();
    this.#sentMs = performance.now();
  }

  /** The attempt that was sent has failed. */
  attemptFailed(failure: string | null): void {
    this.#attemptEnded(performance.now(), failure);
  }

  // ---- the end

  /** `isWhole`: no more of the response follows. */
  responded(status: number, isWhole: boolean): void {
    this.status = status;
    this.headMs = performance.now() - this.startMs;
    this.#isWhole = isWhole;
    if (status >= 500) this.failure = failureClass.response;
  }

  /** The router answers with an error. */
  failed(error: RouteError, status: number): void {
    // An attempt that is still under way is given up.
    this.#attemptEnded(performance.now(), failureClass.cancelled);
    this.responded(status, true);
    this.error = error;
    this.failure = routeFailure(error);
  }

  /** Before the server counts. */
  ended(): void {
    // The clock costs as much as all that is counted.
    this.ms = this.#isWhole ? this.headMs : performance.now() - this.startMs;
    const nowMs = this.startMs + this.ms;
    if (this.status === 0) {
      this.headMs = this.ms;
      this.failure ??= failureClass.cancelled;
    }
    this.#attemptEnded(nowMs, this.failure);
    const service = this.#service;
    if (service === null) return;
    if (this.success) service.succeeded(this.ms);
    else service.failed(this.ms, this.failure);
  }

  #attemptEnded(nowMs: number, failure: string | null): void {
    const client = this.#client;
    if (client === null) return;
    const pair = this.#pair as RequestMetrics;
    this.#client = null;
    const ms = nowMs - this.#sentMs;
    if (failure === null && this.status > 0) {
      client.succeeded(ms);
      pair.succeeded(ms);
    } else {
      client.failed(ms, failure);
      pair.failed(ms, failure);
    }
    client.statuses.count(this.status);
  }
}
