/** What a registry tells the collector about its memory: plain messages that may cross threads. */
import type { PoolName } from './layout.ts';
import type { GaugeMerge, MetricType } from './names.ts';

/** A slab of shared memory. */
export interface AnnouncedSlab {
  /** What it holds, see layout.ts. */
  readonly pool: PoolName;
  /** Its number in that pool. */
  readonly index: number;
  readonly buffer: SharedArrayBuffer;
}

/** The counters and gauges that a scope has from the beginning, see shapes.ts. */
export interface AnnouncedBlock {
  readonly id: number;
  /** Number of its shape. */
  readonly shape: number;
  readonly slot: number;
}

export interface AnnouncedMetric {
  /** Never used again by the same registry, unlike the slot: what tells the generations of a slot apart. */
  readonly id: number;
  readonly name: string;
  readonly type: MetricType;
  readonly slot: number;
  /** Of a gauge; none: `sum`. */
  readonly merge?: GaugeMerge;
  /** Of a stat: how many steps one unit has. */
  readonly stepsPerUnit?: number;
}

/** What was added to one scope. */
export interface AnnouncedScope {
  /** Segments of the path; one may contain `/`, as in `rt`, `out`, `server`, `0.0.0.0/4140`. */
  readonly path: readonly string[];
  readonly block?: AnnouncedBlock;
  readonly metrics: readonly AnnouncedMetric[];
}

/** What changed in one tick. To be applied in the order: released, slabs, added, removed. */
export interface Announcement {
  /** 1, 2, 3, ...: written to `shared` when it has been applied. */
  readonly sequence: number;
  /** In the first one: see SHARED_*. */
  readonly shared?: SharedArrayBuffer;
  /** Slabs that are no longer used. */
  readonly released: readonly Pick<AnnouncedSlab, 'pool' | 'index'>[];
  readonly slabs: readonly AnnouncedSlab[];
  readonly added: readonly AnnouncedScope[];
  /** Ids of metrics and blocks that are gone. Their last values can be read until this announcement is acknowledged. */
  readonly removed: readonly number[];
}

/** Words of the shared control block (Int32). The collector writes them, the registry reads them. */
export const SHARED_ACKNOWLEDGED = 0;
/** The number of the running window: the minima and maxima of a stat begin anew with each. */
export const SHARED_WINDOW = 1;
export const SHARED_WORDS = 2;
