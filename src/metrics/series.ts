/** One name in the collector: what it is in each thread, and what is kept of threads and scopes that are gone. */
import type { AnnouncedMetric, GaugeMerge } from './announcement.ts';
import { BUCKETS, bucketMiddle, bucketStart } from './buckets.ts';
import { BoundMap, Histogram } from './histogram.ts';
import type { CellReader, MetricMemory, StatReader } from './memory.ts';
import { bucketBounds } from './names.ts';
import { type Buckets, EMPTY_SUMMARY, type MetricValue, SUMMARY_SHARES, type Summary } from './snapshot.ts';

/** The scope that a series is in, as the collector keeps it. */
export interface SeriesScope {
  readonly path: readonly string[];
  readonly series: Map<string, Series>;
  /** Whether its threads tell how many requests each took, see thread-usage.ts. */
  hasThreadUsage: boolean;
}

export abstract class Series<Reader extends CellReader | StatReader = CellReader | StatReader> {
  readonly scope: SeriesScope;
  readonly name: string;
  /** One for each thread that has it. */
  protected readers: Reader[] = [];

  constructor(scope: SeriesScope, name: string) {
    this.scope = scope;
    this.name = name;
  }

  /** Whether any thread has it. */
  get isHeld(): boolean {
    return this.readers.length > 0;
  }

  attach(memory: MetricMemory, metric: AnnouncedMetric): void {
    // Not push(), which reserves room for many: there are hundreds of thousands of series, and a few threads.
    this.readers = [...this.readers, this.read(memory, metric)];
  }

  /** Its last value in that thread is kept, so that the total doesn't fall. */
  detach(memory: MetricMemory, id: number): void {
    const gone = this.readers.find((reader) => reader.id === id && reader.memory === memory);
    if (gone === undefined) return;
    this.keep(gone);
    this.readers = this.readers.filter((reader) => reader !== gone);
  }

  /** A window ended: the one with this number. */
  abstract roll(ended: number): void;
  /** Null when there is nothing to tell. */
  abstract value(window: number): MetricValue | null;
  protected abstract read(memory: MetricMemory, metric: AnnouncedMetric): Reader;
  protected abstract keep(reader: Reader): void;
}

export class CounterSeries extends Series<CellReader> {
  #kept = 0;

  override roll(): void {}

  override value(): MetricValue {
    let value = this.#kept;
    for (const reader of this.readers) value += reader.value;
    return { type: 'counter', name: this.name, value };
  }

  protected override read(memory: MetricMemory, metric: AnnouncedMetric): CellReader {
    return memory.cell(metric);
  }

  protected override keep(reader: CellReader): void {
    this.#kept += reader.value;
  }
}

/** What is no longer there is not counted: a thread's gauges go with it. */
export class GaugeSeries extends Series<CellReader> {
  readonly #merge: GaugeMerge;

  constructor(scope: SeriesScope, name: string, merge: GaugeMerge) {
    super(scope, name);
    this.#merge = merge;
  }

  override roll(): void {}

  override value(): MetricValue | null {
    if (!this.isHeld) return null;
    const values = this.readers.map((reader) => reader.value);
    const value = this.#merge === 'max' ? Math.max(...values) : values.reduce((sum, one) => sum + one, 0);
    return { type: 'gauge', name: this.name, value };
  }

  protected override read(memory: MetricMemory, metric: AnnouncedMetric): CellReader {
    return memory.cell(metric);
  }

  protected override keep(): void {}
}

export class StatSeries extends Series<StatReader> {
  readonly #stepsPerUnit: number;
  readonly #bounds: BoundMap | null;
  /** What is kept of threads that no longer have it. */
  readonly #kept = new Histogram();
  #keptSum = 0;
  /** What had been recorded when the running window began. */
  #base = new Histogram();
  #baseSum = 0;
  /** Null until a window has ended. */
  #lastWindow: Summary | null = null;

  constructor(scope: SeriesScope, name: string, stepsPerUnit: number) {
    super(scope, name);
    this.#stepsPerUnit = stepsPerUnit;
    this.#bounds = boundMap(scope.path, name, stepsPerUnit);
  }

  override roll(ended: number): void {
    if (this.#count() === this.#base.total) {
      this.#lastWindow = EMPTY_SUMMARY;
      return;
    }
    const [all, sum] = [this.#all(), this.#sum()];
    this.#lastWindow = this.#summary(all, sum, ended);
    this.#base = all;
    this.#baseSum = sum;
  }

  override value(window: number): MetricValue {
    const summary = this.#lastWindow ?? this.#summary(this.#all(), this.#sum(), window);
    return { type: 'stat', name: this.name, summary, buckets: this.#buckets() };
  }

  protected override read(memory: MetricMemory, metric: AnnouncedMetric): StatReader {
    return memory.stat(metric);
  }

  protected override keep(reader: StatReader): void {
    reader.addTo(this.#kept);
    this.#keptSum += reader.sum;
  }

  /** Recorded so far, in all threads: cheap, to see whether anything was. */
  #count(): number {
    return this.readers.reduce((count, reader) => count + reader.count, this.#kept.total);
  }

  #sum(): number {
    return this.readers.reduce((sum, reader) => sum + reader.sum, this.#keptSum);
  }

  #all(): Histogram {
    const all = new Histogram();
    all.add(this.#kept);
    for (const reader of this.readers) reader.addTo(all);
    return all;
  }

  #summary(all: Histogram, sum: number, window: number): Summary {
    const values = this.#base.total === 0 ? all : all.since(this.#base);
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
    const known = this.readers.flatMap((reader) => reader.extremes(window) ?? []);
    const min = Math.min(...known.map((extremes) => extremes.min));
    const max = Math.max(...known.map((extremes) => extremes.max));
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
    const counts = new Float64Array(bounds.length + 1);
    this.#kept.addToBounds(this.#bounds, counts);
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
