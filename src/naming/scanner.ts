/**
 * Reads paths, prefixes and trees from text, in one pass without backtracking. The grammar is that of Linkerd's dtabs: see
 * `dtab.ts` for the whole of it.
 */
import { DEFAULT_WEIGHT, EMPTY, FAIL, leaf, type NameTree, NEG, type Weighted } from './name-tree.ts';
import { ParseError } from './parse-error.ts';
import { Path } from './path.ts';

/** Parentheses within parentheses; a bound on the parser's and everybody's recursion over trees. */
export const MAX_TREE_DEPTH = 100;

const LABEL = classOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:.#$%-');
const HEX = classOf('0123456789abcdefABCDEF');
const DIGIT = classOf('0123456789');
const BLANK = classOf(' \t\n\r\f\v\u001c\u001d\u001e\u001f');
/** What Java calls white space beyond ASCII: it comes with text that was pasted. */
const WIDE_BLANK = /[\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]/;

export class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** In characters from 0. */
  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Whether the next character is this one. */
  sees(char: string): boolean {
    return this.#text[this.#at] === char;
  }

  /** Takes the next character if it is this one. */
  accepts(char: string): boolean {
    if (!this.sees(char)) return false;
    this.#at++;
    return true;
  }

  expect(char: string): void {
    if (!this.accepts(char)) this.fail(`'${char}'`);
  }

  end(): void {
    if (!this.atEnd) this.fail('end of input');
  }

  fail(expected: string, found?: string): never {
    throw new ParseError(this.#text, this.#at, expected, found);
  }

  /** White space, and comments from `#` to the end of the line. Between tokens only: `/foo#bar` is a label. */
  skipBlanks(): void {
    for (;;) {
      if (this.#is(BLANK) || WIDE_BLANK.test(this.#text[this.#at] ?? '')) {
        this.#at++;
      } else if (this.sees('#')) {
        const newline = this.#text.indexOf('\n', this.#at);
        this.#at = newline < 0 ? this.#text.length : newline + 1;
      } else {
        return;
      }
    }
  }

  path(): Path {
    this.expect('/');
    if (!this.seesLabel) return Path.empty;
    const segments: string[] = [];
    do segments.push(this.label());
    while (this.accepts('/'));
    // A copy has no room to spare, and paths are kept for as long as their names are.
    return Path.of(segments.slice());
  }

  /** One segment, its escapes resolved to bytes. */
  label(): string {
    let label = '';
    do {
      if (this.accepts('\\')) {
        this.expect('x');
        label += String.fromCharCode(this.#hexDigit() * 16 + this.#hexDigit());
      } else if (this.#is(LABEL)) {
        const from = this.#at;
        while (this.#is(LABEL)) this.#at++;
        label += this.#text.slice(from, this.#at);
      } else {
        this.fail('label char');
      }
    } while (this.seesLabel);
    return label;
  }

  /** tree ::= union ('|' union)* ; leaves blanks behind it read. */
  tree(): NameTree<Path> {
    const trees: NameTree<Path>[] = [];
    do {
      this.skipBlanks();
      trees.push(this.#union());
      this.skipBlanks();
    } while (this.accepts('|'));
    return trees.length === 1 ? trees[0]! : { type: 'alt', trees };
  }

  /** union ::= weighted ('&' weighted)* ; the weight of one alone says nothing and is dropped. */
  #union(): NameTree<Path> {
    const trees: Weighted<Path>[] = [];
    do {
      this.skipBlanks();
      trees.push(this.#weighted());
      this.skipBlanks();
    } while (this.accepts('&'));
    return trees.length === 1 ? trees[0]!.tree : { type: 'union', trees };
  }

  #weighted(): Weighted<Path> {
    if (!this.#is(DIGIT) && !this.sees('.')) return { weight: DEFAULT_WEIGHT, tree: this.#simple() };
    const weight = this.#number();
    this.skipBlanks();
    this.expect('*');
    this.skipBlanks();
    return { weight, tree: this.#simple() };
  }

  #number(): number {
    const from = this.#at;
    while (this.#is(DIGIT)) this.#at++;
    if (this.accepts('.')) {
      while (this.#is(DIGIT)) this.#at++;
      if (this.sees('.')) this.fail('number char');
      // The dot is behind the marked place, where the original sees it too.
      if (this.#at === from + 1) this.fail('weight', "'.'");
    }
    const value = Number(this.#text.slice(from, this.#at));
    if (!Number.isFinite(value)) this.fail('a weight below 1.8e308');
    return value;
  }

  #simple(): NameTree<Path> {
    if (this.accepts('(')) return this.#parenthesised();
    if (this.sees('/')) return leaf(this.path());
    if (this.accepts('!')) return FAIL;
    if (this.accepts('~')) return NEG;
    if (this.accepts('$')) return EMPTY;
    return this.fail('simple');
  }

  #parenthesised(): NameTree<Path> {
    if (++this.#depth > MAX_TREE_DEPTH) this.fail(`at most ${MAX_TREE_DEPTH} nested parentheses`);
    const tree = this.tree();
    this.expect(')');
    this.#depth--;
    return tree;
  }

  get seesLabel(): boolean {
    return this.#is(LABEL) || this.sees('\\');
  }

  #hexDigit(): number {
    if (!this.#is(HEX)) this.fail('hex char');
    return Number.parseInt(this.#text[this.#at++]!, 16);
  }

  #is(charClass: readonly boolean[]): boolean {
    return charClass[this.#text.charCodeAt(this.#at)] === true;
  }
}

function classOf(chars: string): readonly boolean[] {
  const table = new Array<boolean>(128).fill(false);
  for (const char of chars) table[char.charCodeAt(0)] = true;
  return table;
}
