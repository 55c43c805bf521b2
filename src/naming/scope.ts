/** The namers that a binding can reach, and how they are asked. */
import { type Activity, andThen, ok } from '../live/index.ts';
import type { BoundName } from './address.ts';
import { flatMap, leaf, leaves, type NameTree } from './name-tree.ts';
import type { ConfiguredNamer, Namer, NamerTree } from './namer.ts';
import { Path } from './path.ts';
import { type Binder, type Transformer, transformTree } from './transform.ts';

export interface BindLimits {
  /** Lookups within lookups; Linkerd's figure. Bounds the recursion of a dtab that goes round in circles. */
  readonly maxDepth: number;
  /**
   * Lookups for one binding; a long path counts for several, and so do a namer that is asked and every branch of a tree, since
   * all of them are made whether or not they are looked up. Depth alone does not bound the work: `/a => /a/b & /a/c` doubles it at every step.
   */
  readonly maxLookups: number;
  /** Trees within trees, all lookups on the way together. Bounds the stack: an entry may nest a hundred parentheses. */
  readonly maxNesting: number;
}

export const DEFAULT_BIND_LIMITS: BindLimits = { maxDepth: 100, maxLookups: 10_000, maxNesting: 1_000 };

/** What a lookup takes of `maxLookups`: every step copies the path, which an entry may make longer each time. */
export function lookupCost(path: Path): number {
  return 1 + Math.floor(path.length / 16);
}

/** What asking a namer takes of `maxLookups`: it makes an answer of its own, and addresses that are watched. */
export const NAMER_COST = 4;

/** What the tree of a lookup takes of `maxLookups` beside the lookups of its leaves; nothing for a single leaf. */
export function branches(tree: NameTree<unknown>): number {
  if (tree.type === 'alt') return tree.trees.reduce((sum, child) => sum + 1 + branches(child), 0);
  if (tree.type === 'union') return tree.trees.reduce((sum, child) => sum + 1 + branches(child.tree), 0);
  return 0;
}

/** A path as messages show it. */
export function shortened(path: Path): string {
  return path.length <= 20 ? path.show() : `${path.take(20).show()}/...`;
}

/** What a failure says of trees beyond `maxNesting`. */
export function tooNested(limits: BindLimits): string {
  return `More than ${limits.maxNesting} trees within trees`;
}

export interface Mounted {
  readonly at: Path;
  readonly namer: Namer;
  readonly transformers: readonly Transformer[];
}

const CONFIGURED = Path.utf8('#');
const UTILITY = Path.utf8('$');

export class Scope {
  readonly #mounted: readonly Mounted[];

  /** `namers` in the order of the config, of which the last wins; `utility` answers for what follows `/$`. */
  constructor(namers: readonly ConfiguredNamer[], utility: Namer) {
    const configured = namers.map(({ prefix, namer, transformers = [] }) => ({
      at: CONFIGURED.concat(prefix),
      namer,
      transformers,
    }));
    this.#mounted = [...configured.reverse(), { at: UTILITY, namer: utility, transformers: [] }];
  }

  /** The namers under whose mount a path lies, in the order in which they are asked. */
  mountedAt(path: Path): readonly Mounted[] {
    return this.#mounted.filter(({ at }) => path.startsWith(at));
  }

  /** The namer's tree, its bound names with whole ids and transformed. Reads live values: call it inside a derivation. */
  ask(mounted: Mounted, path: Path, bind: Binder): Activity<NamerTree> {
    const { at, namer, transformers } = mounted;
    return andThen(namer.lookup(path.drop(at.length)).value, (answer): Activity<NamerTree> => {
      const whole = flatMap(answer, (value) =>
        leaf(value instanceof Path ? value : { ...value, id: at.concat(value.id) }),
      );
      // A namer that only rewrites has nothing for a transformer to act on yet.
      return transformers.length > 0 && isBound(whole) ? transformTree(whole, transformers, bind) : ok(whole);
    });
  }
}

function isBound(tree: NamerTree): tree is NameTree<BoundName> {
  for (const value of leaves(tree)) if (value instanceof Path) return false;
  return true;
}
