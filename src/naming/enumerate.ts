/** The names that exist, as far as namers can list them: for pages, completion and namerd's bound-names. */
import { hasValue } from '../live/index.ts';
import type { ConfiguredNamer } from './namer.ts';

export interface EnumeratedNames {
  /** In their shown form, in the order of the namers. */
  readonly names: readonly string[];
  /** Every namer that can list its names has answered, be it with a failure. */
  readonly isComplete: boolean;
}

/** Reads live values: call it inside a derivation. */
export function enumeratedNames(namers: readonly ConfiguredNamer[]): EnumeratedNames {
  const names: string[] = [];
  let isComplete = true;
  for (const { prefix, namer } of namers) {
    const listed = namer.names?.().value;
    if (listed === undefined) continue;
    if (hasValue(listed)) for (const name of listed.value) names.push(`/#${prefix.concat(name).show()}`);
    if (listed.phase === 'pending') isComplete = false;
  }
  return { names, isComplete };
}
