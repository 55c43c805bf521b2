/** Character classes of RFC 9110 5.6 and RFC 9112, as tables over bytes. */

function table(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}

/** tchar: what names of methods and fields are made of. */
export const TOKEN: Uint8Array = table((byte) => /[A-Za-z0-9!#$%&'*+.^_`|~-]/.test(String.fromCharCode(byte)));

/** What field values are made of: everything but control characters, and HTAB. */
export const FIELD_VALUE: Uint8Array = table((byte) => byte === 9 || (byte >= 32 && byte !== 127));

/** What request targets are made of: every visible character of ASCII. */
export const TARGET: Uint8Array = table((byte) => byte > 32 && byte < 127);

/** Hexadecimal digits by value, 255 for everything else. */
export const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(byte)) ? Number.parseInt(String.fromCharCode(byte), 16) : 255,
);

export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;
export const ZERO = 48;
export const DELETE = 127;

/** Limits on a message's head; a parser holds no more than this of a peer's bytes. */
export interface HeadLimits {
  /** Bytes of the request line or status line without its CRLF. */
  readonly startLineBytes: number;
  /** Bytes of all header lines. */
  readonly headerBytes: number;
  /** Number of header lines. */
  readonly fields: number;
}

/** What is wrong with a peer's bytes; `status` is what a server answers. */
export interface WireError {
  readonly status: 400 | 408 | 414 | 417 | 431 | 501 | 505;
  readonly message: string;
}
