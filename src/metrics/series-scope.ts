/** One scope in the collector: its series, and whether they tell anything new. */
import type { Series } from './series.ts';
import type { MetricValue, ScopeSnapshot } from './snapshot.ts';
import { withThreadUsage } from './thread-usage.ts';

/** Tells the number of the running window. */
export interface WindowClock {
  readonly window: number;
}

export class SeriesScope implements ScopeSnapshot {
  readonly path: readonly string[];
  /** Whether its threads tell how many requests each took, see thread-usage.ts. */
  hasThreadUsage = false;
  readonly #series = new Map<string, Series>();
  readonly #clock: WindowClock;
  #version = 0;
  /** Whether series came or went since the version was told. */
  #isTouched = false;

  constructor(path: readonly string[], clock: WindowClock) {
    this.path = path;
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  get version(): number {
    let hasChanged = this.#isTouched;
    // All are asked, since each remembers what it has told.
    for (const series of this.#series.values()) hasChanged = series.takeChange() || hasChanged;
    this.#isTouched = false;
    if (hasChanged) this.#version++;
    return this.#version;
  }

  get metrics(): readonly MetricValue[] {
    const metrics: MetricValue[] = [];
    for (const series of this.#series.values()) series.addTo(metrics, this.#clock.window);
    return this.hasThreadUsage ? withThreadUsage(metrics) : metrics;
  }

  get(name: string): Series | undefined {
    return this.#series.get(name);
  }

  add(series: Series): void {
    this.#series.set(series.name, series);
    this.#isTouched = true;
  }

  remove({ name }: Series): void {
    this.#series.delete(name);
    this.#isTouched = true;
  }

  roll(ended: number): void {
    for (const series of this.#series.values()) series.roll(ended);
  }
}
