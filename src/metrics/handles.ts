/**
 * What is counted with: handles into slabs that only this thread writes. A handle is taken once, when a server, service
 * or client is made; to count is to add to an element of a typed array. A handle that outlives its metric (a request may
 * outlive its client) counts into the void.
 */
import { blockShapes } from './shapes.ts';

/** As long as the longest block. */
const VOID = new Float64Array(Math.max(...blockShapes.map(({ cells }) => cells.length)));

/** Where cells are. */
export interface CellPlace {
  readonly floats: Float64Array;
  /** The first of them. */
  readonly base: number;
}

/** Counters and gauges side by side. Whoever counts on every request names them by their places (see shapes.ts). */
export class Cells {
  #floats: Float64Array;
  #base: number;

  /** Null: what is counted is lost. */
  constructor(place: CellPlace | null) {
    this.#floats = place?.floats ?? VOID;
    this.#base = place?.base ?? 0;
  }

  get(at: number): number {
    return this.#floats[this.#base + at] as number;
  }

  set(at: number, value: number): void {
    this.#floats[this.#base + at] = value;
  }

  add(at: number, amount: number): void {
    this.#floats[this.#base + at]! += amount;
  }

  increment(at: number): void {
    this.#floats[this.#base + at]! += 1;
  }

  decrement(at: number): void {
    this.#floats[this.#base + at]! -= 1;
  }

  /** Leaves the slot to others. */
  retire(): void {
    this.#floats = VOID;
    this.#base = 0;
  }
}

class Cell {
  protected readonly cells: Cells;
  protected readonly at: number;

  constructor(cells: Cells, at = 0) {
    this.cells = cells;
    this.at = at;
  }

  get value(): number {
    return this.cells.get(this.at);
  }
}

/** A whole number that only grows. */
export class Counter extends Cell {
  increment(): void {
    this.cells.increment(this.at);
  }

  add(amount: number): void {
    this.cells.add(this.at, amount);
  }
}

/** A number that goes up and down. */
export class Gauge extends Cell {
  set(value: number): void {
    this.cells.set(this.at, value);
  }

  increment(): void {
    this.cells.increment(this.at);
  }

  decrement(): void {
    this.cells.decrement(this.at);
  }

  add(amount: number): void {
    this.cells.add(this.at, amount);
  }
}
