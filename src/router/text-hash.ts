/** A hash of texts that come from outside: nobody who does not know the thread's seed can choose texts that all have one hash. */
import { randomInt } from 'node:crypto';

const SEED = randomInt(2 ** 31);

/** 32 bits, never 0. Each step takes in a character and spreads it over the word, so that the low bits depend on all of them. */
export function hashOf(text: string): number {
  let hash = SEED;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash === 0 ? 1 : hash;
}
