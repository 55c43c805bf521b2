/**
 * The language of names: paths, dtabs and name trees; how a name is bound through them; and how a binding is explained.
 * Pure functions over live values: no sockets, files or DNS here.
 */
export { type Addr, type BoundName, type Endpoint, sameAddr, sameBoundName, TREE_WEIGHT } from './address.ts';
export { bind } from './bind.ts';
export { BindRefused } from './bind-refused.ts';
export { addrJson, boundJson, type DelegateJson, explanationJson, toJson } from './delegate-json.ts';
export { toText } from './delegate-text.ts';
export { Dentry, Dtab, Prefix, parseTree } from './dtab.ts';
export { type DelegateTree, explain } from './explain.ts';
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
export type { ConfiguredNamer, Interpreter, Namer, NamerTree, Resolver } from './namer.ts';
export { ParseError } from './parse-error.ts';
export { Path } from './path.ts';
export { PathMatcher } from './path-matcher.ts';
export { ANY } from './prefix-index.ts';
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
