/** One name in the collector: what it is in each thread, and what is kept of threads and scopes that are gone. */
import type { AnnouncedBlock, AnnouncedMetric } from './announcement.ts';
import { BUCKETS, bucketMiddle, bucketStart } from './buckets.ts';
import { BoundMap, Histogram } from './histogram.ts';
import type { CellReader, MetricMemory, StatReader } from './memory.ts';
import { bucketBounds, type GaugeMerge, type MetricType } from './names.ts';
import { type Buckets, EMPTY_SUMMARY, type MetricValue, SUMMARY_SHARES, type Summary } from './snapshot.ts';

/** What a counter or gauge is called and how it is merged. */
export interface CellDefinition {
  readonly name: string;
  readonly type: MetricType;
  readonly merge?: GaugeMerge;
}

/** One metric of a scope, or its block of them, over all threads. */
export abstract class Series<
  Reader extends CellReader | StatReader = CellReader | StatReader,
  Announced extends AnnouncedMetric | AnnouncedBlock = AnnouncedMetric | AnnouncedBlock,
> {
  /** Of its scope. */
  readonly path: readonly string[];
  /** In the scope; of the block it is empty. */
  readonly name: string;
  /** One for each thread that has it. */
  protected readers: readonly Reader[] = [];
  /** Whether something happened since the last `takeChange` that its own look would not find. */
  protected isTouched = true;

  constructor(path: readonly string[], name: string) {
    this.path = path;
    this.name = name;
  }

  /** Whether any thread has it. */
  get isHeld(): boolean {
    return this.readers.length > 0;
  }

  attach(memory: MetricMemory, announced: Announced): void {
    // Neither push() nor a spread, which reserve room for many: there are tens of thousands of series, and a few threads.
    this.readers = this.readers.concat(this.read(memory, announced));
    this.isTouched = true;
  }

  /** Its last value in that thread is kept, so that the total doesn't fall. */
  detach(memory: MetricMemory, id: number): void {
    const gone = this.readers.find((reader) => reader.id === id && reader.memory === memory);
    if (gone === undefined) return;
    this.keep(gone);
    this.readers = this.readers.filter((reader) => reader !== gone);
    this.isTouched = true;
  }

  /** Whether it may tell something else than when this was last asked. */
  takeChange(): boolean {
    const hasChanged = this.hasMoved() || this.isTouched;
    this.isTouched = false;
    return hasChanged;
  }

  /** A window ended: the one with this number. */
  roll(_ended: number): void {}

  /** Adds what there is to tell. */
  abstract addTo(metrics: MetricValue[], window: number): void;
  /** Whether values are others than at the last call. */
  protected abstract hasMoved(): boolean;
  protected abstract read(memory: MetricMemory, announced: Announced): Reader;
  protected abstract keep(reader: Reader): void;
}

/** Counters and gauges: those of a block, or a single one. What is no longer there is not counted: a thread's gauges go with it. */
export class CellSeries extends Series<CellReader> {
  readonly #cells: readonly CellDefinition[];
  /** Of counters; null while nothing is kept. */
  #kept: Float64Array | null = null;
  /** What was read last of each cell; null until somebody wants to know what changes. */
  #seen: number[] | null = null;

  constructor(path: readonly string[], name: string, cells: readonly CellDefinition[]) {
    super(path, name);
    this.#cells = cells;
  }

  override addTo(metrics: MetricValue[]): void {
    for (let at = 0; at < this.#cells.length; at++) {
      const { name, type } = this.#cells[at] as CellDefinition;
      if (type !== 'counter' && !this.isHeld) continue;
      const value = this.#value(at);
      // A gauge may be back at what it was before anybody looks again, and then what is told here must not stay.
      if (this.#seen !== null && !Object.is(this.#seen[at], value)) this.isTouched = true;
      metrics.push({ type: type === 'counter' ? type : 'gauge', name, value });
    }
  }

  protected override hasMoved(): boolean {
    this.#seen ??= [];
    let hasMoved = false;
    for (let at = 0; at < this.#cells.length; at++) {
      const value = this.#value(at);
      if (Object.is(this.#seen[at], value)) continue;
      this.#seen[at] = value;
      hasMoved = true;
    }
    return hasMoved;
  }

  protected override read(memory: MetricMemory, announced: AnnouncedMetric | AnnouncedBlock): CellReader {
    return 'shape' in announced ? memory.block(announced) : memory.cell(announced);
  }

  protected override keep(reader: CellReader): void {
    const kept = this.#kept ?? new Float64Array(this.#cells.length);
    for (const [at, { type }] of this.#cells.entries()) if (type === 'counter') kept[at]! += reader.value(at);
    this.#kept = kept;
  }

  #value(at: number): number {
    const { type, merge } = this.#cells[at] as CellDefinition;
    if (type === 'counter') return this.#sum(at) + (this.#kept?.[at] ?? 0);
    return merge === 'max' ? this.#max(at) : this.#sum(at);
  }

  #sum(at: number): number {
    let sum = 0;
    for (const reader of this.readers) sum += reader.value(at);
    return sum;
  }

  #max(at: number): number {
    let max = Number.NEGATIVE_INFINITY;
    for (const reader of this.readers) max = Math.max(max, reader.value(at));
    return max;
  }
}

export class StatSeries extends Series<StatReader, AnnouncedMetric> {
  readonly #stepsPerUnit: number;
  readonly #bounds: BoundMap | null;
  /** What is kept of threads that no longer have it; null while nothing is. */
  #kept: Histogram | null = null;
  #keptSum = 0;
  /** What had been recorded when the running window began; null: nothing. */
  #base: Histogram | null = null;
  #baseSum = 0;
  /** Null until a window has ended. */
  #lastWindow: Summary | null = null;
  /** How many values there were at the last look. */
  #seenCount = -1;

  constructor(path: readonly string[], name: string, stepsPerUnit: number) {
    super(path, name);
    this.#stepsPerUnit = stepsPerUnit;
    this.#bounds = boundMap(path, name, stepsPerUnit);
  }

  override roll(ended: number): void {
    if (this.#count() === (this.#base?.total ?? 0)) {
      this.isTouched ||= this.#lastWindow !== EMPTY_SUMMARY;
      this.#lastWindow = EMPTY_SUMMARY;
      return;
    }
    this.isTouched = true;
    const [all, sum] = [this.#all(), this.#sum()];
    this.#lastWindow = this.#summary(all, sum, ended);
    this.#base = all;
    this.#baseSum = sum;
  }

  override addTo(metrics: MetricValue[], window: number): void {
    const summary = this.#lastWindow ?? this.#summary(this.#all(), this.#sum(), window);
    metrics.push({ type: 'stat', name: this.name, summary, buckets: this.#buckets() });
  }

  /** The count is what a recorder writes last (stat.ts). */
  protected override hasMoved(): boolean {
    const count = this.#count();
    const hasMoved = count !== this.#seenCount;
    this.#seenCount = count;
    return hasMoved;
  }

  protected override read(memory: MetricMemory, metric: AnnouncedMetric): StatReader {
    return memory.stat(metric);
  }

  protected override keep(reader: StatReader): void {
    this.#kept ??= new Histogram();
    reader.addTo(this.#kept);
    this.#keptSum += reader.sum;
  }

  /** Recorded so far, in all threads: cheap, to see whether anything was. */
  #count(): number {
    let count = this.#kept?.total ?? 0;
    for (const reader of this.readers) count += reader.count;
    return count;
  }

  #sum(): number {
    let sum = this.#keptSum;
    for (const reader of this.readers) sum += reader.sum;
    return sum;
  }

  #all(): Histogram {
    const all = new Histogram();
    if (this.#kept !== null) all.add(this.#kept);
    for (const reader of this.readers) reader.addTo(all);
    return all;
  }

  #summary(all: Histogram, sum: number, window: number): Summary {
    const values = this.#base === null ? all : all.since(this.#base);
    if (values.total === 0) return EMPTY_SUMMARY;
    const { min, max } = this.#extremes(values, window);
    const quantiles = SUMMARY_SHARES.map((share) => {
      if (Math.ceil(share * values.total) === values.total) return max;
      return Math.min(max, Math.max(min, values.quantile(share) / this.#stepsPerUnit));
    });
    return { count: values.total, sum: sum - this.#baseSum, min, max, quantiles };
  }

  /**
   * The exact extremes that the threads keep beside their buckets, unless the buckets contradict them: when a thread that
   * had the least value is gone, or was recording while the window ended.
   */
  #extremes(values: Histogram, window: number): { min: number; max: number } {
    const { least, greatest } = values.range() as NonNullable<ReturnType<Histogram['range']>>;
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const reader of this.readers) {
      const known = reader.extremes(window);
      if (known === null) continue;
      min = Math.min(min, known.min);
      max = Math.max(max, known.max);
    }
    return {
      min: this.#isIn(least, min) ? min : bucketMiddle(least) / this.#stepsPerUnit,
      max: this.#isIn(greatest, max) ? max : bucketMiddle(greatest) / this.#stepsPerUnit,
    };
  }

  #isIn(bucket: number, value: number): boolean {
    const steps = value * this.#stepsPerUnit;
    return steps >= bucketStart(bucket) && (steps < bucketStart(bucket + 1) || bucket === BUCKETS - 1);
  }

  #buckets(): Buckets | null {
    if (this.#bounds === null) return null;
    const { bounds } = this.#bounds;
    const counts = new Array<number>(bounds.length + 1).fill(0);
    this.#kept?.addToBounds(this.#bounds, counts);
    for (const reader of this.readers) reader.addToBounds(this.#bounds, counts);
    for (let at = 1; at < counts.length; at++) counts[at]! += counts[at - 1] as number;
    return { bounds, counts, count: counts[bounds.length] as number, sum: this.#sum() };
  }
}

const boundMaps = new Map<string, BoundMap>();

/** Shared by all stats that have the same bounds and steps. */
function boundMap(path: readonly string[], name: string, stepsPerUnit: number): BoundMap | null {
  const bounds = bucketBounds(path, name);
  if (bounds === null) return null;
  const key = `${stepsPerUnit} ${bounds.join(' ')}`;
  const known = boundMaps.get(key);
  if (known !== undefined) return known;
  const made = new BoundMap(bounds, stepsPerUnit);
  boundMaps.set(key, made);
  return made;
}
