/**
 * Transformers rewrite what names are bound to: the addresses of every leaf, or whole leaves and trees. They are applied in
 * the order of the config, so the last one's prefix stands leftmost in an id:
 * `/%/io.l5d.port/28888/%/io.l5d.localhost/#/io.l5d.fs/web`.
 */
import { type Activity, andThen, Derivations, derive, hasValue, type Live, ok, sameActivity } from '../live/index.ts';
import { type Addr, type BoundName, sameAddr, sameBoundName } from './address.ts';
import type { Dtab } from './dtab.ts';
import { type DelegateTree, type LeafNode, mapLeaves } from './explain.ts';
import { flatMap, leaf, leaves, type NameTree, sameTree } from './name-tree.ts';
import type { Interpreter } from './namer.ts';
import type { Path } from './path.ts';

interface Common {
  /** What is put before ids, with the `/%`: `/%/io.l5d.port/4141`. */
  readonly prefix: Path;
  /** How delegation trees call it. */
  readonly name: string;
  close?(): void;
}

/** Rewrites the address set of every leaf. */
export interface AddrTransformer extends Common {
  readonly type: 'addr';
  /** Called again whenever `addr` or a live value that it reads changes. A set that ends up without endpoints is `neg`. */
  transform(addr: Addr): Addr;
}

/** Binds `path` and takes the result instead of the whole tree, or instead of every leaf (ends stay what they are). */
export interface ReplacingTransformer extends Common {
  readonly type: 'replace';
  readonly scope: 'tree' | 'leaf';
  readonly path: Path;
}

export type Transformer = AddrTransformer | ReplacingTransformer;

/** Binds a path with the process-wide namers and an empty dtab; read inside a derivation. */
export type Binder = (path: Path) => Activity<NameTree<BoundName>>;

/** The tree after all transformers. Reads live values where a transformer replaces: call it inside a derivation. */
export function transformTree(
  tree: NameTree<BoundName>,
  transformers: readonly Transformer[],
  bind: Binder,
): Activity<NameTree<BoundName>> {
  let result = ok(tree);
  for (const transformer of transformers) {
    if (!hasValue(result)) return result;
    result =
      transformer.type === 'addr'
        ? ok(flatMap(result.value, (name) => leaf(transformName(transformer, name))))
        : replace(transformer, result.value, bind);
  }
  return result;
}

function replace(
  transformer: ReplacingTransformer,
  tree: NameTree<BoundName>,
  bind: Binder,
): Activity<NameTree<BoundName>> {
  const { prefix, path, scope } = transformer;
  if (scope === 'leaf' && leaves(tree).next().done) return ok(tree);
  const bound = bind(path);
  if (!hasValue(bound)) return bound;
  // One replica set goes by the path that was configured; several need ids of their own.
  const alone = [...leaves(bound.value)].length === 1;
  const replacement = flatMap(bound.value, (name) => leaf({ ...name, id: prefix.concat(alone ? path : name.id) }));
  const value = scope === 'tree' ? replacement : flatMap(tree, () => replacement);
  return { ...bound, value };
}

const transformedAddrs = new WeakMap<AddrTransformer, WeakMap<Live<Addr>, Live<Addr>>>();

/** Equal questions give the same live address set: leaves of a tree that is computed again keep their identity. */
function transformName(transformer: AddrTransformer, name: BoundName): BoundName {
  const known = transformedAddrs.get(transformer) ?? new WeakMap<Live<Addr>, Live<Addr>>();
  transformedAddrs.set(transformer, known);
  const addr = known.get(name.addr) ?? derive(() => transformer.transform(name.addr.value), sameAddr);
  known.set(name.addr, addr);
  return { id: transformer.prefix.concat(name.id), residual: name.residual, addr };
}

/** An interpreter whose results are transformed. It can explain itself unless a transformer replaces. */
export function transformInterpreter(
  inner: Interpreter,
  transformers: readonly Transformer[],
  bind: Binder,
  lingerMs?: number,
): Interpreter {
  if (transformers.length === 0) return inner;
  const bindings = new Derivations<Activity<NameTree<BoundName>>>({
    equals: sameActivity((a, b) => sameTree(a, b, sameBoundName)),
    ...(lingerMs === undefined ? {} : { lingerMs }),
  });
  const close = (): void => {
    bindings.close();
    for (const transformer of transformers) transformer.close?.();
    inner.close();
  };
  const transformed: Interpreter = {
    bind: (dtab, path) => {
      const source = inner.bind(dtab, path);
      return bindings.get(bindingKey(dtab, path), () =>
        andThen(source.value, (tree) => transformTree(tree, transformers, bind)),
      );
    },
    state: inner.state,
    start: () => inner.start?.(),
    leave: () => inner.leave?.(),
    close,
  };
  const addrTransformers = transformers.filter((transformer) => transformer.type === 'addr');
  if (inner.delegate === undefined || addrTransformers.length < transformers.length) return transformed;
  return {
    ...transformed,
    delegate: (dtab, path) => {
      const source = inner.delegate!(dtab, path);
      return derive(() => andThen(source.value, (tree) => ok(transformDelegation(tree, addrTransformers))));
    },
  };
}

/** Every leaf becomes a transformation node: the leaf before, and the tree after. */
export function transformDelegation(tree: DelegateTree, transformers: readonly AddrTransformer[]): DelegateTree {
  return transformers.reduce(
    (transformed, transformer) =>
      mapLeaves(transformed, (node) => ({
        type: 'transformation',
        path: node.path,
        dentry: node.dentry,
        name: transformer.name,
        bound: node.bound,
        tree: transformLeaf(transformer, node),
      })),
    tree,
  );
}

/** The leaf as the transformer leaves it, shown under its new id. */
function transformLeaf(transformer: AddrTransformer, node: LeafNode): LeafNode {
  const bound = transformName(transformer, node.bound);
  return { ...node, path: bound.id, bound };
}

/** Equal dtabs and paths have equal keys. */
export function bindingKey(dtab: Dtab, path: Path): string {
  return `${dtab.key} ${path.show()}`;
}
