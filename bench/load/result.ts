/**
 * What a load generator says about one run.
 */
export interface LoadResult {
  readonly requests: number;
  readonly rps: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Responses other than 2xx and 3xx, and requests that failed or timed out. */
  readonly errors: number;
}
