/**
 * What is kept of the last rendering, so that a scrape writes anew only what has changed. The format wants each family in one
 * piece, while changes come by scope; so scopes are in groups, in the order in which they first appeared, and a group has a
 * page of each family:
 *
 *                    group 0               group 1
 *     family a   [ lines of its scopes | lines of its scopes ]
 *     family b   [ lines of its scopes | lines of its scopes ]
 *
 * A scope that changes or goes costs its group's pages a copy. Pages never change, since they may be on their way to a slow reader.
 */

/** Scopes of a group: many make few pieces to be sent, few make little to be copied for one that changed. */
const GROUP_SCOPES = 256;

/** Lines of one family of a group's scopes. */
export interface Page {
  readonly bytes: Buffer;
  /** The scopes that have lines here, ascending, by their places in the group, and where the lines of each end. */
  readonly places: Uint16Array;
  readonly ends: Uint32Array;
}

/** Lines of one family that were just rendered, of scopes of one group in their order. */
export class FreshLines {
  readonly places: number[] = [];
  readonly texts: string[] = [];

  append(place: number, text: string): void {
    const last = this.places.length - 1;
    if (this.places[last] === place) this.texts[last] += text;
    else {
      this.places.push(place);
      this.texts.push(text);
    }
  }
}

/** `Family` is what pages are told apart by. */
export class Group<Family> {
  readonly pages = new Map<Family, Page>();
  /** Whether what the pages have of a place is old. */
  readonly #isOld = new Uint8Array(GROUP_SCOPES);
  #hasOld = false;
  #taken = 0;
  #live = 0;

  get isFull(): boolean {
    return this.#taken === GROUP_SCOPES;
  }

  get isEmpty(): boolean {
    return this.#live === 0;
  }

  /** A place for one more scope. They are not used again, which would be out of order. */
  take(): number {
    this.#live++;
    return this.#taken++;
  }

  /** What the pages have of a scope is left out when they are brought up to date. */
  replace(place: number): void {
    this.#isOld[place] = 1;
    this.#hasOld = true;
  }

  /** The scope is gone. */
  give(place: number): void {
    this.#live--;
    this.replace(place);
  }

  /** Brings all pages up to date: without what is old, with what is fresh. */
  update(fresh: ReadonlyMap<Family, FreshLines>): void {
    if (this.#hasOld) {
      for (const [family, page] of this.pages) {
        if (!fresh.has(family)) this.#put(family, page);
      }
    }
    for (const [family, lines] of fresh) this.#put(family, this.pages.get(family), lines);
    if (this.#hasOld) this.#isOld.fill(0);
    this.#hasOld = false;
  }

  #put(family: Family, old: Page | undefined, fresh: FreshLines = NOTHING): void {
    const page = (old && this.#patched(old, fresh)) ?? this.#assembled(old, fresh);
    if (page === null) this.pages.delete(family);
    else this.pages.set(family, page);
  }

  /**
   * The page with the fresh lines in the places of the old ones; null when these are not as long, which only assembling it anew
   * can do. Most often just numbers have changed, or nothing in this family.
   */
  #patched(old: Page, { places, texts }: FreshLines): Page | null {
    let { bytes } = old;
    let next = 0;
    for (let at = 0; at < old.places.length; at++) {
      if (this.#isOld[old.places[at] as number] === 0) continue;
      const [from, to] = [startOf(old, at), old.ends[at] as number];
      const text = texts[next] ?? '';
      if (places[next] !== old.places[at] || Buffer.byteLength(text) !== to - from) return null;
      next++;
      if (bytes.toString('utf8', from, to) === text) continue;
      if (bytes === old.bytes) bytes = copyOf(bytes);
      bytes.write(text, from);
    }
    if (next < places.length) return null;
    return bytes === old.bytes ? old : { ...old, bytes };
  }

  #assembled(old: Page | undefined, fresh: FreshLines): Page | null {
    const assembly = new Assembly(fresh);
    for (let at = 0; old !== undefined && at < old.places.length; at++) {
      const place = old.places[at] as number;
      if (this.#isOld[place] === 1) continue;
      assembly.addFresh(place);
      assembly.addOld(place, startOf(old, at), old.ends[at] as number);
    }
    assembly.addFresh(GROUP_SCOPES);
    return assembly.isEmpty ? null : assembly.page(old?.bytes);
  }
}

/** A page in the making. */
class Assembly {
  readonly #fresh: FreshLines;
  /** The next of the fresh ones. */
  #next = 0;
  readonly #places: number[] = [];
  readonly #ends: number[] = [];
  /** Texts, and ranges of the old page. */
  readonly #runs: (string | { readonly from: number; to: number })[] = [];
  #length = 0;

  constructor(fresh: FreshLines) {
    this.#fresh = fresh;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  addOld(place: number, from: number, to: number): void {
    const last = this.#runs.at(-1);
    if (typeof last === 'object' && last.to === from) last.to = to;
    else this.#runs.push({ from, to });
    this.#add(place, to - from);
  }

  /** Adds what is fresh of the places before this one. */
  addFresh(end: number): void {
    const { places, texts } = this.#fresh;
    const first = this.#next;
    while (this.#next < places.length && (places[this.#next] as number) < end) this.#next++;
    if (this.#next === first) return;
    const run = texts.slice(first, this.#next).join('');
    // To measure each text would take longer than to write them all.
    const isAscii = Buffer.byteLength(run) === run.length;
    for (let at = first; at < this.#next; at++) {
      const text = texts[at] as string;
      this.#add(places[at] as number, isAscii ? text.length : Buffer.byteLength(text));
    }
    this.#runs.push(run);
  }

  page(old: Buffer | undefined): Page {
    // Not from Node's pool, which a single page that stays would keep whole.
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    let at = 0;
    for (const run of this.#runs) at += typeof run === 'string' ? bytes.write(run, at) : copy(old, run, bytes, at);
    return { bytes, places: Uint16Array.from(this.#places), ends: Uint32Array.from(this.#ends) };
  }

  #add(place: number, length: number): void {
    this.#length += length;
    this.#places.push(place);
    this.#ends.push(this.#length);
  }
}

const NOTHING = new FreshLines();

function startOf({ ends }: Page, at: number): number {
  return at === 0 ? 0 : (ends[at - 1] as number);
}

function copyOf(bytes: Buffer): Buffer {
  const copied = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copied);
  return copied;
}

function copy(old: Buffer | undefined, { from, to }: { from: number; to: number }, into: Buffer, at: number): number {
  return old?.copy(into, at, from, to) ?? 0;
}
