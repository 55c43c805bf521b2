/**
 * Slots in slabs: pieces of equal size in SharedArrayBuffers of fixed size (growable ones cost 10 times as much to write
 * to). A slot's number is `slab * slots a slab + place`. Slots are taken from the lowest slab that has one, so that high
 * slabs run empty after a flood of names; an empty slab is given back, but for one.
 */
export interface Slab {
  readonly buffer: SharedArrayBuffer;
  readonly floats: Float64Array;
  readonly ints: Int32Array;
}

/** The views of a slab, on either side. */
export function slabViews(buffer: SharedArrayBuffer): Slab {
  return { buffer, floats: new Float64Array(buffer), ints: new Int32Array(buffer) };
}

/** How a pool cuts its slabs: what both sides must agree on. */
export interface SlotShape {
  /** log2 of the slots in a slab. */
  readonly bits: number;
  /** Size of a slot in doubles. */
  readonly floats: number;
}

export interface SlabPoolEvents {
  /** A slab was made. */
  readonly added: (index: number, buffer: SharedArrayBuffer) => void;
  /** A slab is no longer used. */
  readonly released: (index: number) => void;
}

interface OwnedSlab extends Slab {
  /** Places that are free. */
  readonly free: number[];
}

export class SlabPool {
  readonly shape: SlotShape;
  readonly #slots: number;
  readonly #events: SlabPoolEvents;
  readonly #slabs: (OwnedSlab | undefined)[] = [];
  /** No slab below this one has a free slot. */
  #lowest = 0;

  constructor(shape: SlotShape, events: SlabPoolEvents) {
    this.shape = shape;
    this.#slots = 1 << shape.bits;
    this.#events = events;
  }

  /** Takes a slot, filled with zeros. */
  take(): number {
    while (this.#slabs[this.#lowest]?.free.length === 0) this.#lowest++;
    const index = this.#lowest;
    const slab = this.#slabs[index] ?? this.#add(index);
    const place = slab.free.pop() as number;
    slab.floats.fill(0, place * this.shape.floats, (place + 1) * this.shape.floats);
    return index * this.#slots + place;
  }

  /** Gives a slot back. Nobody may read or write it any more. */
  give(slot: number): void {
    const index = slot >>> this.shape.bits;
    const slab = this.#slabs[index] as OwnedSlab;
    slab.free.push(this.placeOf(slot));
    this.#lowest = Math.min(this.#lowest, index);
    if (slab.free.length < this.#slots || !this.#hasAnotherEmpty(slab)) return;
    this.#slabs[index] = undefined;
    this.#events.released(index);
  }

  slabOf(slot: number): Slab {
    return this.#slabs[slot >>> this.shape.bits] as Slab;
  }

  placeOf(slot: number): number {
    return slot & (this.#slots - 1);
  }

  /** The slabs that are in use, with their numbers. */
  *slabs(): Generator<readonly [index: number, buffer: SharedArrayBuffer]> {
    for (const [index, slab] of this.#slabs.entries()) if (slab !== undefined) yield [index, slab.buffer];
  }

  #add(index: number): OwnedSlab {
    const buffer = new SharedArrayBuffer(this.#slots * this.shape.floats * Float64Array.BYTES_PER_ELEMENT);
    const free = Array.from({ length: this.#slots }, (_, place) => this.#slots - 1 - place);
    const slab = { ...slabViews(buffer), free };
    this.#slabs[index] = slab;
    this.#events.added(index, buffer);
    return slab;
  }

  /** One empty slab is kept, so that a name that comes and goes at the edge of a slab does not make one each time. */
  #hasAnotherEmpty(slab: OwnedSlab): boolean {
    return this.#slabs.some((other) => other !== slab && other?.free.length === this.#slots);
  }
}
