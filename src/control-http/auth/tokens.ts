/** A file of bearer tokens: a line `NAME TOKEN` for each, `#` begins a comment. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Shorter ones could be guessed; `openssl rand -hex 32` prints a good one. */
const MIN_CHARS = 16;
/** RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

export interface TokenFile {
  readonly tokens: Tokens;
  /** What is wrong with lines that were left out; the tokens themselves are not told. */
  readonly problems: readonly string[];
}

export function parseTokens(text: string): TokenFile {
  const problems: string[] = [];
  const entries: [string, string][] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const [name = '', token, ...rest] = content.split(/\s+/);
    const problem = problemOf(token, rest);
    if (problem === undefined) entries.push([name, token as string]);
    else problems.push(`line ${index + 1}: ${problem}`);
  }
  return { tokens: new Tokens(entries), problems };
}

function problemOf(token: string | undefined, rest: readonly string[]): string | undefined {
  if (token === undefined || rest.length > 0) return 'write NAME TOKEN';
  if (token.length < MIN_CHARS)
    return `the token is shorter than ${MIN_CHARS} characters; make one with openssl rand -hex 32`;
  return TOKEN.test(token) ? undefined : 'a token has letters, digits and . _ ~ + / - only';
}

export class Tokens {
  readonly #digests: readonly (readonly [name: string, digest: Buffer])[];

  constructor(entries: readonly (readonly [name: string, token: string])[]) {
    this.#digests = entries.map(([name, token]) => [name, digest(token)]);
  }

  get size(): number {
    return this.#digests.length;
  }

  /** Whose token has this digest. The time it takes tells neither how much of a token was right nor whose. */
  nameOf(given: Buffer): string | undefined {
    let found: string | undefined;
    for (const [name, known] of this.#digests) {
      if (timingSafeEqual(given, known)) found = name;
    }
    return found;
  }
}

/** Digests are of one length, as a comparison in constant time needs. */
export function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
