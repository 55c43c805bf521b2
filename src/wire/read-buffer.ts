/**
 * What a client socket reads into: a small buffer of its own while it is quiet, large pooled ones while a long body flows,
 * so that a thousand pooled connections cost 8 MiB and not 64. Bytes are lent: while somebody still writes them on, their
 * buffer is left alone and the next one taken.
 */
const SMALL_READ_BYTES = 8 * 1024;
const LARGE_READ_BYTES = 64 * 1024;
const POOLED = 64;

const pool: Buffer[] = [];

function takeLarge(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(LARGE_READ_BYTES);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === LARGE_READ_BYTES && pool.length < POOLED) pool.push(buffer);
}

export class ReadBuffer {
  /** For the next read; exchanged only inside a read, when the socket isn't using it. */
  current: Buffer = Buffer.allocUnsafeSlow(SMALL_READ_BYTES);
  #small = this.current;
  #lent: Buffer | null = null;

  get isLent(): boolean {
    return this.#lent !== null;
  }

  /** The bytes that were just read are still being written to the other side. */
  lend(): void {
    if (this.#lent !== null) return;
    this.#lent = this.current;
    this.current = takeLarge();
  }

  /** They have left. */
  takeBack(): void {
    if (this.#lent === null) return;
    giveBack(this.#lent);
    this.#lent = null;
  }

  /** Whoever writes them needs the buffer for longer than the connection waits: it is theirs. */
  giveAway(): void {
    if (this.#lent === this.#small) this.#small = Buffer.allocUnsafeSlow(SMALL_READ_BYTES);
    this.#lent = null;
  }

  /** After a read: a large buffer while a body fills what it is given, the small one when no message is under way. */
  fit(isBusy: boolean, filled: boolean): void {
    if (this.#lent !== null) return;
    if (isBusy && filled) {
      if (this.current === this.#small) this.current = takeLarge();
    } else if (!isBusy && this.current !== this.#small) {
      giveBack(this.current);
      this.current = this.#small;
    }
  }
}
