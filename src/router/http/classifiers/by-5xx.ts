/** The classifiers to which a 5xx is a failure. They differ in the methods that they let be tried again. */
import { defineKind } from '../../../config/kind.ts';
import { type Classifier, Verdict } from './classifier.ts';

/** RFC 9110 9.2.1 and 9.2.2; a method that is in none of these lists is never tried again. */
const READ = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const IDEMPOTENT = [...READ, 'PUT', 'DELETE'];
const ALL = [...IDEMPOTENT, 'POST', 'PATCH'];

function by5xx(kind: string, summary: string, methods: readonly string[]) {
  const retryable = new Set(methods);
  const ofFailure = (method: string) => (retryable.has(method) ? Verdict.retryable : Verdict.failure);
  const classifier: Classifier = {
    ofResponse: (method, status) => (status < 500 ? Verdict.success : ofFailure(method)),
    ofFailure,
  };
  return defineKind({
    kind,
    thread: 'data',
    summary,
    config: (z) => z.strictObject({}),
    create: () => classifier,
  });
}

export const nonRetryable5XX = by5xx('io.l5d.http.nonRetryable5XX', '5xx are failures and never retried.', []);

export const retryableRead5XX = by5xx(
  'io.l5d.http.retryableRead5XX',
  '5xx of GET, HEAD, OPTIONS and TRACE are retried.',
  READ,
);

export const retryableIdempotent5XX = by5xx(
  'io.l5d.http.retryableIdempotent5XX',
  '5xx of these, PUT and DELETE are retried.',
  IDEMPOTENT,
);

export const retryableAll5XX = by5xx(
  'io.l5d.http.retryableAll5XX',
  '5xx of these, POST and PATCH are retried: a request may be acted on twice.',
  ALL,
);
