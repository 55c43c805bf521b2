/** A response classifier says whether a try succeeded, and of a failure whether another try may do better. */

export const Verdict = { success: 0, failure: 1, retryable: 2 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface Classifier {
  /** Of the final response to a request of this method. */
  ofResponse(method: string, status: number): Verdict;
  /** Of a try without a response: it timed out, or its connection failed or made no sense. Never a success. */
  ofFailure(method: string): Verdict;
}
