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
  type GaugeMerge,
  type MetricType,
  SHARED_ACKNOWLEDGED,
  SHARED_WINDOW,
  SHARED_WORDS,
} from './announcement.ts';
import { Counter, Gauge, Stat } from './handles.ts';
import { cellShape, octaveShape, statShape } from './layout.ts';
import { SlabPool, type SlotShape } from './slab-pool.ts';

export { Counter, Gauge, Stat } from './handles.ts';

/**
 * Metrics that may live at a time: what 6,000 names with a client each take. More are counted in `metrics/refused`. It
 * is a last resort: the caches of bindings end a flood of names long before.
 */
const MAX_METRICS = 500_000;
/** What counts milliseconds (`..._ms`) keeps hundredths, unless told otherwise: a proxy's latencies are below one. */
const STEPS_PER_MS = 100;

export interface MetricOptions {
  /** How a gauge of several threads becomes one number; none: they are added. */
  readonly merge?: GaugeMerge;
  /** What of a stat's unit is told apart; none: hundredths in `..._ms`, else whole units. */
  readonly stepsPerUnit?: number;
}

interface Metric {
  readonly announced: AnnouncedMetric;
  readonly handle: Counter | Gauge | Stat;
  isAnnounced: boolean;
}

interface ScopeMetrics {
  readonly path: readonly string[];
  readonly metrics: Map<string, Metric>;
  /** Open scopes of this path: two clients of one id (under different settings, say) share their metrics. */
  holders: number;
}

/** Slots of a metric that is gone, until the collector knows. */
interface Leaving {
  readonly sequence: number;
  readonly type: MetricType;
  readonly slot: number;
  readonly octaves: readonly number[];
}

export class MetricRegistry {
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * Int32Array.BYTES_PER_ELEMENT));
  readonly #pools: Readonly<Record<AnnouncedSlab['pool'], SlabPool>>;
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
  /** Scopes with metrics that were not announced yet. */
  readonly #changed = new Set<ScopeMetrics>();

  constructor({ maxMetrics = MAX_METRICS }: { maxMetrics?: number } = {}) {
    this.#maxMetrics = maxMetrics;
    this.#pools = {
      cells: this.#pool('cells', cellShape),
      stats: this.#pool('stats', statShape),
      octaves: this.#pool('octaves', octaveShape),
    };
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
      metrics = { path: [...path], metrics: new Map(), holders: 0 };
      this.#scopes.set(key, metrics);
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
    for (const pool of ['cells', 'stats', 'octaves'] as const) {
      for (const [index, buffer] of this.#pools[pool].slabs()) this.#slabs.push({ pool, index, buffer });
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
    const added: AnnouncedScope[] = [];
    for (const { path, metrics } of this.#changed) {
      const fresh = [...metrics.values()].filter((metric) => !metric.isAnnounced);
      for (const metric of fresh) metric.isAnnounced = true;
      if (fresh.length > 0) added.push({ path, metrics: fresh.map((metric) => metric.announced) });
    }
    const [slabs, removed, released] = [this.#slabs, this.#removed, this.#released];
    if (added.length + slabs.length + removed.length + released.length === 0) return;
    this.#changed.clear();
    this.#slabs = [];
    this.#removed = [];
    this.#released = [];
    const first = this.#sequence === 0 ? { shared: this.#shared.buffer } : {};
    this.#listener({ sequence: ++this.#sequence, ...first, released, slabs, added, removed });
  }

  /** For scopes: the metric of a name, made when it isn't there; null when there are too many. */
  metric(scope: ScopeMetrics, name: string, type: MetricType, options: MetricOptions): Metric | null {
    const known = scope.metrics.get(name);
    if (known !== undefined) {
      if (known.announced.type === type) return known;
      throw new Error(`${[...scope.path, name].join('/')} is a ${known.announced.type}, not a ${type}`);
    }
    if (this.#used >= this.#maxMetrics) this.#reclaim();
    if (this.#used >= this.#maxMetrics) {
      this.#refused.increment();
      return null;
    }
    const metric = this.#make(name, type, options);
    scope.metrics.set(name, metric);
    this.#changed.add(scope);
    this.#schedule();
    return metric;
  }

  /** For scopes: one holder less; the last one takes the metrics with it. */
  leave(scope: ScopeMetrics): void {
    if (--scope.holders > 0) return;
    this.#scopes.delete(scope.path.join('\0'));
    this.#changed.delete(scope);
    for (const { announced, handle, isAnnounced } of scope.metrics.values()) {
      if (isAnnounced) this.#removed.push(announced.id);
      const octaves = handle.retire() ?? [];
      const leaving = { sequence: this.#sequence + 1, type: announced.type, slot: announced.slot, octaves };
      if (isAnnounced) this.#leaving.push(leaving);
      // What nobody was told of can be used again at once.
      else this.#give(leaving);
    }
    this.#schedule();
  }

  #make(name: string, type: MetricType, { merge, stepsPerUnit }: MetricOptions): Metric {
    this.#used++;
    const id = ++this.#lastId;
    const isAnnounced = false;
    if (type === 'stat') {
      const slot = this.#pools.stats.take();
      const steps = stepsPerUnit ?? (name.endsWith('_ms') ? STEPS_PER_MS : 1);
      return { announced: { id, name, type, slot, stepsPerUnit: steps }, handle: this.#stat(slot, steps), isAnnounced };
    }
    const slot = this.#pools.cells.take();
    const place = { floats: this.#pools.cells.slabOf(slot).floats, index: this.#pools.cells.placeOf(slot) };
    if (type === 'counter') return { announced: { id, name, type, slot }, handle: new Counter(place), isAnnounced };
    return { announced: { id, name, type, slot, merge: merge ?? 'sum' }, handle: new Gauge(place), isAnnounced };
  }

  #stat(slot: number, stepsPerUnit: number): Stat {
    const { stats, octaves } = this.#pools;
    const { floats, ints } = stats.slabOf(slot);
    const index = stats.placeOf(slot) * statShape.floats;
    const [window, windowIndex] = [this.#shared, SHARED_WINDOW];
    return new Stat({ floats, ints, index, octaves, window, windowIndex, stepsPerUnit });
  }

  /** Frees the slots of metrics that the collector no longer reads. */
  #reclaim(): void {
    const acknowledged = Atomics.load(this.#shared, SHARED_ACKNOWLEDGED);
    const waiting = this.#leaving.findIndex(({ sequence }) => sequence > acknowledged);
    const gone = this.#leaving.splice(0, waiting === -1 ? this.#leaving.length : waiting);
    for (const leaving of gone) this.#give(leaving);
  }

  #give({ type, slot, octaves }: Leaving): void {
    this.#used--;
    (type === 'stat' ? this.#pools.stats : this.#pools.cells).give(slot);
    for (const octave of octaves) this.#pools.octaves.give(octave);
  }

  #pool(pool: AnnouncedSlab['pool'], shape: SlotShape): SlabPool {
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

/** The metrics of one server, service or client: they come and go together. */
export class MetricScope {
  readonly #registry: MetricRegistry;
  readonly #metrics: ScopeMetrics;
  #isClosed = false;

  constructor(registry: MetricRegistry, metrics: ScopeMetrics) {
    this.#registry = registry;
    this.#metrics = metrics;
  }

  /** `name` may have several segments: `status/200`. The same name gives the same counter. */
  counter(name: string): Counter {
    return (this.#metric(name, 'counter', {})?.handle ?? new Counter(null)) as Counter;
  }

  gauge(name: string, options: Pick<MetricOptions, 'merge'> = {}): Gauge {
    return (this.#metric(name, 'gauge', options)?.handle ?? new Gauge(null)) as Gauge;
  }

  stat(name: string, options: Pick<MetricOptions, 'stepsPerUnit'> = {}): Stat {
    return (this.#metric(name, 'stat', options)?.handle ?? new Stat(null)) as Stat;
  }

  /** Whoever still holds a counter may go on counting: it is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#registry.leave(this.#metrics);
  }

  #metric(name: string, type: MetricType, options: MetricOptions): Metric | null {
    return this.#isClosed ? null : this.#registry.metric(this.#metrics, name, type, options);
  }
}
