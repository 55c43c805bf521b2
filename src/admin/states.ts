/** `/namer_state/<prefix>.json` and `/<router>/interpreter_state/...`: what something that watches a backend knows. */
import type { ConfiguredNamer } from '../naming/index.ts';
import { type AdminHandler, json } from './server.ts';

/** Handlers by path for all namers that tell their state; of namers with one prefix, the one that is asked first. */
export function namerStateHandlers(namers: readonly ConfiguredNamer[]): [string, AdminHandler][] {
  return namers.flatMap(({ prefix, namer }): [string, AdminHandler][] =>
    namer.state === undefined ? [] : [[`/namer_state${prefix.show()}.json`, () => json(200, namer.state?.())]],
  );
}
