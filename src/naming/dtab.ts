/**
 * Delegation tables: how prefixes of names are rewritten.
 *
 *     dtab     ::= [ dentry (';' dentry)* [';'] ]
 *     dentry   ::= prefix '=>' tree
 *     prefix   ::= '/' [ element ('/' element)* ]       element ::= label | '*'   (any one segment)
 *     tree     ::= union ('|' union)*                   alternatives, in order
 *     union    ::= weighted ('&' weighted)*             binds tighter than '|'
 *     weighted ::= [ number '*' ] simple                number: digits with at most one '.'
 *     simple   ::= '(' tree ')' | path | '!' | '~' | '$'
 *
 * Blanks and comments (`#` to the end of the line) may stand between tokens.
 */
import { hash } from 'node:crypto';
import { flatMap, leaf, type NameTree, NEG, show } from './name-tree.ts';
import { type Path, showSegment } from './path.ts';
import { ANY, type PrefixElement, PrefixIndex } from './prefix-index.ts';
import { Scanner } from './scanner.ts';

export class Prefix {
  readonly elements: readonly PrefixElement[];

  constructor(elements: readonly PrefixElement[]) {
    this.elements = elements;
  }

  /** Throws `ParseError`. */
  static parse(text: string): Prefix {
    const scanner = new Scanner(text);
    scanner.skipBlanks();
    const prefix = parsePrefix(scanner);
    scanner.skipBlanks();
    scanner.end();
    return prefix;
  }

  get length(): number {
    return this.elements.length;
  }

  show(): string {
    if (this.elements.length === 0) return '/';
    return this.elements.map((element) => `/${element === ANY ? '*' : showSegment(element)}`).join('');
  }
}

export class Dentry {
  readonly prefix: Prefix;
  readonly tree: NameTree<Path>;

  constructor(prefix: Prefix, tree: NameTree<Path>) {
    this.prefix = prefix;
    this.tree = tree;
  }

  /** Throws `ParseError`. */
  static parse(text: string): Dentry {
    const scanner = new Scanner(text);
    scanner.skipBlanks();
    const dentry = parseDentry(scanner);
    scanner.end();
    return dentry;
  }

  /** The tree with the rest of a matching path appended to every leaf. */
  apply(path: Path): NameTree<Path> {
    const rest = path.drop(this.prefix.length);
    return rest.isEmpty ? this.tree : flatMap(this.tree, (target) => leaf(target.concat(rest)));
  }

  show(): string {
    return `${this.prefix.show()}=>${show(this.tree)}`;
  }
}

/** Immutable; later entries win. What is computed from it (text, key, index) is computed once. */
export class Dtab {
  static readonly empty = new Dtab([]);

  readonly #own: readonly Dentry[];
  /**
   * The dtabs that were put together, or this one alone. A request's few entries over a large base so share the base's index
   * and text.
   */
  readonly #parts: readonly Dtab[];
  #entries: readonly Dentry[] | undefined;
  #index: PrefixIndex | undefined;
  #shown: string | undefined;
  #key: string | undefined;
  #ownKey: string | undefined;

  constructor(entries: readonly Dentry[], parts: readonly Dtab[] = []) {
    this.#own = entries;
    this.#parts = parts.length === 0 ? [this] : parts;
  }

  /** Blank text is the empty dtab. Throws `ParseError`. */
  static parse(text: string): Dtab {
    const entries = parseEntries(text).map(({ dentry }) => dentry);
    return entries.length === 0 ? Dtab.empty : new Dtab(entries);
  }

  get entries(): readonly Dentry[] {
    this.#entries ??= this.#parts.flatMap((part) => part.#own);
    return this.#entries;
  }

  get isEmpty(): boolean {
    return this.#parts.every((part) => part.#own.length === 0);
  }

  /** The entries of `other` after, and so over, those of this one. */
  concat(other: Dtab): Dtab {
    if (other.isEmpty) return this;
    return this.isEmpty ? other : new Dtab([], [...this.#parts, ...other.#parts]);
  }

  /** The entries that match, the one that counts most first. */
  matching(path: Path): Dentry[] {
    return this.#parts.toReversed().flatMap((part) => part.#matchingOwn(path));
  }

  #matchingOwn(path: Path): Dentry[] {
    this.#index ??= new PrefixIndex(this.#own.map((dentry) => dentry.prefix.elements));
    return this.#index.matching(path).map((position) => this.#own[position]!);
  }

  /** One step: the trees of all matching entries as alternatives, later entries first. */
  lookup(path: Path): NameTree<Path> {
    const trees = this.matching(path).map((dentry) => dentry.apply(path));
    if (trees.length === 0) return NEG;
    return trees.length === 1 ? trees[0]! : { type: 'alt', trees };
  }

  show(): string {
    this.#shown ??= this.entries.map((dentry) => dentry.show()).join(';');
    return this.#shown;
  }

  toString(): string {
    return this.show();
  }

  /**
   * A short text that differs between dtabs that differ, to keep bindings by: the dtab itself may be a megabyte, and would
   * be copied into the key of every name. Two dtabs that show the same may have two keys, if they were put together otherwise.
   */
  get key(): string {
    this.#key ??= this.#parts.map((part) => part.#keyOfOwn()).join('+');
    return this.#key;
  }

  #keyOfOwn(): string {
    this.#ownKey ??= hash('sha256', this.#shownOwn(), 'base64url');
    return this.#ownKey;
  }

  #shownOwn(): string {
    return this.#own.map((dentry) => dentry.show()).join(';');
  }
}

/** An entry and where it begins in the text of its dtab, in characters from 0. */
export interface PlacedDentry {
  readonly dentry: Dentry;
  readonly offset: number;
}

/** The entries of a dtab's text, for those who point into it. Throws `ParseError`. */
export function parseEntries(text: string): PlacedDentry[] {
  const scanner = new Scanner(text);
  const entries: PlacedDentry[] = [];
  scanner.skipBlanks();
  while (!scanner.atEnd) {
    const { offset } = scanner;
    entries.push({ dentry: parseDentry(scanner), offset });
    if (!scanner.accepts(';')) {
      scanner.end();
      break;
    }
    scanner.skipBlanks();
  }
  return entries;
}

/** A tree of paths alone, as in a delegation's `dst`. Throws `ParseError`. */
export function parseTree(text: string): NameTree<Path> {
  const scanner = new Scanner(text);
  const tree = scanner.tree();
  scanner.end();
  return tree;
}

function parseDentry(scanner: Scanner): Dentry {
  const prefix = parsePrefix(scanner);
  scanner.skipBlanks();
  scanner.expect('=');
  scanner.expect('>');
  return new Dentry(prefix, scanner.tree());
}

function parsePrefix(scanner: Scanner): Prefix {
  scanner.expect('/');
  const elements: PrefixElement[] = [];
  if (!scanner.sees('*') && !scanner.seesLabel) return new Prefix(elements);
  do elements.push(scanner.accepts('*') ? ANY : scanner.label());
  while (scanner.accepts('/'));
  return new Prefix(elements);
}
