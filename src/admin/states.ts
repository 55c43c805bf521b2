/** `/namer_state/<prefix>.json` and `/<router>/interpreter_state/...`: what something that watches a backend knows. */

import { type ControlHandler, json } from '../control-http/index.ts';
import type { ConfiguredNamer, Interpreter } from '../naming/index.ts';

/** Handlers by path for all namers that tell their state; of namers with one prefix, the one that is asked first. */
export function namerStateHandlers(namers: readonly ConfiguredNamer[]): [string, ControlHandler][] {
  return namers.flatMap(({ prefix, namer }): [string, ControlHandler][] =>
    namer.state === undefined ? [] : [[`/namer_state${prefix.show()}.json`, () => json(200, namer.state?.())]],
  );
}

/** Handlers by path for the interpreters of all routers that tell their state. */
export function interpreterStateHandlers(interpreters: ReadonlyMap<string, Interpreter>): [string, ControlHandler][] {
  return [...interpreters].flatMap(([router, { state }]): [string, ControlHandler][] =>
    state === undefined ? [] : [[`/${router}/interpreter_state/${state.name}.json`, () => json(200, state.read())]],
  );
}
