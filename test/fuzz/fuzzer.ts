/**
 * Reads inputs with both parsers and holds the readings against each other. An input fails when they differ and no exception
 * explains it, or when our reading depends on how the bytes are cut.
 */
import { compare } from './compare.ts';
import { type Exception, explain } from './exceptions.ts';
import { RequestReader, ResponseReader } from './llhttp.ts';
import type { Role } from './messages.ts';
import { readByOurs } from './ours.ts';
import { Random } from './random.ts';
import { type Reading, upToFinal, upToLast } from './reading.ts';

export interface Input {
  readonly role: Role;
  /** Latin1. */
  readonly bytes: string;
  /** For responses: that of the request they answer. */
  readonly method: string;
}

export interface Verdict {
  /** Why the input fails; null when it does not. */
  readonly failure: string | null;
  /** What explains the difference, where there is one. */
  readonly exception: Exception | null;
  /** What happened, so that inputs can be told apart by it. */
  readonly outcome: string;
  readonly ours: Reading;
  readonly theirs: Reading;
}

/** The outcome where both read all of it, and the same. */
export const READ = 'read alike';

const PIECEWISE_CUTS = 6;

export class Fuzzer {
  readonly #requests = new RequestReader();
  readonly #responses = new ResponseReader();

  async check({ role, bytes, method }: Input): Promise<Verdict> {
    const ours = readByOurs(role, [bytes], method);
    const theirs =
      role === 'request' ? await this.#requests.read(bytes) : upToFinal(await this.#responses.read(bytes, method));
    const outcome = ours.refused === null ? READ : ours.refused.replace(/: HTTP.*/, '');
    const verdict = { ours, theirs, exception: null, outcome };
    const cut = cutDifference({ role, bytes, method }, ours);
    if (cut !== null) return { ...verdict, failure: cut };
    const [our, their] = role === 'request' ? [upToLast(ours), upToLast(theirs)] : [ours, theirs];
    const difference = compare(our, their);
    if (difference === null) return { ...verdict, failure: null };
    const { kind, why, index } = difference;
    const exception = explain(difference, our.messages[index], bytes);
    const differs = `${kind}: ${exception?.name ?? why}`;
    const failure = exception === undefined ? differs : null;
    return { ...verdict, outcome: differs, failure, exception: exception ?? null };
  }
}

/** The bytes, once one at a time and once in a few pieces, read as they are at once. */
function cutDifference({ role, bytes, method }: Input, whole: Reading): string | null {
  const random = new Random(bytes.length);
  const places = Array.from({ length: PIECEWISE_CUTS }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  const pieces = [0, ...places].map((place, i) => bytes.slice(place, places[i] ?? bytes.length));
  const expected = JSON.stringify(whole);
  for (const cut of [[...bytes], pieces.filter((piece) => piece !== '')]) {
    if (JSON.stringify(readByOurs(role, cut, method)) !== expected)
      return 'our reading depends on how the bytes are cut';
  }
  return null;
}

/** A shorter input with the same outcome: pieces are left out, ever smaller ones, while it stays the same. */
export async function shrink(fuzzer: Fuzzer, input: Input): Promise<Input> {
  const { failure, outcome } = await fuzzer.check(input);
  let { bytes } = input;
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < bytes.length; ) {
      const shorter = bytes.slice(0, at) + bytes.slice(at + size);
      const verdict = await fuzzer.check({ ...input, bytes: shorter });
      if (verdict.failure === failure && verdict.outcome === outcome) bytes = shorter;
      else at += size;
    }
  }
  return { ...input, bytes };
}
