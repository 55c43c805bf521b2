/**
 * Writes the protobuf wire format (protobuf.dev, "Encoding"). Every field that is written is sent, zero values included: the
 * original's codec tells a field that is absent from one that is zero, and drops what lacks one (reference/namerd.md section 6).
 */

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

const FIRST_BYTES = 1024;
/** What a large message needed is not kept for the next one. */
const MAX_SPARE_BYTES = 64 * 1024;

/**
 * What the last message was written into, for the next one; null while one is being written. Memory of each writer's own would come
 * out of Node's pool, and the few bytes of a message that stays would hold a whole piece of that.
 */
let spare: Buffer | null = null;

export class ProtoWriter {
  #bytes: Buffer;
  #length = 0;

  constructor() {
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    spare = null;
  }

  /** What has been written, in memory of its own. Nothing may be written after that. */
  finish(): Buffer {
    const written = Buffer.from(this.#bytes.subarray(0, this.#length));
    if (this.#bytes.length <= MAX_SPARE_BYTES) spare = this.#bytes;
    return written;
  }

  /** An int32, uint32, bool or enum from 0 to 2^31 - 1. */
  int(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Bytes that are held as latin1, as the segments of a path are. */
  latin1(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#length += this.#bytes.write(value, this.#length, 'latin1');
  }

  text(field: number, value: string): void {
    this.bytes(field, Buffer.from(value, 'utf8'));
  }

  /** A message within this one; empty when `write` writes nothing. */
  message(field: number, write: () => void = () => {}): void {
    this.#tag(field, LENGTH_DELIMITED);
    // One byte is kept for the length, which most messages fit; a longer one is moved.
    this.#reserve(1);
    const start = ++this.#length;
    write();
    const size = this.#length - start;
    const extra = varintSize(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  /** Entries of a `map<string, string>`, each a message with both its fields. */
  map(field: number, entries: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(entries)) {
      this.message(field, () => {
        this.text(1, key);
        this.text(2, value);
      });
    }
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) size++;
  return size;
}

/** The bytes of one message. */
export function encode(write: (writer: ProtoWriter) => void): Buffer {
  const writer = new ProtoWriter();
  write(writer);
  return writer.finish();
}
