/**
 * Values that change: a namer's answer, a file's content, a bound tree. A wrapper of signals-core that adds what naming
 * needs: sources that start with their first reader, values kept by key, last good values, and observers that cannot break
 * each other.
 */
export {
  type Activity,
  andThen,
  failed,
  hasValue,
  inheritPhase,
  ok,
  pending,
  sameActivity,
  toError,
  withoutValue,
} from './activity.ts';
export { Derivations } from './keyed.ts';
export { DEFAULT_LINGER_MS } from './linger.ts';
export { constant, derive, type Live, stabilize, stabilizer, type Variable, variable } from './live.ts';
export { observe, observerErrors, until } from './observe.ts';
export { type Publisher, type SourceOptions, source } from './source.ts';
export { Sources, type SourcesOptions } from './sources.ts';
export { Variables } from './variables.ts';
