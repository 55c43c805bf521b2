/**
 * Cells: a few words of memory each that all workers share, for what holds for the process (a retry budget, an ejection).
 *
 *     CellPool (control side)  key -> number, counted holders            one block of shared memory
 *     Cell     (each worker)   number -> words  ----------------------->  [ 16 words | 16 words | ... ]
 *
 * The control side gives a number to whoever asks for a key first, and to all that ask for it after that; numbers travel with
 * the bindings and addresses that they belong to. A number is free again, and its words are zero, only when no data side can
 * write to it any more (control-end.ts waits for their word), so a cell that is used again has no part of its last owner's. There are no
 * locks: a word is changed by one atomic operation, so a worker that dies leaves nothing held.
 */

/** 32-bit words of a cell: a cache line, so that two cells never slow each other down. */
export const CELL_WORDS = 16;

/**
 * Cells of a process: 16 MiB of memory, touched only as far as they are used. The caches of bindings end a flood of names
 * long before; when all are taken, each thread keeps what it has to remember for itself.
 */
const MAX_CELLS = 262_144;

/** Stands for a cell when there are no more. */
export const NO_CELL = -1;

/** A cell as a worker uses it: CELL_WORDS words from `at` on, to be changed with Atomics. */
export interface Cell {
  readonly words: Int32Array;
  readonly at: number;
}

/** A cell that this thread shares with nobody. */
export function ownCell(): Cell {
  return { words: new Int32Array(CELL_WORDS), at: 0 };
}

interface Held {
  readonly key: string;
  readonly number: number;
  holders: number;
}

/** Gives cells to keys. On the control side alone. */
export class CellPool {
  /** What workers look into: see Cell. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #byKey = new Map<string, Held>();
  readonly #byNumber = new Map<number, Held>();
  readonly #free: number[] = [];
  #unused = 0;
  #refused = 0;

  constructor({ maxCells = MAX_CELLS }: { maxCells?: number } = {}) {
    this.memory = new SharedArrayBuffer(maxCells * CELL_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.memory);
  }

  /** The cell of a key, to be released by each holder; NO_CELL when all are taken. */
  acquire(key: string): number {
    let held = this.#byKey.get(key);
    if (held === undefined) {
      const number = this.#free.pop() ?? this.#take();
      if (number === NO_CELL) {
        this.#refused++;
        return NO_CELL;
      }
      held = { key, number, holders: 0 };
      this.#byKey.set(key, held);
      this.#byNumber.set(number, held);
    }
    held.holders++;
    return held.number;
  }

  /** One holder less. After the last one the words are zero and the cell may be another key's. */
  release(number: number): void {
    const held = this.#byNumber.get(number);
    if (held === undefined || --held.holders > 0) return;
    this.#byKey.delete(held.key);
    this.#byNumber.delete(number);
    this.#words.fill(0, number * CELL_WORDS, (number + 1) * CELL_WORDS);
    this.#free.push(number);
  }

  /** Cells that are held. */
  get size(): number {
    return this.#byKey.size;
  }

  /** How often there was none left. */
  get refused(): number {
    return this.#refused;
  }

  #take(): number {
    const end = (this.#unused + 1) * CELL_WORDS;
    return end > this.#words.length ? NO_CELL : this.#unused++;
  }
}
