/** A delegation of a whole tree: Linkerd asks for that of a path, but may send any tree of paths. */
import { type Activity, constant, derive, hasValue, type Live, ok, withoutValue } from '../../../src/live/index.ts';
import { type DelegateTree, type Dtab, leaves, type NameTree, Path, showTree } from '../../../src/naming/index.ts';
import type { Namespaces } from '../../namespaces.ts';

export function treeKey(tree: NameTree<Path>): string {
  return showTree(tree);
}

export function delegationOf(
  namespaces: Namespaces,
  namespace: string,
  dtab: Dtab,
  tree: NameTree<Path>,
): Live<Activity<DelegateTree>> {
  if (tree.type === 'leaf') return namespaces.delegate(namespace, dtab, tree.value);
  const paths = [...leaves(tree)];
  if (paths.length === 0) return constant(ok(put(tree, () => NO_NODE)));
  const explained = new Map(paths.map((path) => [path, namespaces.delegate(namespace, dtab, path)]));
  return derive((): Activity<DelegateTree> => {
    const known = new Map<Path, DelegateTree>();
    for (const [path, live] of explained) {
      const now = live.value;
      if (!hasValue(now)) return withoutValue(now);
      known.set(path, now.value);
    }
    return ok(put(tree, (path) => known.get(path) ?? NO_NODE));
  });
}

const NO_NODE: DelegateTree = { type: 'neg', path: Path.empty };

/** The tree with the explanation of each leaf in its place. */
function put(tree: NameTree<Path>, explanationOf: (path: Path) => DelegateTree): DelegateTree {
  const path = Path.empty;
  switch (tree.type) {
    case 'leaf':
      return explanationOf(tree.value);
    case 'alt':
      return { type: 'alt', path, trees: tree.trees.map((child) => put(child, explanationOf)) };
    case 'union':
      return {
        type: 'union',
        path,
        trees: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: put(child, explanationOf) })),
      };
    default:
      return { type: tree.type, path };
  }
}
