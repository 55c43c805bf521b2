/** Records one exchange in the metrics of its server, its service, and each client that it is sent to. */
// The global of this name is found by a getter each time.
import { performance } from 'node:perf_hooks';
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
    return this.failure === null && this.error === null && this.status > 0;
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

  /** The attempt that was sent has failed without a response. */
  attemptFailed(failure: string | null): void {
    this.#attemptEnded(performance.now(), failure, 0);
  }

  /** The attempt that was sent had a response that is a failure, and not the last word. */
  attemptAnswered(status: number): void {
    this.#attemptEnded(performance.now(), failureClass.response, status);
  }

  // ---- the end

  /** The response of the client begins. `isWhole`: no more of it follows. */
  responded(status: number, success: boolean, isWhole: boolean): void {
    this.status = status;
    this.headMs = performance.now() - this.startMs;
    this.#isWhole = isWhole;
    if (!success) this.failure = failureClass.response;
  }

  /** The router answers with an error. */
  failed(error: RouteError, status: number): void {
    // An attempt that is still under way is given up.
    this.#attemptEnded(performance.now(), failureClass.cancelled, 0);
    this.responded(status, true, true);
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
    this.#attemptEnded(nowMs, this.failure, this.status);
    const service = this.#service;
    if (service === null) return;
    if (this.success) service.succeeded(this.ms);
    else service.failed(this.ms, this.failure);
  }

  /** `status` 0: there was no response. */
  #attemptEnded(nowMs: number, failure: string | null, status: number): void {
    const client = this.#client;
    if (client === null) return;
    const pair = this.#pair as RequestMetrics;
    this.#client = null;
    const ms = nowMs - this.#sentMs;
    if (failure === null && status > 0) {
      client.succeeded(ms);
      pair.succeeded(ms);
    } else {
      client.failed(ms, failure);
      pair.failed(ms, failure);
    }
    client.statuses.count(status);
  }
}
