/** Reads the protobuf wire format. Fields that the reader does not know are passed over, as protobuf asks. */
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from './proto-writer.ts';

/** Bytes that are no message of the expected kind. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError';
}

/**
 * Messages within messages. Bounds the stack against whoever sends more; trees of dtabs and bindings nest a thousand at most
 * (naming/scope.ts), two messages a level.
 */
export const MAX_NESTING = 2_100;

/**
 * A cursor over the fields of one message:
 *
 *     while (reader.next()) {
 *       if (reader.field === 1) name = reader.text();
 *       else reader.skip();
 *     }
 */
export class ProtoReader {
  /** Number of the field that `next()` came to; its value is to be taken, or skipped. */
  field = 0;
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #nesting: number;
  #at: number;
  #wireType = VARINT;

  constructor(bytes: Buffer, start = 0, end = bytes.length, nesting = 0) {
    if (nesting > MAX_NESTING) throw new ProtoError(`more than ${MAX_NESTING} messages within messages`);
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#nesting = nesting;
  }

  /** Whether there is another field. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    if (this.field === 0) throw new ProtoError('a field without a number');
    return true;
  }

  /** An int32, uint32, bool or enum. */
  int(): number {
    this.#expect(VARINT);
    return this.#varint() | 0;
  }

  double(): number {
    this.#expect(FIXED64);
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** A copy: the message itself need not be kept. */
  bytes(): Buffer {
    const { start, end } = this.#delimited();
    return Buffer.from(this.#bytes.subarray(start, end));
  }

  /** Bytes as latin1, one character a byte. */
  latin1(): string {
    const { start, end } = this.#delimited();
    return this.#bytes.toString('latin1', start, end);
  }

  text(): string {
    const { start, end } = this.#delimited();
    return this.#bytes.toString('utf8', start, end);
  }

  message(): ProtoReader {
    const { start, end } = this.#delimited();
    return new ProtoReader(this.#bytes, start, end, this.#nesting + 1);
  }

  /** Adds one entry of a `map<string, string>`. */
  mapEntry(map: Record<string, string>): void {
    const entry = this.message();
    let key = '';
    let value = '';
    while (entry.next()) {
      if (entry.field === 1) key = entry.text();
      else if (entry.field === 2) value = entry.text();
      else entry.skip();
    }
    // Not an assignment: `__proto__` is a key like any other.
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  }

  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#varint();
        break;
      case FIXED64:
        this.#take(8);
        break;
      case LENGTH_DELIMITED:
        this.#delimited();
        break;
      case FIXED32:
        this.#take(4);
        break;
      default:
        throw new ProtoError(`field ${this.field} has the wire type ${this.#wireType}, which nobody sends any more`);
    }
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) {
      throw new ProtoError(`field ${this.field} has the wire type ${this.#wireType} instead of ${wireType}`);
    }
  }

  #delimited(): { start: number; end: number } {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#varint();
    const start = this.#take(length);
    return { start, end: start + length };
  }

  #take(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new ProtoError('the message ends within a field');
    this.#at += count;
    return start;
  }

  /** The low 32 bits: of a negative int32, which takes ten bytes, the rest is its sign. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++] as number;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtoError('a number without an end');
  }
}
