/**
 * The language of names: paths, dtabs and name trees; how a name is bound through them; and how a binding is explained.
 * Pure functions over live values: no sockets, files or DNS here.
 */
export {
  type Addr,
  type BoundId,
  type BoundName,
  ENDPOINT_WEIGHT,
  type Endpoint,
  sameAddr,
  sameBoundName,
  TREE_WEIGHT,
} from './address.ts';
export { bind } from './bind.ts';
export { BindRefused } from './bind-refused.ts';
export {
  addrJson,
  type BoundTreeJson,
  boundJson,
  boundTreeJson,
  type DelegateJson,
  explanationJson,
  toJson,
} from './delegate-json.ts';
export { toText } from './delegate-text.ts';
export { Dentry, Dtab, type PlacedDentry, Prefix, parseEntries, parseTree } from './dtab.ts';
export { enumeratedNames } from './enumerate.ts';
export { type DelegateTree, explain, mapBound } from './explain.ts';
export { type LintFinding, type LintOptions, lintDtab, showFinding } from './lint.ts';
export {
  EMPTY,
  evaluate,
  FAIL,
  flatMap,
  leaf,
  leaves,
  map,
  type NameTree,
  NEG,
  sameTree,
  show as showTree,
  simplify,
  type Weighted,
} from './name-tree.ts';
export type { ConfiguredNamer, Interpreter, InterpreterState, Namer, NamerTree, Resolver } from './namer.ts';
export { ParseError, placeOf } from './parse-error.ts';
export { Path } from './path.ts';
export { PathMatcher } from './path-matcher.ts';
export { ANY } from './prefix-index.ts';
export { readAddr, readBoundTree, readDelegation, UnexpectedJson } from './read-json.ts';
export { type BindLimits, DEFAULT_BIND_LIMITS, Scope } from './scope.ts';
export {
  type AddrTransformer,
  type Binder,
  bindingKey,
  type ReplacingTransformer,
  type Transformer,
  transformInterpreter,
} from './transform.ts';
export { utilityNamers } from './utility/index.ts';
