/** `/bound-names.json`: the names that exist, as far as namers can list them. The playground completes paths from it. */

import { type ControlHandler, json } from '../control-http/index.ts';
import { hasValue, until } from '../live/index.ts';
import type { ConfiguredNamer } from '../naming/index.ts';

/** A namer that does not answer in this time is left out. */
const TIMEOUT_MS = 2000;

export function boundNamesHandler(namers: readonly ConfiguredNamer[]): ControlHandler {
  return async () => {
    const names = (await Promise.all(namers.map(namesOf))).flat();
    // The original answers so when there are none, and readers expect one text at least.
    return json(200, names.length === 0 ? [''] : names);
  };
}

async function namesOf({ prefix, namer }: ConfiguredNamer): Promise<string[]> {
  const names = namer.names?.();
  if (names === undefined) return [];
  try {
    const listed = await until(names, (now) => now.phase !== 'pending', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return hasValue(listed) ? listed.value.map((name) => `/#${prefix.concat(name).show()}`) : [];
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return [];
    throw error;
  }
}
