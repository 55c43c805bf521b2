/**
 * The metrics of one thread. The registry owns where each is in shared memory and announces it to the one collector that
 * reads (collector.ts), in at most one message a tick.
 *
 * A slot is used again only when the collector has acknowledged that the metric which had it is gone (a word in shared
 * memory, no message): so the collector can read a metric's last value, and never takes one name's slot for another's.
 */
import {
  type AnnouncedMetric,
  type AnnouncedScope,
  type AnnouncedSlab,
  type Announcement,
  SHARED_ACKNOWLEDGED,
  SHARED_WINDOW,
  SHARED_WORDS,
} from './announcement.ts';
import { Cells, type Counter, type Gauge } from './handles.ts';
import { blockPool, type PoolName, slotShapes } from './layout.ts';
import { ClosedScopes, checkType, type Held, MetricScope, type ScopeMetrics } from './metric-scope.ts';
import type { GaugeMerge, MetricType } from './names.ts';
import { type BlockShape, shapeOf } from './shapes.ts';
import { SlabPool, type SlotShape } from './slab-pool.ts';
import { octavesAt, type StatCommons, type StatPlace } from './stat.ts';

export { Cells, Counter, Gauge } from './handles.ts';
export type { MetricScope } from './metric-scope.ts';
export { MostlyZeroStat, type Stat } from './stat.ts';

/**
 * Metrics that may live at a time: what 15,000 names with a client each take. More are counted in `metrics/refused`. It
 * is a last resort: the caches of bindings end a flood of names long before.
 */
const MAX_METRICS = 1_000_000;

/** Slots of what is gone, until the collector knows. */
interface Leaving {
  readonly sequence: number;
  readonly held: Held;
  readonly octaves: readonly number[];
}

export class MetricRegistry {
  readonly statCommons: StatCommons;
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * Int32Array.BYTES_PER_ELEMENT));
  readonly #pools: ReadonlyMap<PoolName, SlabPool>;
  readonly #scopes = new Map<string, ScopeMetrics>();
  readonly #maxMetrics: number;
  readonly #refused: Counter;
  readonly #live: Gauge;
  /** In the order of their sequences. */
  #leaving: Leaving[] = [];
  #used = 0;
  #lastId = 0;

  #listener: ((announcement: Announcement) => void) | null = null;
  #scheduled = false;
  #sequence = 0;
  #slabs: AnnouncedSlab[] = [];
  #released: Pick<AnnouncedSlab, 'pool' | 'index'>[] = [];
  #removed: number[] = [];
  /** Scopes with something that was not announced yet. */
  readonly #changed = new Set<ScopeMetrics>();

  constructor({ maxMetrics = MAX_METRICS }: { maxMetrics?: number } = {}) {
    this.#maxMetrics = maxMetrics;
    this.#pools = new Map(Array.from(slotShapes, ([pool, shape]) => [pool, this.#pool(pool, shape)]));
    const octaves = this.#pools.get('octaves') as SlabPool;
    this.statCommons = { octaves, window: this.#shared, windowIndex: SHARED_WINDOW };
    this.#shared[SHARED_WINDOW] = 1;
    const own = this.scope(['metrics']);
    this.#refused = own.counter('refused');
    this.#live = own.gauge('live');
  }

  /** The metrics below a path; its segments may contain `/`, as in `rt`, `out`, `server`, `0.0.0.0/4140`. */
  scope(path: readonly string[]): MetricScope {
    const key = path.join('\0');
    let metrics = this.#scopes.get(key);
    if (metrics === undefined) {
      const shape = shapeOf(path);
      const block = shape === null ? null : this.#block(shape);
      metrics = { path: [...path], shape, block, metrics: [], fresh: [], holders: 0, closed: null };
      this.#scopes.set(key, metrics);
      if (block !== null) this.#announce(metrics);
    }
    metrics.holders++;
    return new MetricScope(this, metrics);
  }

  /**
   * Tells the listener what there is, and then what changes, once a tick. The messages may be posted to another thread.
   * There is one listener: slots wait for one acknowledgement.
   */
  onAnnounce(listener: (announcement: Announcement) => void): void {
    this.#listener = listener;
    for (const [name, pool] of this.#pools) {
      for (const [index, buffer] of pool.slabs()) this.#slabs.push({ pool: name, index, buffer });
    }
    for (const scope of this.#scopes.values()) this.#changed.add(scope);
    this.#schedule();
  }

  /** Announces now what would be at the end of the tick. */
  flush(): void {
    this.#scheduled = false;
    this.#reclaim();
    this.#live.set(this.#used);
    if (this.#listener === null) return;
    const added = Array.from(this.#changed, announcementOf).filter((scope) => scope !== null);
    const [slabs, removed, released] = [this.#slabs, this.#removed, this.#released];
    if (added.length + slabs.length + removed.length + released.length === 0) return;
    this.#changed.clear();
    this.#slabs = [];
    this.#removed = [];
    this.#released = [];
    const first = this.#sequence === 0 ? { shared: this.#shared.buffer } : {};
    this.#listener({ sequence: ++this.#sequence, ...first, released, slabs, added, removed });
  }

  // ---- for scopes

  cell(scope: ScopeMetrics, name: string, type: 'counter' | 'gauge', merge: GaugeMerge): Cells | null {
    const known = this.#known(scope, name, type);
    if (known !== null) return known.cells;
    const held = this.#hold('cells', name, type, 1);
    if (held === null) return null;
    this.#add(scope, held, type === 'gauge' ? { type, merge } : { type });
    return held.cells;
  }

  stat(scope: ScopeMetrics, name: string, stepsPerUnit: number): StatPlace | null {
    const known = this.#known(scope, name, 'stat');
    if (known !== null) return known;
    const held = this.#hold('stats', name, 'stat', 1);
    if (held === null) return null;
    this.#add(scope, held, { type: 'stat', stepsPerUnit });
    return held;
  }

  leave(scope: ScopeMetrics, holder: MetricScope): void {
    if (--scope.holders > 0) {
      scope.closed ??= new ClosedScopes();
      scope.closed.add(holder);
      return;
    }
    holder.retire();
    scope.closed?.retire();
    this.#scopes.delete(scope.path.join('\0'));
    this.#changed.delete(scope);
    for (const held of heldBy(scope)) {
      if (held.isAnnounced) this.#removed.push(held.id);
      held.cells?.retire();
      const octaves = held.cells === null ? octavesAt(held) : [];
      const leaving = { sequence: this.#sequence + 1, held, octaves };
      if (held.isAnnounced) this.#leaving.push(leaving);
      // What nobody was told of can be used again at once.
      else this.#give(leaving);
    }
    this.#schedule();
  }

  #block({ number, cells }: BlockShape): Held | null {
    return this.#hold(blockPool(number), '', null, cells.length);
  }

  /** Takes a slot; null when there are too many metrics. */
  #hold(pool: PoolName, name: string, type: MetricType | null, metrics: number): Held | null {
    if (this.#used + metrics > this.#maxMetrics) this.#reclaim();
    if (this.#used + metrics > this.#maxMetrics) {
      this.#refused.add(metrics);
      return null;
    }
    this.#used += metrics;
    const slots = this.#pools.get(pool) as SlabPool;
    const slot = slots.take();
    const { floats, ints } = slots.slabOf(slot);
    const base = slots.placeOf(slot) * slots.shape.floats;
    const cells = pool === 'stats' ? null : new Cells({ floats, base });
    return { id: ++this.#lastId, name, type, pool, slot, metrics, floats, ints, base, cells, isAnnounced: false };
  }

  #known(scope: ScopeMetrics, name: string, type: MetricType): Held | null {
    const known = scope.metrics.find((held) => held.name === name);
    if (known === undefined) return null;
    checkType(scope.path, name, known.type, type);
    return known;
  }

  #add(scope: ScopeMetrics, held: Held, more: Omit<AnnouncedMetric, 'id' | 'name' | 'slot'>): void {
    scope.metrics = scope.metrics.concat(held);
    scope.fresh.push({ id: held.id, name: held.name, slot: held.slot, ...more });
    this.#announce(scope);
  }

  #announce(scope: ScopeMetrics): void {
    this.#changed.add(scope);
    this.#schedule();
  }

  /** Frees the slots of metrics that the collector no longer reads. */
  #reclaim(): void {
    const acknowledged = Atomics.load(this.#shared, SHARED_ACKNOWLEDGED);
    const waiting = this.#leaving.findIndex(({ sequence }) => sequence > acknowledged);
    const gone = this.#leaving.splice(0, waiting === -1 ? this.#leaving.length : waiting);
    for (const leaving of gone) this.#give(leaving);
  }

  #give({ held, octaves }: Leaving): void {
    this.#used -= held.metrics;
    this.#pools.get(held.pool)?.give(held.slot);
    for (const octave of octaves) this.#pools.get('octaves')?.give(octave);
  }

  #pool(pool: PoolName, shape: SlotShape): SlabPool {
    return new SlabPool(shape, {
      added: (index, buffer) => {
        if (this.#listener === null) return;
        this.#slabs.push({ pool, index, buffer });
        this.#schedule();
      },
      released: (index) => {
        if (this.#listener === null) return;
        this.#slabs = this.#slabs.filter((slab) => slab.pool !== pool || slab.index !== index);
        this.#released.push({ pool, index });
        this.#schedule();
      },
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#listener === null) return;
    this.#scheduled = true;
    setImmediate(() => {
      if (this.#scheduled) this.flush();
    });
  }
}

function* heldBy({ block, metrics }: ScopeMetrics): Generator<Held> {
  if (block !== null) yield block;
  yield* metrics;
}

/** What of a scope was not announced yet, which is announced now; null when there is nothing. */
function announcementOf(scope: ScopeMetrics): AnnouncedScope | null {
  const { path, shape, block, fresh } = scope;
  scope.fresh = [];
  for (const held of scope.metrics) held.isAnnounced = true;
  if (block === null || shape === null || block.isAnnounced)
    return fresh.length === 0 ? null : { path, metrics: fresh };
  block.isAnnounced = true;
  return { path, block: { id: block.id, shape: shape.number, slot: block.slot }, metrics: fresh };
}
