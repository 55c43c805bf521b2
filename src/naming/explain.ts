/**
 * How a path is bound, step by step: every entry that matches, what each leads to, and where it ends. The one explanation
 * behind delegator.json, namerctl and `signpost explain`.
 */
import { type Activity, hasValue, ok, pending } from '../live/index.ts';
import type { BoundName } from './address.ts';
import { bind } from './bind.ts';
import { type Dentry, Dtab } from './dtab.ts';
import type { NameTree } from './name-tree.ts';
import { Path } from './path.ts';
import {
  type BindLimits,
  branches,
  DEFAULT_BIND_LIMITS,
  lookupCost,
  NAMER_COST,
  type Scope,
  tooNested,
} from './scope.ts';

interface Node {
  /** The path that this node stands for; empty for a `~` within a tree, which has none of its own. */
  readonly path: Path;
  /** The entry that led here; absent at the root. */
  readonly dentry?: Dentry | undefined;
}

export type LeafNode<Bound = BoundName> = Node & { readonly type: 'leaf'; readonly bound: Bound };

/** `Bound` is what leaves hold: a bound name, or as much of one as travels between processes. */
export type DelegateTree<Bound = BoundName> =
  | (Node & { readonly type: 'neg' | 'fail' | 'empty' })
  | (Node & { readonly type: 'exception'; readonly message: string })
  /** Rewritten by one entry. */
  | (Node & { readonly type: 'delegate'; readonly tree: DelegateTree<Bound> })
  | LeafNode<Bound>
  | (Node & { readonly type: 'alt'; readonly trees: readonly DelegateTree<Bound>[] })
  | (Node & { readonly type: 'union'; readonly trees: readonly WeightedDelegate<Bound>[] })
  /** `bound` is the leaf before the transformer called `name`, `tree` what it became. */
  | (Node & {
      readonly type: 'transformation';
      readonly name: string;
      readonly bound: Bound;
      readonly tree: DelegateTree<Bound>;
    });

export interface WeightedDelegate<Bound = BoundName> {
  readonly weight: number;
  readonly tree: DelegateTree<Bound>;
}

/**
 * Explains the binding of `path`. Reads live values: call it inside a derivation. Pending while a namer that it needs is;
 * what fails, and what goes round in circles, ends in an exception node.
 */
export function explain(
  scope: Scope,
  dtab: Dtab,
  path: Path,
  limits: BindLimits = DEFAULT_BIND_LIMITS,
): Activity<DelegateTree> {
  const explanation = new Explanation(scope, dtab, limits);
  const tree = explanation.ofPath(path, undefined, path, 0, 0);
  return explanation.waits ? pending() : ok(tree);
}

class Explanation {
  readonly #scope: Scope;
  readonly #dtab: Dtab;
  readonly #limits: BindLimits;
  #lookups = 0;
  /** A namer has not answered yet. */
  waits = false;

  constructor(scope: Scope, dtab: Dtab, limits: BindLimits) {
    this.#scope = scope;
    this.#dtab = dtab;
    this.#limits = limits;
  }

  /** `from` is the path whose rewriting gave this one. */
  ofPath(path: Path, dentry: Dentry | undefined, from: Path, depth: number, nesting: number): DelegateTree {
    const { maxDepth, maxLookups } = this.#limits;
    this.#lookups += lookupCost(path);
    if (this.#lookups > maxLookups) {
      return { type: 'exception', path: from, dentry, message: `More than ${maxLookups} lookups.` };
    }
    if (depth >= maxDepth) return { type: 'exception', path: from, dentry, message: 'Max recursion level reached.' };
    const matching = this.#dtab.matching(path);
    for (const { tree } of matching) this.#lookups += branches(tree);
    if (matching.length === 0) return this.#byNamers(path, dentry, depth, nesting);
    if (matching.length === 1) return this.#byOne(matching[0]!, path, dentry, depth, nesting);
    const trees = matching.map((entry) => {
      return this.#ofTree(entry.apply(path), { path, own: entry, below: entry, depth, nesting });
    });
    return alternatives(path, dentry, trees);
  }

  /** An entry that gives a choice is shown as the choice; one that gives a path or an end, as a step of its own. */
  #byOne(entry: Dentry, path: Path, dentry: Dentry | undefined, depth: number, nesting: number): DelegateTree {
    const tree = entry.apply(path);
    const at = { path, own: entry, below: entry, depth, nesting };
    if (tree.type === 'alt' || tree.type === 'union') return this.#ofTree(tree, { ...at, own: dentry });
    return { type: 'delegate', path, dentry, tree: this.#ofTree(tree, at) };
  }

  #byNamers(path: Path, dentry: Dentry | undefined, depth: number, nesting: number): DelegateTree {
    for (const mounted of this.#scope.mountedAt(path)) {
      this.#lookups += NAMER_COST;
      const answer = this.#scope.ask(mounted, path, (other) => bind(this.#scope, Dtab.empty, other, this.#limits));
      if (!hasValue(answer)) {
        if (answer.phase === 'failed') return { type: 'exception', path, dentry, message: answer.error.message };
        this.waits = true;
        return { type: 'neg', path, dentry };
      }
      if (answer.value.type !== 'neg') {
        return this.#ofTree(answer.value, { path, own: dentry, below: dentry, depth, nesting });
      }
    }
    return { type: 'neg', path, dentry };
  }

  #ofTree(tree: NameTree<Path | BoundName>, at: Position): DelegateTree {
    const { path, own: dentry, below } = at;
    if (at.nesting > this.#limits.maxNesting) {
      return { type: 'exception', path, dentry, message: tooNested(this.#limits) };
    }
    const child = (inner: NameTree<Path | BoundName>): DelegateTree =>
      this.#ofTree(inner, { ...at, own: below, nesting: at.nesting + 1 });
    switch (tree.type) {
      case 'leaf':
        if (tree.value instanceof Path) return this.ofPath(tree.value, below, path, at.depth + 1, at.nesting + 1);
        return { type: 'leaf', path, dentry: below, bound: tree.value };
      case 'alt':
        return alternatives(path, dentry, tree.trees.map(child));
      case 'union':
        return {
          type: 'union',
          path,
          dentry,
          trees: tree.trees.map(({ weight, tree: inner }) => ({ weight, tree: child(inner) })),
        };
      case 'neg':
        return { type: 'neg', path: Path.empty, dentry };
      default:
        return { type: tree.type, path, dentry };
    }
  }
}

/** Where in the explanation a name tree stands. */
interface Position {
  /** The path that was looked up. */
  readonly path: Path;
  /** The entry that this node is shown with. */
  readonly own: Dentry | undefined;
  /** The entry that its children come from. */
  readonly below: Dentry | undefined;
  readonly depth: number;
  readonly nesting: number;
}

/** Alternatives of alternatives for one path are shown as one list: that is the order in which they are tried. */
function alternatives(path: Path, dentry: Dentry | undefined, trees: readonly DelegateTree[]): DelegateTree {
  const flat = trees.flatMap((tree) => (tree.type === 'alt' && tree.path.equals(path) ? tree.trees : [tree]));
  return { type: 'alt', path, dentry, trees: flat };
}

/** The same tree with every leaf node replaced. */
export function mapLeaves(tree: DelegateTree, change: (node: LeafNode) => DelegateTree): DelegateTree {
  switch (tree.type) {
    case 'leaf':
      return change(tree);
    case 'delegate':
    case 'transformation':
      return { ...tree, tree: mapLeaves(tree.tree, change) };
    case 'alt':
      return { ...tree, trees: tree.trees.map((child) => mapLeaves(child, change)) };
    case 'union':
      return {
        ...tree,
        trees: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: mapLeaves(child, change) })),
      };
    default:
      return tree;
  }
}

/** The same tree with other bound names, those before a transformer included. */
export function mapBound<A, B>(tree: DelegateTree<A>, change: (bound: A) => B): DelegateTree<B> {
  switch (tree.type) {
    case 'leaf':
      return { ...tree, bound: change(tree.bound) };
    case 'delegate':
      return { ...tree, tree: mapBound(tree.tree, change) };
    case 'transformation':
      return { ...tree, bound: change(tree.bound), tree: mapBound(tree.tree, change) };
    case 'alt':
      return { ...tree, trees: tree.trees.map((child) => mapBound(child, change)) };
    case 'union':
      return {
        ...tree,
        trees: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: mapBound(child, change) })),
      };
    default:
      return tree;
  }
}

const FAIL = Path.utf8('$', 'fail');

/** An end is shown as the sign that names it, unless a path leads to it: for a failure that is `/$/fail`. */
export function shownPath({ type, path }: DelegateTree): string {
  if (type === 'neg' && path.isEmpty) return '~';
  if (type === 'fail' && !path.startsWith(FAIL)) return '!';
  return path.show();
}
