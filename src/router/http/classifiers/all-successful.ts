/** io.l5d.http.allSuccessful: whatever the application says is its success. */
import { defineKind } from '../../../config/kind.ts';
import { type Classifier, Verdict } from './classifier.ts';

export const allSuccessful = defineKind({
  kind: 'io.l5d.http.allSuccessful',
  thread: 'data',
  summary: 'Every response is a success; only a request without one has failed.',
  config: (z) => z.strictObject({}),
  create: (): Classifier => ({ ofResponse: () => Verdict.success, ofFailure: () => Verdict.failure }),
});
