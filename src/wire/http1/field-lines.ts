/**
 * The field lines of a message: one latin1 string and where each line's name and value stand in it. Nothing is sliced or
 * lower-cased until somebody asks.
 *
 *     GET /a HTTP/1.1\r\nHost: web\r\nAccept:  x \r\n\r\n
 *                       ^   ^  ^  ^ per field: start, end of name, start and end of value
 */
import { bit, equalsIgnoringCase, Known } from '../known-headers.ts';

const STRIDE = 4;
const FIRST_FIELDS = 32;

export class FieldLines {
  /** Bits of the known headers among them (known-headers.ts). */
  present = 0;
  /** Number of field lines. */
  count = 0;
  protected text = '';
  /** Where the first line begins and the last one ends. */
  protected start = 0;
  protected end = 0;
  /** Bits of the known headers that are left out. */
  #dropped = 0;
  #offsets = new Int32Array(FIRST_FIELDS * STRIDE);
  #known = new Uint8Array(FIRST_FIELDS);

  /** Forgets all lines and takes a new text. */
  begin(text: string): void {
    this.text = text;
    this.count = 0;
    this.present = 0;
    this.start = 0;
    this.end = 0;
    this.#dropped = 0;
  }

  /** Says where the section with all lines stands, once they have been recorded. */
  span(start: number, end: number): void {
    this.start = start;
    this.end = end;
  }

  /** `known`: the id of its name. */
  record(known: number, start: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    if (this.count === this.#known.length) this.#grow();
    const at = this.count * STRIDE;
    const offsets = this.#offsets;
    offsets[at] = start;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
    this.#known[this.count++] = known;
    this.present |= 1 << known;
  }

  /** All values of a known header, in order. */
  values(known: number): string[] {
    const found: string[] = [];
    if ((this.present & bit(known)) === 0) return found;
    for (let i = 0; i < this.count; i++) if (this.#known[i] === known) found.push(this.valueAt(i));
    return found;
  }

  /** The value of a known header that is there; null when it is there more than once. */
  only(known: number): string | null {
    const field = this.onlyField(known);
    return field < 0 ? null : this.valueAt(field);
  }

  /** The index of the only line of a known header; -1 when there is none, or more than one. */
  onlyField(known: number): number {
    let field = -1;
    for (let i = 0; i < this.count; i++) {
      if (this.#known[i] !== known) continue;
      if (field >= 0) return -1;
      field = i;
    }
    return field;
  }

  /** Where the value of a line begins in the text. */
  valueStart(field: number): number {
    return this.#offsets[field * STRIDE + 2] as number;
  }

  valueEnd(field: number): number {
    return this.#offsets[field * STRIDE + 3] as number;
  }

  /** Leaves out every known header whose bit is set. */
  drop(mask: number): void {
    this.#dropped |= mask;
  }

  /** Leaves out the headers of this lower-case name. */
  remove(name: string): void {
    for (let i = 0; i < this.count; i++) {
      if (!this.#isNamed(i, name)) continue;
      this.#known[i] = Known.removed;
      this.present |= bit(Known.removed);
    }
    this.#dropped |= bit(Known.removed);
  }

  /** Leaves out the headers of all these lower-case names. */
  removeAll(names: ReadonlySet<string>): void {
    for (let i = 0; i < this.count; i++) {
      if (!names.has(this.nameAt(i).toLowerCase())) continue;
      this.#known[i] = Known.removed;
      this.present |= bit(Known.removed);
    }
    this.#dropped |= bit(Known.removed);
  }

  /** The index of the first kept line of this lower-case name; -1 when there is none. */
  protected find(name: string): number {
    for (let i = 0; i < this.count; i++) if (this.#isNamed(i, name) && this.isKept(i)) return i;
    return -1;
  }

  /** The lines that are left, each with its CRLF: slices of the original. */
  protected keptLines(): string {
    const { text } = this;
    if ((this.present & this.#dropped) === 0) return text.slice(this.start, this.end);
    let lines = '';
    let keptFrom = -1;
    for (let i = 0; i < this.count; i++) {
      const start = this.#offsets[i * STRIDE] as number;
      if (this.isKept(i)) {
        if (keptFrom < 0) keptFrom = start;
      } else if (keptFrom >= 0) {
        lines += text.slice(keptFrom, start);
        keptFrom = -1;
      }
    }
    return keptFrom < 0 ? lines : lines + text.slice(keptFrom, this.end);
  }

  protected isKept(field: number): boolean {
    return ((this.#dropped >>> (this.#known[field] as number)) & 1) === 0;
  }

  protected nameAt(field: number): string {
    return this.text.slice(this.#offsets[field * STRIDE], this.#offsets[field * STRIDE + 1]);
  }

  protected valueAt(field: number): string {
    return this.text.slice(this.valueStart(field), this.valueEnd(field));
  }

  #isNamed(field: number, name: string): boolean {
    const start = this.#offsets[field * STRIDE] as number;
    if ((this.#offsets[field * STRIDE + 1] as number) - start !== name.length) return false;
    return equalsIgnoringCase(this.text, start, name);
  }

  #grow(): void {
    const offsets = new Int32Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const known = new Uint8Array(this.#known.length * 2);
    known.set(this.#known);
    this.#known = known;
  }
}
