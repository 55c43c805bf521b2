/** A part of `npm run bench:namerd`: what it measures, and the figures that it gives. */

export interface PartOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  /** A folder that is removed at the end. */
  readonly folder: string;
  /** What namerd may run on, as taskset(1) reads it: all, since it is not alone with its main thread. */
  readonly cores: string;
  readonly progress: (line: string) => void;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is held to; none: it is told only. */
  readonly target?: { readonly limit: number; readonly is: 'at least' | 'at most' };
}

export interface Part {
  readonly name: string;
  readonly title: string;
  run(options: PartOptions): Promise<readonly Figure[]>;
}

export function isMet({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return target.is === 'at least' ? value >= target.limit : value <= target.limit;
}

/** The value below which so much of the (at least one) values lie; `share` from 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}
