/**
 * Remembers what was made of the texts of requests, in two generations: when one is full it takes the place of the one before,
 * and what is still asked for moves on. So names that are in use outlive a flood of others, and all of it has bounds.
 */
import { RoutedName } from '../../routed-name.ts';
import { hashOf } from '../../text-hash.ts';

/** Of one generation: texts, and characters of these and of their names together. */
const MEMO_ENTRIES = 16_384;
const MEMO_CHARACTERS = 1 << 20;
const FEWEST_SLOTS = 64;

export class NameMemo {
  readonly #make: (text: string) => string;
  #young = new Generation();
  #old = new Generation();

  constructor(make: (text: string) => string) {
    this.#make = make;
  }

  nameOf(text: string): RoutedName {
    const hash = hashOf(text);
    return this.#young.get(text, hash) ?? this.#remember(text, hash);
  }

  #remember(text: string, hash: number): RoutedName {
    const known = this.#old.get(text, hash);
    // A copy: the text itself is a part of a head, which it would keep alive.
    const name = known ?? new RoutedName(this.#make(text), Buffer.from(text, 'latin1').toString('latin1'));
    if (!this.#young.hasRoomFor(name)) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(name, hash);
    return name;
  }
}

/**
 * Names by their text: a hash table with linear probing, at most half full. A Map would first look for the text in V8's table of
 * all strings, which costs more than this look-up, and several times that where there are many names.
 */
class Generation {
  #size = 0;
  #characters = 0;
  /** 0 stands for a free slot. */
  #hashes = new Int32Array(FEWEST_SLOTS);
  #names: (RoutedName | undefined)[] = new Array(FEWEST_SLOTS);

  get(text: string, hash: number): RoutedName | undefined {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== 0; slot = (slot + 1) & mask) {
      if (hashes[slot] !== hash) continue;
      const name = this.#names[slot] as RoutedName;
      if (name.text === text) return name;
    }
    return undefined;
  }

  hasRoomFor(name: RoutedName): boolean {
    return this.#size < MEMO_ENTRIES && this.#characters + charactersOf(name) <= MEMO_CHARACTERS;
  }

  /** The name must be new. */
  add(name: RoutedName, hash: number): void {
    this.#size++;
    this.#characters += charactersOf(name);
    if (this.#size * 2 > this.#hashes.length) this.#grow();
    this.#put(name, hash);
  }

  #put(name: RoutedName, hash: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#hashes[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#names[slot] = name;
  }

  #grow(): void {
    const [hashes, names] = [this.#hashes, this.#names];
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#names = new Array(2 * hashes.length);
    for (const [slot, name] of names.entries()) if (name !== undefined) this.#put(name, hashes[slot] as number);
  }
}

function charactersOf({ text, path }: RoutedName): number {
  return text.length + path.length;
}
