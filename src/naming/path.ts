/** A name: a sequence of byte strings, written `/svc/web`. */
import { Scanner } from './scanner.ts';

/**
 * Segments are byte strings, held as latin1 strings (one character is one byte), never empty, compared byte by byte: a
 * path normalises nothing. Immutable; `show()` is computed once.
 */
export class Path {
  static readonly empty = new Path([]);

  readonly segments: readonly string[];
  #shown: string | undefined;

  private constructor(segments: readonly string[]) {
    this.segments = segments;
  }

  /** Throws `ParseError`. */
  static parse(text: string): Path {
    const scanner = new Scanner(text);
    scanner.skipBlanks();
    const path = scanner.path();
    scanner.skipBlanks();
    scanner.end();
    return path;
  }

  /** `segments` are bytes already: see `utf8()` for text. Throws `RangeError` for an empty segment. */
  static of(segments: readonly string[]): Path {
    if (segments.length === 0) return Path.empty;
    for (const segment of segments) {
      if (segment === '') throw new RangeError('a path has no empty segments');
    }
    return new Path(segments);
  }

  /** The segments' UTF-8 bytes; nothing in them is an escape. Throws `RangeError` for an empty segment. */
  static utf8(...segments: string[]): Path {
    return Path.of(segments.map(utf8Bytes));
  }

  get length(): number {
    return this.segments.length;
  }

  get isEmpty(): boolean {
    return this.segments.length === 0;
  }

  /** The segment at `index` from 0, undefined beyond the end. */
  at(index: number): string | undefined {
    return this.segments[index];
  }

  concat(other: Path): Path {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return new Path(this.segments.concat(other.segments));
  }

  /** Without the first `count` segments. */
  drop(count: number): Path {
    if (count <= 0) return this;
    return count >= this.length ? Path.empty : new Path(this.segments.slice(count));
  }

  /** The first `count` segments. */
  take(count: number): Path {
    if (count >= this.length) return this;
    return count <= 0 ? Path.empty : new Path(this.segments.slice(0, count));
  }

  startsWith(prefix: Path): boolean {
    return prefix.length <= this.length && prefix.segments.every((segment, i) => segment === this.segments[i]);
  }

  equals(other: Path): boolean {
    return this === other || (this.length === other.length && this.startsWith(other));
  }

  /** The text that parses to this path. */
  show(): string {
    this.#shown ??= this.isEmpty ? '/' : this.segments.map((segment) => `/${showSegment(segment)}`).join('');
    return this.#shown;
  }

  toString(): string {
    return this.show();
  }
}

/** A segment is written as it is if all its bytes are label characters; otherwise every byte of it is escaped. */
export function showSegment(segment: string): string {
  if (/^[0-9A-Za-z_:.#$%-]+$/.test(segment)) return segment;
  return segment.replace(/./gs, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Where UTF-8 and latin1 say the same. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function utf8Bytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
