/** Patterns over paths: the `prefix` of static configs and the `pattern` of io.l5d.rewrite. */
import { ParseError } from './parse-error.ts';
import { Path, showSegment } from './path.ts';

const CAPTURE = /\{([A-Za-z0-9.:_-]+)\}/;

/**
 * A segment of a pattern: `*` is any one segment; otherwise literals with captures between them, `{a}-{b}.x` being
 * literals ['', '-', '.x'] and names ['a', 'b'].
 */
type SegmentPattern = '*' | { readonly literals: readonly string[]; readonly names: readonly string[] };

/**
 * Matches the beginning of a path, segment by segment, in the form in which segments are shown. A segment has to match as a
 * whole and a path must be as long as the pattern; Linkerd finds a segment's pattern anywhere inside the segment (so that
 * `a{x}` takes `za1`), and throws if a path ends where the pattern has a `*`.
 *
 * A capture takes as much as it can, the first one first. No regular expression is run on a path: matching is linear in it.
 */
export class PathMatcher {
  readonly #segments: readonly SegmentPattern[];

  /** Empty pieces at either end of `pattern` mean nothing: `/` and the empty pattern match every path. */
  constructor(pattern: string) {
    const trimmed = pattern.replace(/^\/+|\/+$/g, '');
    this.#segments = trimmed === '' ? [] : trimmed.split('/').map(parseSegment);
  }

  /** The captures of the pattern, in order. */
  get names(): readonly string[] {
    return this.#segments.flatMap((segment) => (segment === '*' ? [] : segment.names));
  }

  /** A piece of the pattern's text that no segment of a path has, so that nothing matches; undefined if there is none. */
  get impossible(): string | undefined {
    return this.#segments
      .filter((segment) => segment !== '*')
      .flatMap(({ literals, names }) => (names.length === 0 ? literals : literals.filter((literal) => literal !== '')))
      .find((literal) => !isShown(literal));
  }

  /** What the captures take, by name (of two with one name, the later); undefined if the path does not match. */
  match(path: Path): ReadonlyMap<string, string> | undefined {
    if (path.length < this.#segments.length) return undefined;
    const captured = new Map<string, string>();
    for (const [i, pattern] of this.#segments.entries()) {
      if (pattern !== '*' && !matchSegment(pattern.literals, pattern.names, showSegment(path.segments[i]!), captured)) {
        return undefined;
      }
    }
    return captured;
  }

  matches(path: Path): boolean {
    return this.match(path) !== undefined;
  }

  /** Every `{name}` in `template` replaced by what was captured; unknown ones stay. Captures are in shown form. */
  static substitute(template: string, captured: ReadonlyMap<string, string>): string {
    return template.replace(/\{([^{}]+)\}/g, (whole, name: string) => captured.get(name) ?? whole);
  }
}

/** Whether this is how a segment, or a part of one, is shown. */
function isShown(text: string): boolean {
  try {
    return Path.parse(`/${text}`).show() === `/${text}` && text !== '';
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function parseSegment(text: string): SegmentPattern {
  if (text === '*') return '*';
  // A split by a pattern with one group alternates literals and captured names.
  const pieces = text.split(CAPTURE);
  return { literals: pieces.filter((_, i) => i % 2 === 0), names: pieces.filter((_, i) => i % 2 === 1) };
}

/**
 * Every literal is put as far right as those behind it allow, from the last to the first: that is what makes the first
 * capture longest, then the second, as greedy captures would.
 */
function matchSegment(
  literals: readonly string[],
  names: readonly string[],
  text: string,
  captured: Map<string, string>,
): boolean {
  const first = literals[0]!;
  if (names.length === 0) return text === first;
  const last = literals.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let end = text.length - last.length;
  const found: string[] = [];
  for (let i = names.length - 1; i > 0; i--) {
    const literal = literals[i]!;
    const at = end - literal.length < 0 ? -1 : text.lastIndexOf(literal, end - literal.length);
    if (at < first.length) return false;
    found.push(text.slice(at + literal.length, end));
    end = at;
  }
  if (end < first.length) return false;
  found.push(text.slice(first.length, end));
  for (const [i, value] of found.reverse().entries()) captured.set(names[i]!, value);
  return true;
}
