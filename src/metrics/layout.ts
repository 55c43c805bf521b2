/**
 * Where things are in the shared memory: what the writing thread (handles.ts, stat.ts) and the reading one (memory.ts) agree on.
 *
 *     block n   [ value | value | ... ]                                   the counters and gauges of a scope, shape n
 *     cells     [ value ]                                                 a counter or gauge that is made later
 *     stats     [ count | sum | min0 max0 | min1 max1 | window0 window1 | octave 0 .. octave 26 ]
 *     octaves   [ 32 counts ]                                             buckets of a stat, one power of two
 *
 * A stat takes an octave when the first value falls into it; its table has the octave's slot plus one, 0 for none. There
 * are two pairs of extremes, for even and odd windows, so that the reader can read those of the window that has just
 * ended while the writer fills the other.
 */
import { OCTAVE_BUCKETS, OCTAVES } from './buckets.ts';
import { blockShapes } from './shapes.ts';
import type { SlotShape } from './slab-pool.ts';

export const STAT_COUNT = 0;
export const STAT_SUM = 1;
/** min0, max0, min1, max1. */
export const STAT_EXTREMES = 2;
/** In 32-bit words from the slot's beginning, as is what follows: the windows that the extremes belong to. */
export const STAT_WINDOWS = 12;
export const STAT_OCTAVES = 14;
const STAT_FLOATS = Math.ceil((STAT_OCTAVES + OCTAVES) / 2);

export type PoolName = 'cells' | 'stats' | 'octaves' | `block ${number}`;

export const cellShape: SlotShape = { bits: 12, floats: 1 };
export const statShape: SlotShape = { bits: 8, floats: STAT_FLOATS };
export const octaveShape: SlotShape = { bits: 8, floats: OCTAVE_BUCKETS };

/** Doubles in a slab of blocks, at most: 32 KiB. */
const BLOCK_SLAB_FLOATS = 4096;

export function blockPool(shape: number): PoolName {
  return `block ${shape}`;
}

/** What the slots of each pool are. */
export const slotShapes: ReadonlyMap<PoolName, SlotShape> = new Map([
  ['cells', cellShape],
  ['stats', statShape],
  ['octaves', octaveShape],
  ...blockShapes.map(({ number, cells }): [PoolName, SlotShape] => {
    const bits = Math.floor(Math.log2(BLOCK_SLAB_FLOATS / cells.length));
    return [blockPool(number), { bits, floats: cells.length }];
  }),
]);
