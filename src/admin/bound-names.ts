/** `/bound-names.json`: the names that exist, as far as namers can list them. The playground completes paths from it. */
import { type ControlHandler, json } from '../control-http/index.ts';
import { derive, until } from '../live/index.ts';
import { type ConfiguredNamer, enumeratedNames } from '../naming/index.ts';

/** Names of namers that do not answer in this time are left out. */
const TIMEOUT_MS = 2000;

export function boundNamesHandler(namers: readonly ConfiguredNamer[]): ControlHandler {
  return async () => json(200, shownNames(await listedNames(namers)));
}

/** The original answers so when there are none, and readers expect one text at least. */
export function shownNames(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [''] : names;
}

/** Those that come in time. */
export async function listedNames(namers: readonly ConfiguredNamer[]): Promise<readonly string[]> {
  const listing = derive(() => enumeratedNames(namers));
  let known: readonly string[] = [];
  try {
    await until(
      listing,
      ({ names, isComplete }) => {
        known = names;
        return isComplete;
      },
      { signal: AbortSignal.timeout(TIMEOUT_MS) },
    );
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error;
  }
  return known;
}
