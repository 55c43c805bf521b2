/**
 * The metrics of all threads together, on the control thread: adds counters, merges histograms (percentiles can't be
 * averaged), and takes a summary of each stat once a minute, as the difference between what was counted at its end and at
 * its beginning.
 *
 *     registry (worker 1) --announcements--> source --+
 *     registry (worker 2) --announcements--> source --+-- collector -- snapshot() -- renderers
 *     registry (main)     --announcements--> source --+
 */
import {
  type AnnouncedBlock,
  type AnnouncedMetric,
  type Announcement,
  SHARED_ACKNOWLEDGED,
  SHARED_WINDOW,
} from './announcement.ts';
import { MetricMemory } from './memory.ts';
import { CellSeries, type Series, StatSeries } from './series.ts';
import { SeriesScope } from './series-scope.ts';
import { type BlockShape, blockShapes } from './shapes.ts';
import type { MetricSnapshot, ScopeSnapshot } from './snapshot.ts';
import { isThreadUsage } from './thread-usage.ts';

/** What a summary covers. 1.7.5. */
const WINDOW_MS = 60_000;
/** How long the counts of a thread that died stand for those of its successor, in windows: as long as an idle binding. */
const KEPT_WINDOWS = 10;
/** Far more names than metrics/names.ts gives. */
const MAX_INTERNED = 10_000;

/** A value of the control side that is read when it is asked for. */
interface Reading {
  readonly path: readonly string[];
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly read: () => number;
}

export class MetricCollector {
  readonly #windowMs: number;
  readonly #scopes = new Map<string, SeriesScope>();
  readonly #sources = new Set<MetricSource>();
  readonly #readings = new Set<Reading>();
  /** Series that only threads had that are gone, and the window in which they go too. */
  readonly #orphans = new Map<Series, number>();
  readonly #names = new Map<string, string>();
  #window = 1;
  #timer: NodeJS.Timeout | undefined;

  constructor({ windowMs = WINDOW_MS }: { windowMs?: number } = {}) {
    this.#windowMs = windowMs;
  }

  /** Begins to end a window each minute. */
  start(): void {
    this.#timer ??= setInterval(() => this.roll(), this.#windowMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A thread's registry: give its announcements to the source. */
  attach(): MetricSource {
    const source = new MetricSource(this);
    this.#sources.add(source);
    return source;
  }

  /** Adds a counter or gauge of the control side that is read at each snapshot. Returns what takes it away again. */
  observe(path: readonly string[], name: string, type: 'counter' | 'gauge', read: () => number): () => void {
    const reading = { path: [...path], name, type, read };
    this.#readings.add(reading);
    return () => this.#readings.delete(reading);
  }

  /** What the renderers print. Values are read as it is iterated, so do that in one go. */
  snapshot(): MetricSnapshot {
    return { scopes: { [Symbol.iterator]: () => this.#read() } };
  }

  /** Ends the running window and begins the next. `start` does it by the clock. */
  roll(): void {
    const ended = this.#window;
    this.#window++;
    for (const source of this.#sources) source.beginWindow(this.#window);
    for (const scope of this.#scopes.values()) scope.roll(ended);
    for (const [series, until] of this.#orphans) if (until <= ended) this.#forget(series);
  }

  /** For sources: the running window's number. */
  get window(): number {
    return this.#window;
  }

  /** For sources. */
  place(path: readonly string[], metric: AnnouncedMetric): Series {
    return this.#series(path, metric.name, (scope, name) => {
      scope.hasThreadUsage ||= isThreadUsage(name);
      const { type, stepsPerUnit } = metric;
      if (type === 'stat') return new StatSeries(scope.path, name, stepsPerUnit ?? 1);
      return new CellSeries(scope.path, name, [{ ...metric, name }]);
    });
  }

  /** For sources. */
  placeBlock(path: readonly string[], { shape }: AnnouncedBlock): Series {
    const { cells } = blockShapes[shape] as BlockShape;
    return this.#series(path, '', (scope) => new CellSeries(scope.path, '', cells));
  }

  #series(path: readonly string[], name: string, make: (scope: SeriesScope, name: string) => Series): Series {
    const key = path.join('\0');
    let scope = this.#scopes.get(key);
    if (scope === undefined) {
      scope = new SeriesScope(path, this);
      this.#scopes.set(key, scope);
    }
    let series = scope.get(name);
    if (series === undefined) {
      series = make(scope, this.#intern(name));
      scope.add(series);
    }
    this.#orphans.delete(series);
    return series;
  }

  /** For sources: a metric went from a thread, or went with its thread. */
  removed(series: Series, withThread: boolean): void {
    if (series.isHeld) return;
    if (withThread) this.#orphans.set(series, this.#window + KEPT_WINDOWS);
    else this.#forget(series);
  }

  /** For sources. */
  detached(source: MetricSource): void {
    this.#sources.delete(source);
  }

  *#read(): Generator<ScopeSnapshot> {
    yield* this.#scopes.values();
    for (const { path, name, type, read } of this.#readings) {
      yield { path, metrics: [{ type, name, value: read() }] };
    }
  }

  /** Names come over the port as a copy for each scope; there are a few hundred, and thousands of scopes. */
  #intern(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size < MAX_INTERNED) this.#names.set(name, name);
    return name;
  }

  #forget(series: Series): void {
    const key = series.path.join('\0');
    const scope = this.#scopes.get(key);
    this.#orphans.delete(series);
    scope?.remove(series);
    if (scope?.isEmpty === true) this.#scopes.delete(key);
  }
}

/** What the collector knows of one thread. */
export class MetricSource {
  readonly #collector: MetricCollector;
  readonly #memory = new MetricMemory();
  readonly #series = new Map<number, Series>();
  #shared: Int32Array | null = null;

  constructor(collector: MetricCollector) {
    this.#collector = collector;
  }

  /** Announcements have to come in their order, all of them. */
  accept(announcement: Announcement): void {
    if (announcement.shared !== undefined) {
      this.#shared = new Int32Array(announcement.shared);
      this.beginWindow(this.#collector.window);
    }
    this.#memory.apply(announcement);
    for (const { path, block, metrics } of announcement.added) {
      if (block !== undefined) this.#attach(this.#collector.placeBlock(path, block), block);
      for (const metric of metrics) this.#attach(this.#collector.place(path, metric), metric);
    }
    for (const id of announcement.removed) this.#remove(id, false);
    if (this.#shared !== null) Atomics.store(this.#shared, SHARED_ACKNOWLEDGED, announcement.sequence);
  }

  /**
   * The thread is gone. Its gauges vanish; what it counted stays in the totals, so that no counter falls when a successor
   * begins at 0. Names that no successor takes up go after ten minutes.
   */
  close(): void {
    for (const id of [...this.#series.keys()]) this.#remove(id, true);
    this.#collector.detached(this);
  }

  /** For the collector. */
  beginWindow(window: number): void {
    if (this.#shared !== null) Atomics.store(this.#shared, SHARED_WINDOW, window);
  }

  #attach(series: Series, announced: AnnouncedMetric | AnnouncedBlock): void {
    series.attach(this.#memory, announced);
    this.#series.set(announced.id, series);
  }

  #remove(id: number, withThread: boolean): void {
    const series = this.#series.get(id);
    if (series === undefined) return;
    this.#series.delete(id);
    series.detach(this.#memory, id);
    this.#collector.removed(series, withThread);
  }
}
