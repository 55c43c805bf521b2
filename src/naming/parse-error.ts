/** What a path, tree or dtab that cannot be read is answered with. */

/** Longer texts are cut around the position, so that a message stays readable and bounded. */
const CONTEXT_CHARS = 1000;

/**
 * A text that is not a path, tree or dtab. The message keeps Linkerd's form, `X expected but Y found at 'parsed[c]rest'`,
 * since users' tools show and match it; the position is beside it for those who point into a file.
 */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /** Offset into the text, in characters from 0. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly expected: string;
  readonly found: string;

  /** `found` is what the message names if it isn't what stands at `offset`. */
  constructor(text: string, offset: number, expected: string, found = charAt(text, offset)) {
    super(`${expected} expected but ${found} found at '${marked(text, offset)}'`);
    const { line, column } = placeOf(text, offset);
    this.offset = offset;
    this.line = line;
    this.column = column;
    this.expected = expected;
    this.found = found;
  }

  /** For people: `line 2, column 7: '=' expected but '/' found`. */
  get located(): string {
    return `line ${this.line}, column ${this.column}: ${this.expected} expected but ${this.found} found`;
  }
}

/** Line and column of a character, both from 1. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

function charAt(text: string, offset: number): string {
  return offset < text.length ? `'${text[offset]}'` : 'end of input';
}

function marked(text: string, offset: number): string {
  const from = Math.max(0, offset - CONTEXT_CHARS);
  const to = Math.min(text.length, offset + CONTEXT_CHARS);
  const before = (from > 0 ? '...' : '') + text.slice(from, offset);
  const rest = text.slice(offset + 1, to) + (to < text.length ? '...' : '');
  return `${before}[${text.slice(offset, offset + 1)}]${rest}`;
}
