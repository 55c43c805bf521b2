/** Bytes that come piece by piece and are kept: the part of a head or of a body that has come. */

const FIRST_BYTES = 1024;

export class ByteBuffer {
  #bytes: Buffer;
  /** Bytes that are kept. */
  length = 0;

  /** `expected` bytes will come, or less; the buffer grows as they do, since a peer can say anything. */
  constructor(expected = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(Math.min(expected, FIRST_BYTES));
  }

  /** Copies the bytes; the caller sees to the bound. */
  append(chunk: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.length, start, end);
    this.length = length;
  }

  /** What is kept, uncopied. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}
