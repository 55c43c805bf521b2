/** `responseClassifier:` of a service: which tries are failures, and which of these may be repeated. */
import * as defaults from '../../../config/defaults.ts';
import type { KindConfig } from '../../../config/kind.ts';
import { allSuccessful } from './all-successful.ts';
import { nonRetryable5XX, retryableAll5XX, retryableIdempotent5XX, retryableRead5XX } from './by-5xx.ts';
import type { Classifier } from './classifier.ts';

export { type Classifier, Verdict } from './classifier.ts';

export const classifierKinds = [
  nonRetryable5XX,
  retryableRead5XX,
  retryableIdempotent5XX,
  retryableAll5XX,
  allSuccessful,
] as const;

export function createClassifier(config: KindConfig = { kind: defaults.classifierKind }): Classifier {
  const kind = classifierKinds.find((candidate) => candidate.kind === config.kind);
  if (kind === undefined) throw new Error(`unknown response classifier ${config.kind}`);
  return kind.create({}, undefined);
}
