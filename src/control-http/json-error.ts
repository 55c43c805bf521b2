/** Where a text ceases to be JSON (RFC 8259), and what could stand there: JSON.parse tells neither reliably. */

export interface JsonError {
  /** In characters from 0. */
  readonly offset: number;
  readonly expected: string;
}

const BLANKS = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they may not stand in a string
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Undefined: the text is JSON. */
export function jsonError(text: string): JsonError | undefined {
  return new Reader(text).read();
}

/** What may come next: a value, what follows one, or the beginning of a list or object with what may end it at once. */
type Expectation = 'value' | 'firstItem' | 'firstKey' | 'key' | 'afterValue';

class Reader {
  readonly #text: string;
  /** The brackets that would close what is open, innermost last. */
  readonly #open: (']' | '}')[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonError | undefined {
    let expectation: Expectation | JsonError = 'value';
    for (;;) {
      this.#takes(BLANKS);
      if (expectation === 'afterValue' && this.#open.length === 0) {
        return this.#at === this.#text.length ? undefined : this.#fail('the end');
      }
      expectation = this.#step(expectation);
      if (typeof expectation !== 'string') return expectation;
    }
  }

  #step(expectation: Expectation): Expectation | JsonError {
    switch (expectation) {
      case 'firstItem':
        return this.#closes() ? 'afterValue' : this.#value("a value or ']'");
      case 'value':
        return this.#value('a value');
      case 'firstKey':
        return this.#closes() ? 'afterValue' : this.#key("a name in quotes or '}'");
      case 'key':
        return this.#key('a name in quotes');
      case 'afterValue': {
        if (this.#closes()) return 'afterValue';
        const bracket = this.#open.at(-1);
        if (!this.#takesChar(',')) return this.#fail(`',' or '${bracket}'`);
        return bracket === '}' ? 'key' : 'value';
      }
    }
  }

  #value(expected: string): Expectation | JsonError {
    if (this.#takesChar('[')) {
      this.#open.push(']');
      return 'firstItem';
    }
    if (this.#takesChar('{')) {
      this.#open.push('}');
      return 'firstKey';
    }
    return this.#takes(STRING) || this.#takes(LITERAL) ? 'afterValue' : this.#fail(expected);
  }

  #key(expected: string): Expectation | JsonError {
    if (!this.#takes(STRING)) return this.#fail(expected);
    this.#takes(BLANKS);
    return this.#takesChar(':') ? 'value' : this.#fail("':'");
  }

  /** Takes the bracket that closes the innermost list or object, if it is next. */
  #closes(): boolean {
    const bracket = this.#open.at(-1);
    if (bracket === undefined || !this.#takesChar(bracket)) return false;
    this.#open.pop();
    return true;
  }

  #takesChar(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** Takes what the sticky pattern matches here; false where that is nothing. */
  #takes(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  #fail(expected: string): JsonError {
    return { offset: this.#at, expected };
  }
}
