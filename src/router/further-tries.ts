/**
 * The tries of a request after its first: how many there were, which endpoints they had better go to, and whether there may be
 * another. Made when the first one fails.
 */
import type { Counter } from '../metrics/registry.ts';
import type { Client } from './client/client.ts';
import type { Endpoint } from './client/endpoint.ts';
import type { RequestDeadline } from './deadline.ts';
import type { Service } from './service/service.ts';

/** The client is closed: the request goes wherever its name leads by now. */
export const ELSEWHERE = 'elsewhere';

export class FurtherTries {
  retries = 0;
  requeues = 0;
  /** Another one was wanted and not allowed. */
  #isRefused = false;
  /** A connection died under the request: the next one must not be another that was kept. */
  wantsFresh = false;
  readonly #service: Service;
  /** Endpoints that nothing could be sent to. */
  readonly #refused: Endpoint[] = [];
  /** Those that failed otherwise, or would not have it just then; the last one at the end. */
  readonly #avoided: Endpoint[] = [];
  #waitedMs = 0;

  constructor(service: Service) {
    this.#service = service;
  }

  /** A failure that is passed on now is what is left after retries, made or refused. */
  get isRetriedOut(): boolean {
    return this.#isRefused || this.retries > 0;
  }

  /** The request is not to go to this endpoint again. */
  refuse(endpoint: Endpoint): void {
    this.#refused.push(endpoint);
  }

  /** Another endpoint is preferred to this one, where there is another. */
  avoid(endpoint: Endpoint): void {
    this.#avoided.push(endpoint);
  }

  /** The endpoint for the next try: one that has not had it, or at least not last; null where none is left that can be sent to. */
  pick(client: Client): Endpoint | null {
    const [refused, avoided] = [this.#refused, this.#avoided];
    const untried = avoided.length === 0 ? null : client.pick([...refused, ...avoided]);
    const other = untried ?? (avoided.length < 2 ? null : client.pick([...refused, ...avoided.slice(-1)]));
    return other ?? client.pick(refused);
  }

  /**
   * Takes a requeue from the client's budget: the endpoint that it goes to, or ELSEWHERE. Null when there is none left to send
   * it to, or it is not allowed. `isFree`: whatever the budget says.
   */
  takeRequeue(client: Client, isFree: boolean): Endpoint | typeof ELSEWHERE | null {
    const { metrics } = client;
    const endpoint = client.isClosed ? ELSEWHERE : this.pick(client);
    if (endpoint === null) {
      metrics.notOpen.increment();
      // All have been asked: the hop before is not to begin anew.
      if (this.requeues > 0) this.#isRefused = true;
      return null;
    }
    if (this.#isEnough) return this.#refuseAnother(metrics.requestLimit);
    if (!isFree && !client.takeRequeue()) return this.#refuseAnother(metrics.budgetExhausted);
    this.requeues++;
    metrics.requeues.increment();
    return endpoint;
  }

  /**
   * Takes a retry from the service's budget: how long to wait before it in ms, a backoff after the `afterMs` that the endpoint
   * asks for. Null when there is none left, or no time for it.
   */
  takeRetry(afterMs: number, deadline: RequestDeadline | null): number | null {
    const { policy, metrics } = this.#service;
    // Whoever wants to be left alone for so long should be left alone by the client, too.
    if (afterMs > policy.maxRetryAfterMs) return null;
    const backoffMs = policy.backoff(this.retries, this.#waitedMs);
    const waitMs = afterMs + backoffMs;
    const isTooLate = deadline !== null && performance.now() + waitMs >= deadline.endsMs;
    if (this.#isEnough || isTooLate) return this.#refuseAnother(metrics.backoffsExhausted);
    if (!this.#service.takeRetry()) return this.#refuseAnother(metrics.budgetExhausted);
    this.#waitedMs = backoffMs;
    this.retries++;
    metrics.retries.increment();
    return waitMs;
  }

  get #isEnough(): boolean {
    return this.retries + this.requeues >= this.#service.policy.maxPerRequest;
  }

  #refuseAnother(reason: Counter): null {
    reason.increment();
    this.#isRefused = true;
    return null;
  }
}
