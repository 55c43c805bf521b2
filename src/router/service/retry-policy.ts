/** How the requests of a service are judged and repeated: `responseClassifier` and `retries`. */

import { type Backoff, createBackoff, decorrelatedJitter } from '../../config/backoff.ts';
import * as defaults from '../../config/defaults.ts';
import type { ResponseHead } from '../../wire/head.ts';
import type { ServiceKeys } from '../config.ts';
import { type Classifier, createClassifier, Verdict } from '../http/classifiers/index.ts';
import { isMarkedRetryable } from '../http/retry-headers.ts';

/** Services whose keys are the same object share a policy: there may be many thousand. */
const policies = new WeakMap<ServiceKeys, RetryPolicy>();

export class RetryPolicy {
  readonly classifier: Classifier;
  /** Times between retries. */
  readonly backoff: Backoff;
  /** Further tries of one request. */
  readonly maxPerRequest: number;
  readonly maxRetryAfterMs: number;
  readonly #obeysHeader: boolean;

  static of(keys: ServiceKeys): RetryPolicy {
    let policy = policies.get(keys);
    if (policy === undefined) {
      policy = new RetryPolicy(keys);
      policies.set(keys, policy);
    }
    return policy;
  }

  private constructor({ responseClassifier, retries }: ServiceKeys) {
    this.classifier = createClassifier(responseClassifier);
    const usual = decorrelatedJitter(defaults.retryBackoffMinMs, defaults.retryBackoffMaxMs, Math.random);
    this.backoff = createBackoff(retries?.backoff, usual, Math.random);
    this.maxPerRequest = retries?.maxPerRequest ?? defaults.maxPerRequest;
    this.maxRetryAfterMs = retries?.maxRetryAfterMs ?? defaults.maxRetryAfterMs;
    this.#obeysHeader = retries?.retryableHeader ?? true;
  }

  /** Whether a response of this verdict may be retried. */
  isRetryable(verdict: Verdict, head: ResponseHead): boolean {
    return (
      verdict === Verdict.retryable || (verdict === Verdict.failure && this.#obeysHeader && isMarkedRetryable(head))
    );
  }
}
