/** All metrics of the process at one moment: what the renderers read. */

export interface MetricSnapshot {
  /** Read while it is iterated: a scope's values need not live any longer than it takes to print them. */
  readonly scopes: Iterable<ScopeSnapshot>;
}

export interface ScopeSnapshot {
  /** The same array in each snapshot as long as the scope lives, so that what is derived from it can be kept. */
  readonly path: readonly string[];
  /** Read when it is asked for. */
  readonly metrics: readonly MetricValue[];
  /**
   * Another one than at an earlier look when `metrics` may tell something else than it did then: ask for it before them. None:
   * nobody knows. It is far cheaper to find out than the metrics are, since most scopes are idle.
   */
  readonly version?: number;
}

export type MetricValue = NumberValue | StatValue;

export interface NumberValue {
  readonly type: 'counter' | 'gauge';
  /** Below the scope's path; `/` parts segments. */
  readonly name: string;
  readonly value: number;
}

export interface StatValue {
  readonly type: 'stat';
  readonly name: string;
  /** Of the last full minute; of the running one, as long as the stat has not lived through the end of one. */
  readonly summary: Summary;
  /** Since the beginning. Not every stat has them (see names.ts). */
  readonly buckets: Buckets | null;
}

/** In the stat's unit. All but `count` mean nothing when that is 0. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** In the order of SUMMARY_SHARES. */
  readonly quantiles: readonly number[];
}

export const SUMMARY_SHARES = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999] as const;

export const EMPTY_SUMMARY: Summary = { count: 0, sum: 0, min: 0, max: 0, quantiles: [] };

/** A histogram of cumulative counts, which can be added over hosts, as percentiles can't. */
export interface Buckets {
  /** Upper bounds in the stat's unit, ascending; infinity is not among them. */
  readonly bounds: readonly number[];
  /** How many values were at most each bound; after the bounds comes the count of all. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}
