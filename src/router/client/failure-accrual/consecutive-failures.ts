/** io.l5d.consecutiveFailures: so many failures in a row. */
import { defineKind } from '../../../config/kind.ts';
import { required } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import type { Cell } from '../../../port/cells.ts';
import { Word } from '../endpoint-cell.ts';
import type { AccrualPolicy } from './policy.ts';

export class ConsecutiveFailures implements AccrualPolicy {
  readonly #failures: number;

  constructor(failures: number) {
    this.#failures = failures;
  }

  succeeded({ words, at }: Cell): void {
    // Read first: a word that nobody writes to stays in every core's cache.
    if (Atomics.load(words, at + Word.counted) !== 0) Atomics.store(words, at + Word.counted, 0);
  }

  failed({ words, at }: Cell): boolean {
    return Atomics.add(words, at + Word.counted, 1) + 1 >= this.#failures;
  }

  reset({ words, at }: Cell): void {
    Atomics.store(words, at + Word.counted, 0);
  }
}

export const consecutiveFailures = defineKind({
  kind: 'io.l5d.consecutiveFailures',
  thread: 'data',
  summary: 'Takes an endpoint out after so many failures in a row.',
  config: (z) => z.strictObject({ failures: required(scalars.int(z, { min: 1 }), 'Failures in a row.') }),
  create: ({ failures }, _context: undefined): AccrualPolicy => new ConsecutiveFailures(failures),
});
