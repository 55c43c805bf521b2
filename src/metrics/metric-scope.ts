/** The metrics of one server, service or client, as it has them in hand. The registry owns where they are. */
import type { AnnouncedMetric } from './announcement.ts';
import { Cells, Counter, Gauge } from './handles.ts';
import type { PoolName } from './layout.ts';
import type { GaugeMerge, MetricType } from './names.ts';
import type { BlockShape } from './shapes.ts';
import { Stat, StatSlot, type StatSource } from './stat.ts';

/** What counts milliseconds (`..._ms`) keeps hundredths, unless told otherwise: a proxy's latencies are below one. */
const STEPS_PER_MS = 100;

interface MetricOptions {
  /** How a gauge of several threads becomes one number; none: they are added. */
  readonly merge?: GaugeMerge;
  /** What of a stat's unit is told apart; none: hundredths in `..._ms`, else whole units. */
  readonly stepsPerUnit?: number;
}

/** What a scope has of slots: a block of counters and gauges, or one metric. */
export interface Held {
  readonly id: number;
  readonly pool: PoolName;
  readonly slot: number;
  /** As many as it counts for in the limit. */
  readonly metrics: number;
  readonly handle: Cells | StatSlot;
  isAnnounced: boolean;
}

interface Metric {
  readonly type: MetricType;
  readonly held: Held;
}

/** What there is of a scope, for all who have it open. */
export interface ScopeMetrics {
  readonly path: readonly string[];
  /** Null where there is no block. */
  readonly shape: BlockShape | null;
  /** Null also when there were too many metrics. */
  readonly block: Held | null;
  /** Made one by one; null while there are none. */
  metrics: Map<string, Metric> | null;
  /** Of those, what has not been announced. */
  fresh: AnnouncedMetric[];
  /** Open scopes of this path: two clients of one id (under different settings, say) share their metrics. */
  holders: number;
}

/** What a scope asks of the registry. */
interface ScopeOwner {
  /** The counter or gauge of a name, made when it isn't there; null when there are too many. */
  cell(scope: ScopeMetrics, name: string, type: 'counter' | 'gauge', merge: GaugeMerge): Cells | null;
  /** The slot of a stat, taken when it has none; null when there are too many metrics. */
  stat(scope: ScopeMetrics, name: string, stepsPerUnit: number): StatSlot | null;
  /** One holder less; the last one takes the metrics with it. */
  leave(scope: ScopeMetrics): void;
}

/** They come and go together. */
export class MetricScope implements StatSource {
  readonly #registry: ScopeOwner;
  readonly #metrics: ScopeMetrics;
  #isClosed = false;

  constructor(registry: ScopeOwner, metrics: ScopeMetrics) {
    this.#registry = registry;
    this.#metrics = metrics;
  }

  /** The block of counters and gauges, of scopes that have one (shapes.ts). */
  get cells(): Cells {
    return (this.#isClosed ? null : (this.#metrics.block?.handle as Cells | undefined)) ?? new Cells(null);
  }

  /** `name` may have several segments: `status/200`. The same name gives the same counter. */
  counter(name: string): Counter {
    return new Counter(...this.#cell(name, 'counter', 'sum'));
  }

  gauge(name: string, { merge = 'sum' }: Pick<MetricOptions, 'merge'> = {}): Gauge {
    return new Gauge(...this.#cell(name, 'gauge', merge));
  }

  stat(name: string, { stepsPerUnit }: Pick<MetricOptions, 'stepsPerUnit'> = {}): Stat {
    return new Stat(this, name, stepsPerUnit ?? (name.endsWith('_ms') ? STEPS_PER_MS : 1));
  }

  /** For stats. */
  statSlot(name: string, stepsPerUnit: number): StatSlot {
    const slot = this.#isClosed ? null : this.#registry.stat(this.#metrics, name, stepsPerUnit);
    return slot ?? StatSlot.lost;
  }

  /** Whoever still holds a counter may go on counting: it is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#registry.leave(this.#metrics);
  }

  /** In the block, or of its own. */
  #cell(name: string, type: 'counter' | 'gauge', merge: GaugeMerge): [cells: Cells, at: number] {
    const { path, shape } = this.#metrics;
    const at = shape?.at(name);
    if (at !== undefined) {
      checkType(path, name, shape?.cells[at]?.type, type);
      return [this.cells, at];
    }
    const cells = this.#isClosed ? null : this.#registry.cell(this.#metrics, name, type, merge);
    return [cells ?? new Cells(null), 0];
  }
}

/** Whoever asks for one name as two types is wrong about one of them. */
export function checkType(
  path: readonly string[],
  name: string,
  known: MetricType | undefined,
  type: MetricType,
): void {
  if (known !== type) throw new Error(`${[...path, name].join('/')} is a ${known}, not a ${type}`);
}
