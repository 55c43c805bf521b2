/**
 * The buckets of a histogram: log-linear, 32 to each power of two. A value is counted in whole *steps* (a stat says how
 * many steps its unit has), and a bucket answers with its middle:
 *
 *     octave 0    0 .. 31         width 1
 *     octave 1    32 .. 63        width 1
 *     octave 2    64 .. 127       width 2
 *     octave k    2^(k+4) ..      width 2^(k-1)
 *
 * So values below 64 steps are exact, and above that an answer is off by less than half a bucket: 1/64, which is 1.6 %.
 * Octaves are what memory is taken in (histograms of latencies use two or three of the 27).
 */
const SUB_BITS = 5;
export const OCTAVE_BUCKETS = 1 << SUB_BITS;
export const OCTAVES = 31 - SUB_BITS + 1;
export const BUCKETS = OCTAVES * OCTAVE_BUCKETS;
/** The largest value in steps. Greater ones are counted as this; the exact maximum is kept beside the buckets. */
export const MAX_STEPS = 2 ** 31 - 1;
/** No percentile is further from the true one than this share of it. */
export const RELATIVE_ERROR = 1 / (2 * OCTAVE_BUCKETS);

/** The bucket of a value in whole steps, 0 to MAX_STEPS. */
export function bucketOf(steps: number): number {
  if (steps < OCTAVE_BUCKETS) return steps;
  const exponent = 31 - Math.clz32(steps);
  return ((exponent - SUB_BITS) << SUB_BITS) + (steps >>> (exponent - SUB_BITS));
}

/** The smallest value, in steps, that a bucket counts. */
export function bucketStart(bucket: number): number {
  if (bucket < OCTAVE_BUCKETS) return bucket;
  const shift = (bucket >>> SUB_BITS) - 1;
  return (OCTAVE_BUCKETS + (bucket & (OCTAVE_BUCKETS - 1))) * 2 ** shift;
}

/** The largest value, in steps, that a bucket counts. */
export function bucketEnd(bucket: number): number {
  return bucketStart(bucket + 1) - 1;
}

/** What a bucket answers with: the middle of the whole steps that it counts. */
export function bucketMiddle(bucket: number): number {
  return (bucketStart(bucket) + bucketEnd(bucket)) / 2;
}
