/** The metrics of one server, service or client, as it has them in hand. The registry owns where they are. */
import type { AnnouncedMetric } from './announcement.ts';
import { type CellPlace, Cells, Counter, Gauge } from './handles.ts';
import type { PoolName } from './layout.ts';
import type { GaugeMerge, MetricType } from './names.ts';
import type { BlockShape } from './shapes.ts';
import { Stat, type StatCommons, type StatPlace, type StatSource } from './stat.ts';

/** What counts milliseconds (`..._ms`) keeps hundredths, unless told otherwise: a proxy's latencies are below one. */
const STEPS_PER_MS = 100;

interface MetricOptions {
  /** How a gauge of several threads becomes one number; none: they are added. */
  readonly merge?: GaugeMerge;
  /** What of a stat's unit is told apart; none: hundredths in `..._ms`, else whole units. */
  readonly stepsPerUnit?: number;
}

/** What a scope has of slots: a block of counters and gauges, or one metric. */
export interface Held extends StatPlace {
  readonly id: number;
  /** In its scope; of the block it is empty. */
  readonly name: string;
  /** Null: it is a block. */
  readonly type: MetricType | null;
  readonly pool: PoolName;
  readonly slot: number;
  /** As many as it counts for in the limit. */
  readonly metrics: number;
  /** Shared by all who count there; null: it is of a stat. */
  readonly cells: Cells | null;
  isAnnounced: boolean;
}

/** What there is of a scope, for all who have it open. */
export interface ScopeMetrics {
  readonly path: readonly string[];
  /** Null where there is no block. */
  readonly shape: BlockShape | null;
  /** Null also when there were too many metrics. */
  readonly block: Held | null;
  /** Made one by one. They are few, and thousands of scopes have some: a map for each would take more room than they do. */
  metrics: readonly Held[];
  /** Of those, what has not been announced. */
  fresh: AnnouncedMetric[];
  /** Open scopes of this path: two clients of one id (under different settings, say) share their metrics. */
  holders: number;
  /** Those that were closed before others; null while there are none. */
  closed: ClosedScopes | null;
}

/** What a scope asks of the registry. */
interface ScopeOwner {
  readonly statCommons: StatCommons;
  /** The counter or gauge of a name, made when it isn't there; null when there are too many. */
  cell(scope: ScopeMetrics, name: string, type: 'counter' | 'gauge', merge: GaugeMerge): Cells | null;
  /** The slot of a stat, taken when it has none; null when there are too many metrics. */
  stat(scope: ScopeMetrics, name: string, stepsPerUnit: number): StatPlace | null;
  /** One holder less; the last one takes the metrics with it. */
  leave(scope: ScopeMetrics, holder: MetricScope): void;
}

/** They come and go together. */
export class MetricScope implements StatSource {
  readonly #registry: ScopeOwner;
  readonly #metrics: ScopeMetrics;
  /** The last of the stats that were made here; each knows the one before. */
  #stats: Stat | null = null;
  #adopted: Cells | null = null;
  #isClosed = false;

  constructor(registry: ScopeOwner, metrics: ScopeMetrics) {
    this.#registry = registry;
    this.#metrics = metrics;
  }

  /** The block of counters and gauges, of scopes that have one (shapes.ts). */
  get cells(): Cells {
    return (this.#isClosed ? null : this.#metrics.block?.cells) ?? new Cells(null);
  }

  /** Where the block is, for whoever makes cells of its own there, to be adopted. */
  get block(): CellPlace | null {
    return this.#isClosed ? null : this.#metrics.block;
  }

  /** From now on these cells, which are of the block and know this scope, are retired with the metrics. */
  adopt(cells: Cells): void {
    this.#adopted = cells;
  }

  /** `name` may have several segments: `status/200`. The same name gives the same counter. */
  counter(name: string): Counter {
    return new Counter(...this.#cell(name, 'counter', 'sum'));
  }

  gauge(name: string, { merge = 'sum' }: Pick<MetricOptions, 'merge'> = {}): Gauge {
    return new Gauge(...this.#cell(name, 'gauge', merge));
  }

  stat(name: string, { stepsPerUnit }: Pick<MetricOptions, 'stepsPerUnit'> = {}): Stat {
    this.#stats = new Stat(this, name, stepsPerUnit ?? (name.endsWith('_ms') ? STEPS_PER_MS : 1), this.#stats);
    return this.#stats;
  }

  // ---- StatSource

  get statCommons(): StatCommons {
    return this.#registry.statCommons;
  }

  statPlace(name: string, stepsPerUnit: number): StatPlace | null {
    return this.#isClosed ? null : this.#registry.stat(this.#metrics, name, stepsPerUnit);
  }

  /**
   * Whoever still holds a counter or a stat may go on counting, of requests and connections that are not at their end: it is lost
   * when no other scope has the path open.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#registry.leave(this.#metrics, this);
  }

  /** For the registry: the slots may soon be another's. */
  retire(): void {
    this.#adopted?.retire();
    for (let stat = this.#stats; stat !== null; stat = stat.previous) stat.retire();
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

/** So many are kept before it is looked for any that can go. */
const FEW_SCOPES = 16;

/**
 * Scopes that were closed while others have their path open, for as long as somebody may be counting there: all that counts knows its
 * scope, so a scope that is garbage has nobody.
 */
export class ClosedScopes {
  #scopes: WeakRef<MetricScope>[] = [];
  /** How many there are when those that nobody counts in any more are looked for. */
  #enough = FEW_SCOPES;

  add(scope: MetricScope): void {
    this.#scopes.push(new WeakRef(scope));
    if (this.#scopes.length < this.#enough) return;
    this.#scopes = this.#scopes.filter((each) => each.deref() !== undefined);
    this.#enough = 2 * this.#scopes.length + FEW_SCOPES;
  }

  retire(): void {
    for (const scope of this.#scopes) scope.deref()?.retire();
  }
}

/** Whoever asks for one name as two types is wrong about one of them. */
export function checkType(
  path: readonly string[],
  name: string,
  known: MetricType | null | undefined,
  type: MetricType,
): void {
  if (known !== type) throw new Error(`${[...path, name].join('/')} is a ${known}, not a ${type}`);
}
