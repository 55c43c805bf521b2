/** The shared memory of one thread, as the collector reads it. */
import type { AnnouncedBlock, AnnouncedMetric, Announcement } from './announcement.ts';
import { OCTAVES } from './buckets.ts';
import type { BoundMap, Histogram } from './histogram.ts';
import {
  blockPool,
  type PoolName,
  STAT_COUNT,
  STAT_EXTREMES,
  STAT_OCTAVES,
  STAT_SUM,
  STAT_WINDOWS,
  slotShapes,
} from './layout.ts';
import { type Slab, type SlotShape, slabViews } from './slab-pool.ts';

interface Pool {
  readonly shape: SlotShape;
  readonly slabs: (Slab | undefined)[];
}

export class MetricMemory {
  readonly #pools: ReadonlyMap<PoolName, Pool> = new Map(
    Array.from(slotShapes, ([name, shape]) => [name, { shape, slabs: [] }]),
  );

  apply({ released, slabs }: Announcement): void {
    for (const { pool, index } of released) this.#slabsOf(pool)[index] = undefined;
    for (const { pool, index, buffer } of slabs) this.#slabsOf(pool)[index] = slabViews(buffer);
  }

  block({ id, shape, slot }: AnnouncedBlock): CellReader {
    const { floats, place } = this.#find(blockPool(shape), slot) as Found;
    return new CellReader(this, id, floats, place);
  }

  cell({ id, slot }: AnnouncedMetric): CellReader {
    const { floats, place } = this.#find('cells', slot) as Found;
    return new CellReader(this, id, floats, place);
  }

  stat({ id, slot }: AnnouncedMetric): StatReader {
    const { floats, ints, place } = this.#find('stats', slot) as Found;
    return new StatReader(this, id, floats, ints, place);
  }

  /** Null when the octave's slab was made in this very tick and has not been announced yet. */
  octave(slot: number): { readonly floats: Float64Array; readonly place: number } | null {
    return this.#find('octaves', slot);
  }

  #slabsOf(pool: PoolName): (Slab | undefined)[] {
    return (this.#pools.get(pool) as Pool).slabs;
  }

  #find(pool: PoolName, slot: number): Found | null {
    const { shape, slabs } = this.#pools.get(pool) as Pool;
    const slab = slabs[slot >>> shape.bits];
    if (slab === undefined) return null;
    return { floats: slab.floats, ints: slab.ints, place: (slot & ((1 << shape.bits) - 1)) * shape.floats };
  }
}

interface Found {
  readonly floats: Float64Array;
  readonly ints: Int32Array;
  /** The slot's first double. */
  readonly place: number;
}

/** One metric in one thread's memory. */
class Reader {
  readonly memory: MetricMemory;
  /** The thread's registry knows the metric by it. */
  readonly id: number;
  protected readonly floats: Float64Array;
  protected readonly place: number;

  constructor(memory: MetricMemory, id: number, floats: Float64Array, place: number) {
    this.memory = memory;
    this.id = id;
    this.floats = floats;
    this.place = place;
  }
}

/** Counters and gauges of one thread: those of a block, or a single one. */
export class CellReader extends Reader {
  value(at = 0): number {
    return this.floats[this.place + at] as number;
  }
}

/** A stat of one thread. What is read while the writer records may be one value behind in one place and not in another. */
export class StatReader extends Reader {
  readonly #ints: Int32Array;

  constructor(memory: MetricMemory, id: number, floats: Float64Array, ints: Int32Array, place: number) {
    super(memory, id, floats, place);
    this.#ints = ints;
  }

  get count(): number {
    return this.floats[this.place + STAT_COUNT] as number;
  }

  get sum(): number {
    return this.floats[this.place + STAT_SUM] as number;
  }

  /** The least and greatest value of a window, the running one or the one before; null when it had none. */
  extremes(window: number): { readonly min: number; readonly max: number } | null {
    const parity = window & 1;
    if (this.#ints[this.place * 2 + STAT_WINDOWS + parity] !== window) return null;
    const at = this.place + STAT_EXTREMES + 2 * parity;
    return { min: this.floats[at] as number, max: this.floats[at + 1] as number };
  }

  addTo(histogram: Histogram): void {
    const table = this.place * 2 + STAT_OCTAVES;
    const octaves = this.#ints.subarray(table, table + OCTAVES);
    const first = octaves.findIndex((entry) => entry !== 0);
    if (first === -1) return;
    histogram.reserve(
      first,
      octaves.findLastIndex((entry) => entry !== 0),
    );
    this.#eachOctave((octave, floats, place) => histogram.addOctave(octave, floats, place));
  }

  addToBounds(map: BoundMap, into: number[]): void {
    this.#eachOctave((octave, floats, place) => map.addOctave(into, octave, floats, place));
  }

  #eachOctave(visit: (octave: number, floats: Float64Array, place: number) => void): void {
    const table = this.place * 2 + STAT_OCTAVES;
    for (let octave = 0; octave < OCTAVES; octave++) {
      const entry = this.#ints[table + octave] as number;
      const found = entry === 0 ? null : this.memory.octave(entry - 1);
      if (found !== null) visit(octave, found.floats, found.place);
    }
  }
}
