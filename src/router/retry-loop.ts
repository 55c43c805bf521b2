/**
 * Sends a request to where its name leads: once, and again where that is safe and may help. There are two ways:
 *
 *     requeue   nobody can have acted on the request, or acting twice does no harm: at once, at another endpoint;
 *               under the client's budget
 *     retry     the service's classifier calls the failure retryable: after a backoff, wherever the name leads then;
 *               under the service's budget
 *
 *     start -> bound? -> choose a leaf -> addresses? -> pick an endpoint -> attempt -> response: to the exchange
 *                ^                                           ^                 |
 *                +-------------- retry, later ---------------+--- requeue -----+-----> fail: the exchange answers
 *
 * Both together are no more than the service's `maxPerRequest`, and none begins once a byte of a response has reached the client.
 */

import type { Counter } from '../metrics/registry.ts';
import type { Head, HeaderBlock, ResponseHead } from '../wire/head.ts';
import { NO_BYTES } from '../wire/stream.ts';
import { Attempt, type AttemptFailure, type AttemptOwner } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import type { Client } from './client/client.ts';
import type { Endpoint } from './client/endpoint.ts';
import { attemptHeader } from './deadline.ts';
import { backendError, dentryLines, type RouteError, type Selected } from './errors.ts';
import { Verdict } from './http/classifiers/index.ts';
import { writeDeadline } from './http/deadline.ts';
import { forbidsRetry, isNack, retryAfterMs } from './http/retry-headers.ts';
import { nextClientSpan, showTrace } from './http/trace.ts';
import { routeFailure } from './metrics.ts';
import type { NamedRequest } from './named-request.ts';
import { NO_OVERRIDE } from './override.ts';
import { Waiting } from './waiting.ts';

/** Methods that may be acted on twice (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export class RetryLoop implements AttemptOwner {
  readonly #request: NamedRequest;
  readonly binding: Binding;
  /** Where the request may go, or went. */
  leaf: Leaf | null = null;
  retries = 0;
  requeues = 0;
  #attempt: Attempt | null = null;
  #hasResponse = false;
  /** Another try was wanted and not allowed. */
  #isRefused = false;
  /** Endpoints that nothing could be sent to, or that would not have it; null while there are none. */
  #refused: Endpoint[] | null = null;
  /** The last one that failed otherwise: another is preferred. */
  #avoided: Endpoint | null = null;
  /** A connection died under the request: the next one must not be another that was kept. */
  #wantsFresh = false;
  #waitedMs = 0;
  /** Which budgets know of the request. */
  #isDeposited = false;
  #depositedAt: Client | null = null;
  /** The headers of the trace, with the span of the present try. */
  #trace: HeaderBlock;
  #waiting: Waiting | null = null;
  #isOver = false;

  constructor(request: NamedRequest, binding: Binding, trace: HeaderBlock) {
    this.#request = request;
    this.binding = binding;
    this.#trace = trace;
  }

  start(): void {
    const { binding } = this;
    if (binding.phase === 'pending') this.#wait().forName(binding, () => this.#dispatch());
    else this.#dispatch();
  }

  /** The failure that the client is told of is what is left after further tries, made or refused. */
  get isRetriedOut(): boolean {
    return this.#isRefused || this.retries > 0;
  }

  /** More of the body has come, and was kept if need be. False as of Stream.sendData. */
  sendData(chunk: Buffer, start: number, end: number): boolean {
    const attempt = this.#attempt;
    return attempt === null || !attempt.isSent || attempt.sendData(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    if (this.#attempt?.isSent === true) this.#attempt.sendEnd(trailers);
  }

  /** What was sent to the client has left. */
  resume(): void {
    this.#attempt?.resume();
  }

  /** The exchange is over. `isWhole`: the response came to its end. Returns the last attempt. */
  close(isWhole: boolean): Attempt | null {
    this.#isOver = true;
    this.#waiting?.close();
    const attempt = this.#attempt;
    if (isWhole) attempt?.end();
    else attempt?.cancel();
    this.#attempt = null;
    this.binding.service.metrics.retriesPerRequest.record(this.retries);
    this.leaf?.client.metrics.requeuesPerRequest.record(this.requeues);
    return attempt;
  }

  // ---- from a name to an endpoint

  #dispatch(): void {
    const { binding } = this;
    const request = this.#request;
    if (!this.#isDeposited) {
      this.#isDeposited = true;
      binding.service.budget.deposit(request.recorder.startMs);
    }
    if (binding.phase === 'failed') {
      request.fail({ type: 'bindingFailed', cause: binding.error });
      return;
    }
    const leaf = binding.choose();
    if (leaf === null) {
      request.fail(this.#unbound());
      return;
    }
    this.leaf = leaf;
    if (leaf.status !== null) request.answer(leaf, this.#verdictOf(leaf.status) === Verdict.success);
    else if (leaf.client.isPending) this.#wait().forName(leaf.client, () => this.#settled(leaf));
    else this.#try(leaf);
  }

  /** The addresses have come, or the name leads elsewhere by now. */
  #settled(leaf: Leaf): void {
    if (leaf.client.isClosed) this.#dispatch();
    else this.#try(leaf);
  }

  /** The client is held meanwhile. */
  #wait(): Waiting {
    const { router } = this.#request;
    this.#waiting ??= new Waiting(router.wheel, router.bindingTimeoutMs, () => {
      const { bindingTimeoutMs } = router;
      this.#request.fail({ type: 'bindingTimeout', service: this.binding.service.name, ms: bindingTimeoutMs });
    });
    this.#request.hold();
    return this.#waiting;
  }

  #try(leaf: Leaf): void {
    const { client } = leaf;
    // What was refused may be better by now, after a backoff.
    const endpoint = this.#pick(client) ?? (this.retries > 0 ? client.pick(null) : null);
    if (endpoint !== null) {
      this.#tryAt(leaf, endpoint);
      return;
    }
    client.metrics.notAcquired('noEndpoint');
    const cause = client.failure;
    this.#request.fail(cause === null ? this.#unbound() : { type: 'bindingFailed', cause });
  }

  #pick(client: Client): Endpoint | null {
    if (this.#avoided !== null) {
      const other = client.pick(this.#refused === null ? [this.#avoided] : [...this.#refused, this.#avoided]);
      if (other !== null) return other;
    }
    return client.pick(this.#refused);
  }

  #tryAt(leaf: Leaf, endpoint: Endpoint): void {
    const { client } = leaf;
    const request = this.#request;
    const { recorder } = request;
    if (this.#depositedAt !== client) {
      this.#depositedAt = client;
      client.requeueBudget.deposit(recorder.startMs);
    }
    const attempt = new Attempt(client, endpoint, this.#wantsFresh, this, request);
    this.#attempt = attempt;
    recorder.trying(this.#waiting === null && this.#tries === 0);
    if (request.head.method === 'CONNECT' && !leaf.isGateway) attempt.startTunnel();
    else if (!attempt.start()) this.#turnedAway(attempt);
    if (!attempt.isSent && !this.#isOver) request.hold();
    recorder.tried();
  }

  /** Too many requests wait for a connection to this endpoint. */
  #turnedAway(attempt: Attempt): void {
    const { client } = this.leaf as Leaf;
    attempt.cancel();
    client.metrics.notAcquired('tooManyWaiters');
    this.#refuse(attempt.endpoint);
    if (this.#requeue()) return;
    this.#request.fail({ type: 'tooManyWaiters', limit: client.maxWaiters, ...this.#selected(attempt.endpoint) });
  }

  // ---- AttemptOwner

  onReady(attempt: Attempt): void {
    const request = this.#request;
    const { head, body, override, deadline } = request;
    const leaf = this.leaf as Leaf;
    const { attemptTimeoutMs } = leaf.client;
    request.recorder.sentTo(leaf.client.metrics, leaf.pair);
    const mark = head.mark();
    head.appendBlock(leaf.headers);
    head.appendBlock(this.#trace);
    if (override !== NO_OVERRIDE) head.append('l5d-ctx-dtab', override);
    if (deadline !== null) {
      const header = deadline.header(attemptTimeoutMs);
      if (header !== null) writeDeadline(head, header);
    } else if (attemptTimeoutMs !== undefined) {
      writeDeadline(head, attemptHeader(attemptTimeoutMs));
    }
    const taken = body === null ? attempt.send(head, NO_BYTES, 0, 0, true) : body.sendTo(attempt, head);
    head.rewind(mark);
    if (taken) request.onUpstreamDrain();
    else request.hold();
  }

  onResponse(attempt: Attempt, head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): void {
    const request = this.#request;
    const verdict = this.#verdictOf(head.status);
    const success = verdict === Verdict.success;
    if ((!success || head.status === 503) && this.#goesAgain(attempt, head, verdict, fin)) return;
    attempt.judge(success);
    this.#hasResponse = true;
    request.body?.forget();
    request.respond(attempt, head, success, chunk, start, end, fin);
  }

  #verdictOf(status: number): Verdict {
    return this.binding.service.policy.classifier.ofResponse(this.#request.head.method, status);
  }

  onFailed(attempt: Attempt, failure: AttemptFailure): void {
    const request = this.#request;
    this.#attempt = null;
    if (this.#hasResponse) {
      request.onResponseCut();
      return;
    }
    const error = this.#errorOf(attempt, failure);
    if (attempt.isSent) {
      this.#avoided = attempt.endpoint;
      this.#wantsFresh = failure.type === 'reset';
      request.recorder.attemptFailed(routeFailure(error));
    } else {
      this.#refuse(attempt.endpoint);
      (this.leaf as Leaf).client.metrics.notAcquired('cannotConnect');
    }
    // A connection that was kept has answered before, so this way no more tries are made than requests answered.
    const isFree = failure.type === 'reset' && failure.kept;
    if (this.#isHarmless(attempt, failure) && this.#requeue(isFree)) return;
    const verdict = this.binding.service.policy.classifier.ofFailure(request.head.method);
    const waitMs = verdict === Verdict.retryable && this.#canRepeat() ? this.#takeRetry(0) : null;
    if (waitMs === null) request.fail(error);
    else this.#retry(waitMs);
  }

  // ---- further tries

  /** What is done with a failure, or with a nack, instead of passing it on; false when it is to be passed on. */
  #goesAgain(attempt: Attempt, head: ResponseHead, verdict: Verdict, fin: boolean): boolean {
    if (forbidsRetry(head)) return false;
    if (isNack(head)) {
      if (!this.#canRepeat()) {
        (this.leaf as Leaf).client.metrics.cannotRetry.increment();
        return false;
      }
      this.#discard(attempt, head.status, fin);
      this.#refuse(attempt.endpoint);
      if (!this.#requeue()) this.#request.fail({ type: 'nacked' });
      return true;
    }
    if (!this.binding.service.policy.isRetryable(verdict, head) || !this.#canRepeat()) return false;
    const waitMs = this.#takeRetry(retryAfterMs(head));
    if (waitMs === null) return false;
    this.#discard(attempt, head.status, fin);
    this.#avoided = attempt.endpoint;
    this.#retry(waitMs);
    return true;
  }

  /** Whether all of the request can be sent again, and the client has seen nothing of a response. */
  #canRepeat(): boolean {
    const { body, isAnswered } = this.#request;
    return body?.isReplayable !== false && !isAnswered;
  }

  /** Whether another try can't make the application act twice on what must be acted on once. */
  #isHarmless(attempt: Attempt, failure: AttemptFailure): boolean {
    if (!attempt.isSent) return true;
    if (failure.type !== 'reset' || !failure.unanswered) return false;
    if (IDEMPOTENT.has(this.#request.head.method) && this.#canRepeat()) return true;
    (this.leaf as Leaf).client.metrics.cannotRetry.increment();
    return false;
  }

  /** Tries again at once, where an endpoint is left; false when there is none, or it is not allowed. `isFree`: by the budget. */
  #requeue(isFree = false): boolean {
    const leaf = this.leaf as Leaf;
    const { client } = leaf;
    const { metrics } = client;
    const endpoint = client.isClosed ? null : this.#pick(client);
    if (endpoint === null && !client.isClosed) {
      metrics.notOpen.increment();
      return false;
    }
    const { maxPerRequest } = this.binding.service.policy;
    if (this.#tries === maxPerRequest) return this.#refuseAnother(metrics.requestLimit) !== null;
    if (!isFree && !client.requeueBudget.withdraw()) return this.#refuseAnother(metrics.budgetExhausted) !== null;
    this.requeues++;
    metrics.requeues.increment();
    this.#trace = nextClientSpan(this.#trace);
    // Of a client that is closed the name leads elsewhere by now.
    if (endpoint === null) this.#dispatch();
    else this.#tryAt(leaf, endpoint);
    return true;
  }

  /** Takes one from the budget: how long to wait before it in ms, a backoff after `afterMs`. Null when none is allowed. */
  #takeRetry(afterMs: number): number | null {
    const { policy, budget, metrics } = this.binding.service;
    if (this.#tries === policy.maxPerRequest) return this.#refuseAnother(metrics.backoffsExhausted);
    // Whoever wants to be left alone for so long should be left alone by the client, too.
    if (afterMs > policy.maxRetryAfterMs) return null;
    const backoffMs = policy.backoff(this.retries, this.#waitedMs);
    const waitMs = afterMs + backoffMs;
    const { deadline } = this.#request;
    if (deadline !== null && performance.now() + waitMs >= deadline.endsMs) {
      return this.#refuseAnother(metrics.backoffsExhausted);
    }
    if (!budget.withdraw()) return this.#refuseAnother(metrics.budgetExhausted);
    this.#waitedMs = backoffMs;
    return waitMs;
  }

  #retry(waitMs: number): void {
    this.retries++;
    this.binding.service.metrics.retries.increment();
    this.#trace = nextClientSpan(this.#trace);
    if (waitMs === 0) this.#dispatch();
    else this.#wait().forTime(waitMs, () => this.#dispatch());
  }

  get #tries(): number {
    return this.retries + this.requeues;
  }

  #refuseAnother(reason: Counter): null {
    reason.increment();
    this.#isRefused = true;
    return null;
  }

  #refuse(endpoint: Endpoint): void {
    this.#refused ??= [];
    this.#refused.push(endpoint);
  }

  /** The response of this attempt is not what the client gets. */
  #discard(attempt: Attempt, status: number, isWhole: boolean): void {
    this.#attempt = null;
    this.#request.recorder.attemptAnswered(status);
    attempt.discard(isWhole, this.#request.body?.isComplete !== false);
  }

  // ---- errors

  #errorOf(attempt: Attempt, failure: AttemptFailure): RouteError {
    const selected = this.#selected(attempt.endpoint);
    switch (failure.type) {
      case 'connect':
        return { type: 'connectFailed', ...selected };
      case 'reset':
        return backendError(failure.reason, selected);
      case 'timeout': {
        const ms = (this.leaf as Leaf).client.attemptTimeoutMs as number;
        return { type: 'attemptTimeout', ms, trace: showTrace(this.#trace), ...selected };
      }
    }
  }

  #unbound(): RouteError {
    const { router, override } = this.#request;
    return {
      type: 'unbound',
      service: this.binding.service.name,
      base: router.baseDtab,
      override: dentryLines(override),
    };
  }

  #selected(endpoint: Endpoint): Selected {
    const { client } = this.leaf as Leaf;
    return {
      service: this.binding.service.name,
      client: client.id,
      addresses: client.addresses(),
      address: endpoint.address,
    };
  }
}
