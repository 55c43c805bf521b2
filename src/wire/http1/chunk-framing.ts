/**
 * What stands around the data of a chunked body (RFC 9112 7.1), read a byte at a time: sizes, extensions, line ends. Every
 * bare CR or LF is refused.
 *
 *     1a ; name=value CR LF  26 bytes of data  CR LF  0 CR LF  trailers
 *     \---- a line --------/                   \------ a line ----/
 */
import { CR, DELETE, HEX, LF, SEMICOLON, SPACE, TAB, type WireError } from './syntax.ts';

/** What a byte led to. */
export const Framed = {
  /** The line goes on. */
  more: 0,
  /** The data of a chunk of `size` bytes follows. */
  data: 1,
  /** It was the line of the last chunk: the trailer section follows. */
  last: 2,
  malformed: 3,
} as const;
export type Framed = (typeof Framed)[keyof typeof Framed];

const State = { size: 0, extension: 1, lineFeed: 2, dataReturn: 3, dataLineFeed: 4 } as const;

/** 13 hexadecimal digits are the most that a double holds exactly. */
const MAX_SIZE_DIGITS = 13;

const BAD_SIZE: WireError = { status: 400, message: 'the chunk size is malformed' };
const BAD_EXTENSION: WireError = { status: 400, message: 'the chunk extension is malformed or too long' };
const BAD_END: WireError = { status: 400, message: 'the chunk is not followed by CRLF' };

export class ChunkFraming {
  /** Bytes of the chunk whose line was read last. */
  size = 0;
  /** Why the last byte was malformed. */
  error: WireError = BAD_SIZE;
  readonly #maxExtensionBytes: number;
  #state: number = State.size;
  #digits = 0;
  #extensionBytes = 0;

  /** `maxExtensionBytes`: of all chunks of a body together. */
  constructor(maxExtensionBytes: number) {
    this.#maxExtensionBytes = maxExtensionBytes;
  }

  /** A body begins. */
  begin(): void {
    this.#extensionBytes = 0;
    this.#beginLine();
  }

  /** All data of a chunk has been read. */
  afterData(): void {
    this.#state = State.dataReturn;
  }

  next(byte: number): Framed {
    switch (this.#state) {
      case State.size:
        return this.#sizeByte(byte);
      case State.extension:
        if (byte === CR) this.#state = State.lineFeed;
        else if ((byte < SPACE && byte !== TAB) || byte === DELETE) return this.#malformed(BAD_EXTENSION);
        else if (++this.#extensionBytes > this.#maxExtensionBytes) return this.#malformed(BAD_EXTENSION);
        return Framed.more;
      case State.lineFeed:
        if (byte !== LF) return this.#malformed(BAD_SIZE);
        return this.size === 0 ? Framed.last : Framed.data;
      case State.dataReturn:
        if (byte !== CR) return this.#malformed(BAD_END);
        this.#state = State.dataLineFeed;
        return Framed.more;
      default:
        if (byte !== LF) return this.#malformed(BAD_END);
        this.#beginLine();
        return Framed.more;
    }
  }

  #beginLine(): void {
    this.#state = State.size;
    this.size = 0;
    this.#digits = 0;
  }

  #sizeByte(byte: number): Framed {
    const digit = HEX[byte] as number;
    if (digit !== 255) {
      this.size = this.size * 16 + digit;
      return ++this.#digits <= MAX_SIZE_DIGITS ? Framed.more : this.#malformed(BAD_SIZE);
    }
    if (this.#digits === 0) return this.#malformed(BAD_SIZE);
    if (byte === CR) this.#state = State.lineFeed;
    else if (byte === SEMICOLON) this.#state = State.extension;
    else return this.#malformed(BAD_SIZE);
    return Framed.more;
  }

  #malformed(error: WireError): Framed {
    this.error = error;
    return Framed.malformed;
  }
}
