/**
 * Counters and gauges of one data thread: handles into slabs of shared memory with a single writer. A handle is taken
 * once, when a server, service or client is made; counting is one add.
 *
 *     slab 0: [ 3 | 17 | 0 | ... ]     slots are freed and used again; `names` tells which path a slot has
 */
const SLOTS = 4096;

export class Counter {
  readonly #slab: Float64Array;
  readonly #slot: number;

  constructor(slab: Float64Array, slot: number) {
    this.#slab = slab;
    this.#slot = slot;
  }

  increment(): void {
    this.#slab[this.#slot]! += 1;
  }

  /** For gauges; a counter only grows. */
  add(amount: number): void {
    this.#slab[this.#slot]! += amount;
  }

  get value(): number {
    return this.#slab[this.#slot] as number;
  }
}

interface Entry {
  readonly counter: Counter;
  readonly slab: Float64Array;
  readonly slot: number;
}

export class MetricRegistry {
  readonly #slabs: Float64Array[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #free: { slab: Float64Array; slot: number }[] = [];
  #used = SLOTS;

  /** The metrics below a path; its segments may contain `/`, as in `rt/out/server/0.0.0.0/4140`. */
  scope(path: readonly string[]): MetricScope {
    return new MetricScope(this, path.join('/'));
  }

  /** The counter or gauge of a name. */
  counter(name: string): Counter {
    const known = this.#entries.get(name);
    if (known !== undefined) return known.counter;
    const { slab, slot } = this.#free.pop() ?? this.#nextSlot();
    slab[slot] = 0;
    const counter = new Counter(slab, slot);
    this.#entries.set(name, { counter, slab, slot });
    return counter;
  }

  /** Frees a metric: what it counted is gone. */
  remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#free.push(entry);
  }

  /** All values by name, as `/admin/metrics.json` prints them. */
  snapshot(): Record<string, number> {
    const values: Record<string, number> = Object.create(null);
    for (const [name, { counter }] of this.#entries) values[name] = counter.value;
    return values;
  }

  #nextSlot(): { slab: Float64Array; slot: number } {
    if (this.#used === SLOTS) {
      this.#slabs.push(new Float64Array(new SharedArrayBuffer(SLOTS * Float64Array.BYTES_PER_ELEMENT)));
      this.#used = 0;
    }
    return { slab: this.#slabs[this.#slabs.length - 1] as Float64Array, slot: this.#used++ };
  }
}

/** The metrics of one server, service or client: they come and go together. */
export class MetricScope {
  readonly #registry: MetricRegistry;
  readonly #path: string;
  readonly #names: string[] = [];

  constructor(registry: MetricRegistry, path: string) {
    this.#registry = registry;
    this.#path = path;
  }

  counter(name: string): Counter {
    const whole = `${this.#path}/${name}`;
    this.#names.push(whole);
    return this.#registry.counter(whole);
  }

  close(): void {
    for (const name of this.#names) this.#registry.remove(name);
  }
}
