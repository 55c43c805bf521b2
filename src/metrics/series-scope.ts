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
  /** Few, as in ScopeMetrics. */
  #series: readonly Series[] = [];
  readonly #clock: WindowClock;
  #version = 0;
  /** Whether series came or went since the version was told. */
  #isTouched = false;

  constructor(path: readonly string[], clock: WindowClock) {
    this.path = path;
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#series.length === 0;
  }

  get version(): number {
    let hasChanged = this.#isTouched;
    // All are asked, since each remembers what it has told.
    for (const series of this.#series) hasChanged = series.takeChange() || hasChanged;
    this.#isTouched = false;
    if (hasChanged) this.#version++;
    return this.#version;
  }

  get metrics(): readonly MetricValue[] {
    const metrics: MetricValue[] = [];
    for (const series of this.#series) series.addTo(metrics, this.#clock.window);
    return this.hasThreadUsage ? withThreadUsage(metrics) : metrics;
  }

  get(name: string): Series | undefined {
    return this.#series.find((series) => series.name === name);
  }

  add(series: Series): void {
    this.#series = this.#series.concat(series);
    this.#isTouched = true;
  }

  remove(gone: Series): void {
    this.#series = this.#series.filter((series) => series !== gone);
    this.#isTouched = true;
  }

  roll(ended: number): void {
    for (const series of this.#series) series.roll(ended);
  }
}
