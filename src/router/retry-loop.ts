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

import type { Head, HeaderBlock, ResponseHead } from '../wire/head.ts';
import { NO_BYTES } from '../wire/stream.ts';
import { Attempt, type AttemptFailure, type AttemptOwner } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import type { Client } from './client/client.ts';
import type { Endpoint } from './client/endpoint.ts';
import { attemptHeader } from './deadline.ts';
import { attemptError, selected, unbound } from './failures.ts';
import { ELSEWHERE, FurtherTries } from './further-tries.ts';
import { Verdict } from './http/classifiers/index.ts';
import { writeDeadline } from './http/deadline.ts';
import { forbidsRetry, isNack, retryAfterMs } from './http/retry-headers.ts';
import { nextClientSpan } from './http/trace.ts';
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
  /** Null while the first try has not failed. */
  further: FurtherTries | null = null;
  #attempt: Attempt | null = null;
  #hasResponse = false;
  /** Which budgets know of the request. */
  #isDeposited = false;
  #depositedAt: Client | null = null;
  /** The headers of the trace, with the span of the present try. */
  #trace: HeaderBlock;
  #waiting: Waiting | null = null;

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
    this.#waiting?.close();
    const attempt = this.#attempt;
    if (isWhole) attempt?.end();
    else attempt?.cancel();
    this.#attempt = null;
    this.binding.service.metrics.retriesPerRequest.record(this.further?.retries ?? 0);
    this.leaf?.client.metrics.requeuesPerRequest.record(this.further?.requeues ?? 0);
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
      const { error, isRefused } = binding;
      request.fail(isRefused ? { type: 'badOverride', reason: error } : { type: 'bindingFailed', cause: error });
      return;
    }
    const leaf = binding.choose();
    if (leaf === null) {
      request.fail(unbound(request, binding));
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

  #wait(): Waiting {
    const { router } = this.#request;
    this.#waiting ??= new Waiting(router.wheel, router.bindingTimeoutMs, () => {
      const { bindingTimeoutMs } = router;
      this.#request.fail({ type: 'bindingTimeout', service: this.binding.service.name, ms: bindingTimeoutMs });
    });
    this.#request.holdBody();
    return this.#waiting;
  }

  #try(leaf: Leaf): void {
    const { client } = leaf;
    // After a backoff an endpoint that would not have the request may be better.
    const endpoint = this.further?.pick(client) ?? client.pick(null);
    if (endpoint !== null) {
      this.#tryAt(leaf, endpoint);
      return;
    }
    client.metrics.notAcquired('noEndpoint');
    const cause = client.failure;
    const request = this.#request;
    request.fail(cause === null ? unbound(request, this.binding) : { type: 'bindingFailed', cause });
  }

  #tryAt(leaf: Leaf, endpoint: Endpoint): void {
    const { client } = leaf;
    const request = this.#request;
    const { recorder } = request;
    if (this.#depositedAt !== client) {
      this.#depositedAt = client;
      client.requeueBudget.deposit(recorder.startMs);
    }
    const { further } = this;
    const attempt = new Attempt(client, endpoint, further?.wantsFresh === true, this, request);
    this.#attempt = attempt;
    recorder.trying(this.#waiting === null && further === null);
    if (request.head.method === 'CONNECT' && !leaf.isGateway) attempt.startTunnel();
    else if (!attempt.start()) this.#turnedAway(attempt);
    if (this.#attempt?.isSent === false) request.holdBody();
    recorder.tried();
  }

  /** Too many requests wait for a connection to this endpoint. */
  #turnedAway(attempt: Attempt): void {
    const leaf = this.leaf as Leaf;
    const { client } = leaf;
    attempt.cancel();
    client.metrics.notAcquired('tooManyWaiters');
    this.#further.refuse(attempt.endpoint);
    if (this.#requeue()) return;
    this.#request.fail({ type: 'tooManyWaiters', limit: client.maxWaiters, ...selected(this.binding, leaf, attempt) });
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
    const leaf = this.leaf as Leaf;
    const error = attemptError(failure, selected(this.binding, leaf, attempt), leaf, this.#trace);
    const further = this.#further;
    if (attempt.isSent) {
      further.avoid(attempt.endpoint);
      further.wantsFresh = failure.type === 'reset';
      request.recorder.attemptFailed(routeFailure(error));
    } else {
      further.refuse(attempt.endpoint);
      leaf.client.metrics.notAcquired('cannotConnect');
    }
    // A connection that was kept has answered before, so this way no more tries are made than requests answered.
    const isFree = failure.type === 'reset' && failure.kept;
    if (this.#isHarmless(attempt, failure) && this.#requeue(isFree)) return;
    const verdict = this.binding.service.policy.classifier.ofFailure(request.head.method);
    const waitMs = verdict === Verdict.retryable && this.#canRepeat() ? further.takeRetry(0, request.deadline) : null;
    if (waitMs === null) request.fail(error);
    else this.#retry(waitMs);
  }

  // ---- further tries

  /** What is done with a failure, or with a nack, instead of passing it on; false when it is to be passed on. */
  #goesAgain(attempt: Attempt, head: ResponseHead, verdict: Verdict, fin: boolean): boolean {
    if (forbidsRetry(head)) return false;
    return isNack(head) ? this.#onNack(attempt, head, verdict, fin) : this.#onFailure(attempt, head, verdict, fin);
  }

  #onFailure(attempt: Attempt, head: ResponseHead, verdict: Verdict, fin: boolean): boolean {
    if (!this.binding.service.policy.isRetryable(verdict, head) || !this.#canRepeat()) return false;
    const waitMs = this.#further.takeRetry(retryAfterMs(head), this.#request.deadline);
    if (waitMs === null) return false;
    this.#discard(attempt, head.status, fin);
    this.#further.avoid(attempt.endpoint);
    this.#retry(waitMs);
    return true;
  }

  #onNack(attempt: Attempt, head: ResponseHead, verdict: Verdict, fin: boolean): boolean {
    const { client } = this.leaf as Leaf;
    if (!this.#canRepeat()) {
      client.metrics.cannotRetry.increment();
      return false;
    }
    if (retryAfterMs(head) > 0) {
      // It is to be left alone until then. Others may be better; where there are none, the client is told the time.
      this.#further.refuse(attempt.endpoint);
      const next = this.#further.takeRequeue(client, false);
      if (next === null) return this.#onFailure(attempt, head, verdict, fin);
      this.#discard(attempt, head.status, fin);
      this.#sendTo(next);
      return true;
    }
    const isRetryable = this.binding.service.policy.isRetryable(verdict, head);
    this.#discard(attempt, head.status, fin);
    this.#further.avoid(attempt.endpoint);
    if (this.#requeue()) return true;
    const waitMs = isRetryable ? this.#further.takeRetry(0, this.#request.deadline) : null;
    if (waitMs === null) this.#request.fail({ type: 'nacked' });
    else this.#retry(waitMs);
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

  get #further(): FurtherTries {
    this.further ??= new FurtherTries(this.binding.service);
    return this.further;
  }

  /** Tries again at once, where an endpoint is left; false when there is none, or it is not allowed. `isFree`: by the budget. */
  #requeue(isFree = false): boolean {
    const next = this.#further.takeRequeue((this.leaf as Leaf).client, isFree);
    if (next !== null) this.#sendTo(next);
    return next !== null;
  }

  #sendTo(next: Endpoint | typeof ELSEWHERE): void {
    this.#trace = nextClientSpan(this.#trace);
    if (next === ELSEWHERE) this.#dispatch();
    else this.#tryAt(this.leaf as Leaf, next);
  }

  #retry(waitMs: number): void {
    this.#trace = nextClientSpan(this.#trace);
    if (waitMs === 0) this.#dispatch();
    else this.#wait().forTime(waitMs, () => this.#dispatch());
  }

  /** The response of this attempt is not what the client gets. */
  #discard(attempt: Attempt, status: number, isWhole: boolean): void {
    this.#attempt = null;
    this.#request.recorder.attemptAnswered(status);
    attempt.discard(isWhole, this.#request.body?.isComplete !== false);
  }
}
