/** Binding: a path is looked up, and so is every path that results, until all that is left are bound names and ends. */
import {
  type Activity,
  andThen,
  derive,
  failed,
  hasValue,
  inheritPhase,
  type Live,
  ok,
  pending,
  withoutValue,
} from '../live/index.ts';
import { type Addr, type BoundName, sameAddr, TREE_WEIGHT } from './address.ts';
import { Dtab } from './dtab.ts';
import { type Alt, leaf, map, type NameTree, NEG, simplify, type Union, type Weighted } from './name-tree.ts';
import { Path } from './path.ts';
import {
  type BindLimits,
  branches,
  DEFAULT_BIND_LIMITS,
  lookupCost,
  NAMER_COST,
  type Scope,
  shortened,
  tooNested,
} from './scope.ts';

type Bound = Activity<NameTree<BoundName>>;

/**
 * Binds `path` by `dtab` and the namers of `scope`. A pure function over live values: call it inside a derivation, and it
 * is called again when one of them changes. A tree that rests on a namer's old value is marked as that namer is.
 */
export function bind(scope: Scope, dtab: Dtab, path: Path, limits: BindLimits = DEFAULT_BIND_LIMITS): Bound {
  try {
    return andThen(new Binding(scope, limits).lookup(dtab, path, 0, 0), (tree) => ok(simplify(tree)));
  } catch (thrown) {
    if (thrown instanceof TooManyLookups) return failed(thrown);
    throw thrown;
  }
}

/** Ends the whole binding, whichever branch it was in: the next branch would only use up the same budget. */
class TooManyLookups extends Error {}

class Binding {
  readonly #scope: Scope;
  readonly #limits: BindLimits;
  #lookups = 0;

  constructor(scope: Scope, limits: BindLimits) {
    this.#scope = scope;
    this.#limits = limits;
  }

  /** The dtab first; if no entry matches, or only one that says `~`, the namers. */
  lookup(dtab: Dtab, path: Path, depth: number, nesting: number): Bound {
    const { maxDepth } = this.#limits;
    this.#take(lookupCost(path), path);
    if (depth >= maxDepth) return failed(new Error(`Max recursion level: ${maxDepth} reached in Namer lookup`));
    const tree = dtab.lookup(path);
    this.#take(branches(tree), path);
    return tree.type === 'neg'
      ? this.#askNamers(dtab, path, depth, nesting)
      : this.#bindTree(dtab, tree, depth, nesting);
  }

  /** Uses up a part of the budget. */
  #take(lookups: number, path: Path): void {
    const { maxLookups } = this.#limits;
    this.#lookups += lookups;
    if (this.#lookups > maxLookups) {
      throw new TooManyLookups(`More than ${maxLookups} lookups to bind one name, at ${shortened(path)}`);
    }
  }

  #askNamers(dtab: Dtab, path: Path, depth: number, nesting: number): Bound {
    let old: Bound | undefined;
    for (const mounted of this.#scope.mountedAt(path)) {
      this.#take(NAMER_COST, path);
      // What a transformer puts in place is bound with the namers alone.
      const replacement = (other: Path): Bound => this.lookup(Dtab.empty, other, depth + 1, nesting + 1);
      const answer = this.#scope.ask(mounted, path, replacement);
      if (!hasValue(answer)) return withoutValue(answer);
      if (answer.value.type !== 'neg') {
        const bound = andThen(answer, (tree) => this.#bindTree(dtab, tree, depth, nesting));
        return inheritPhase(bound, old);
      }
      if (answer.phase !== 'ok') old ??= { ...answer, value: NEG };
    }
    return inheritPhase(ok(NEG), old);
  }

  #bindTree(dtab: Dtab, tree: NameTree<Path | BoundName>, depth: number, nesting: number): Bound {
    if (nesting > this.#limits.maxNesting) return failed(new Error(tooNested(this.#limits)));
    switch (tree.type) {
      case 'leaf':
        return tree.value instanceof Path
          ? this.lookup(dtab, tree.value, depth + 1, nesting + 1)
          : ok(leaf(tree.value));
      case 'alt':
        return this.#bindAlt(dtab, tree, depth, nesting);
      case 'union':
        return this.#bindUnion(dtab, tree, depth, nesting);
      default:
        return ok(tree);
    }
  }

  /** The first that is not negative; one that is not known yet holds up those behind it. */
  #bindAlt(dtab: Dtab, alt: Alt<Path | BoundName>, depth: number, nesting: number): Bound {
    let old: Bound | undefined;
    for (const child of alt.trees) {
      const bound = this.#bindTree(dtab, child, depth, nesting + 1);
      if (!hasValue(bound)) return bound;
      if (simplify(bound.value).type !== 'neg') return inheritPhase(bound, old);
      if (bound.phase !== 'ok') old ??= bound;
    }
    return inheritPhase(ok(NEG), old);
  }

  /** Those that are known; the others join when they are. */
  #bindUnion(dtab: Dtab, union: Union<Path | BoundName>, depth: number, nesting: number): Bound {
    const trees: Weighted<BoundName>[] = [];
    let failure: Bound | undefined;
    let old: Bound | undefined;
    let waits = false;
    for (const { weight, tree } of union.trees) {
      const bound = this.#bindTree(dtab, tree, depth, nesting + 1);
      if (hasValue(bound)) trees.push({ weight, tree: map(bound.value, (name) => weighted(name, weight)) });
      else if (bound.phase === 'failed') failure ??= bound;
      else waits = true;
      if (hasValue(bound) && bound.phase !== 'ok') old ??= bound;
    }
    if (trees.length > 0) return inheritPhase(ok(simplify({ type: 'union', trees })), old);
    if (failure !== undefined) return failure;
    return waits ? pending() : ok(NEG);
  }
}

/** Kept so that a tree that is computed again has the same leaves; a few, since weights come from dtabs of requests too. */
const MAX_WEIGHTS_KEPT = 32;
const weightedAddrs = new WeakMap<Live<Addr>, Map<number, Live<Addr>>>();

/** The weight that a union gives a name is told in its addresses' metadata; of unions within unions, that of the innermost. */
function weighted(name: BoundName, weight: number): BoundName {
  const byWeight = weightedAddrs.get(name.addr) ?? new Map<number, Live<Addr>>();
  weightedAddrs.set(name.addr, byWeight);
  let addr = byWeight.get(weight);
  if (addr === undefined) {
    addr = derive(() => withWeight(name.addr.value, weight), sameAddr);
    if (byWeight.size >= MAX_WEIGHTS_KEPT) byWeight.delete(byWeight.keys().next().value!);
    byWeight.set(weight, addr);
  }
  return { id: name.id, residual: name.residual, addr };
}

function withWeight(addr: Addr, weight: number): Addr {
  if (addr.state !== 'bound') return addr;
  return { ...addr, meta: { [TREE_WEIGHT]: String(weight), ...addr.meta } };
}
