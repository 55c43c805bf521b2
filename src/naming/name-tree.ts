/** The tree that a name resolves to: alternatives in order, weighted unions, leaves and the three ends. */
import type { Path } from './path.ts';

export interface Leaf<T> {
  readonly type: 'leaf';
  readonly value: T;
}
/** The first alternative that is not negative. */
export interface Alt<T> {
  readonly type: 'alt';
  readonly trees: readonly NameTree<T>[];
}
/** A random one for each request, by weight. */
export interface Union<T> {
  readonly type: 'union';
  readonly trees: readonly Weighted<T>[];
}
export interface Weighted<T> {
  readonly weight: number;
  readonly tree: NameTree<T>;
}
/** `~`: not bound; the next alternative is tried. */
export interface Neg {
  readonly type: 'neg';
}
/** `$`: bound, to no endpoints. */
export interface Empty {
  readonly type: 'empty';
}
/** `!`: the name fails, and no alternative is tried. */
export interface Fail {
  readonly type: 'fail';
}
export type NameTree<T> = Leaf<T> | Alt<T> | Union<T> | Neg | Empty | Fail;

export const NEG: Neg = { type: 'neg' };
export const EMPTY: Empty = { type: 'empty' };
export const FAIL: Fail = { type: 'fail' };
export const DEFAULT_WEIGHT = 1;

export function leaf<T>(value: T): Leaf<T> {
  return { type: 'leaf', value };
}

/** The same tree with every leaf's value replaced. */
export function map<T, U>(tree: NameTree<T>, change: (value: T) => U): NameTree<U> {
  return flatMap(tree, (value) => leaf(change(value)));
}

/** The same tree with every leaf replaced by a tree. */
export function flatMap<T, U>(tree: NameTree<T>, change: (value: T) => NameTree<U>): NameTree<U> {
  switch (tree.type) {
    case 'leaf':
      return change(tree.value);
    case 'alt':
      return { type: 'alt', trees: tree.trees.map((child) => flatMap(child, change)) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map((child) => ({ weight: child.weight, tree: flatMap(child.tree, change) })),
      };
    default:
      return tree;
  }
}

/**
 * The same meaning with less: alternatives that cannot be reached and branches of unions that cannot be chosen are gone, and
 * a single child takes the place of its parent (a union's weight with it).
 */
export function simplify<T>(tree: NameTree<T>): NameTree<T> {
  if (tree.type === 'alt') return simplifyAlt(tree);
  if (tree.type === 'union') return simplifyUnion(tree);
  return tree;
}

function simplifyAlt<T>(alt: Alt<T>): NameTree<T> {
  const trees: NameTree<T>[] = [];
  for (const child of alt.trees) {
    const tree = simplify(child);
    if (tree.type === 'neg') continue;
    trees.push(tree);
    if (tree.type === 'fail') break;
  }
  if (trees.length === 0) return NEG;
  return trees.length === 1 ? trees[0]! : { type: 'alt', trees };
}

function simplifyUnion<T>(union: Union<T>): NameTree<T> {
  const trees: Weighted<T>[] = [];
  for (const { weight, tree: child } of union.trees) {
    const tree = simplify(child);
    if (tree.type !== 'neg' && tree.type !== 'fail') trees.push({ weight, tree });
  }
  if (trees.length === 0) return NEG;
  return trees.length === 1 ? trees[0]!.tree : { type: 'union', trees };
}

/** The leaves that requests can reach now, each once: undefined if the tree is negative or fails, empty for `$`. */
export function evaluate<T>(tree: NameTree<T>): ReadonlySet<T> | undefined {
  const result = evaluated(tree);
  return result === 'neg' || result === 'fail' ? undefined : result;
}

function evaluated<T>(tree: NameTree<T>): ReadonlySet<T> | 'neg' | 'fail' {
  switch (tree.type) {
    case 'leaf':
      return new Set([tree.value]);
    case 'empty':
      return new Set();
    case 'neg':
    case 'fail':
      return tree.type;
    case 'alt':
      for (const child of tree.trees) {
        const result = evaluated(child);
        if (result !== 'neg') return result;
      }
      return 'neg';
    case 'union': {
      const reached = tree.trees.map((child) => evaluated(child.tree)).filter((result) => typeof result !== 'string');
      return reached.length === 0 ? 'neg' : reached.reduce((all, some) => all.union(some));
    }
  }
}

/** All leaves, reached or not, in order. */
export function* leaves<T>(tree: NameTree<T>): Generator<T> {
  if (tree.type === 'leaf') yield tree.value;
  else if (tree.type === 'alt') for (const child of tree.trees) yield* leaves(child);
  else if (tree.type === 'union') for (const child of tree.trees) yield* leaves(child.tree);
}

/** The same structure, weights and leaves. */
export function sameTree<T>(a: NameTree<T>, b: NameTree<T>, sameLeaf: (a: T, b: T) => boolean): boolean {
  if (a === b) return true;
  if (a.type === 'leaf' && b.type === 'leaf') return sameLeaf(a.value, b.value);
  if (a.type === 'alt' && b.type === 'alt') {
    return a.trees.length === b.trees.length && a.trees.every((child, i) => sameTree(child, b.trees[i]!, sameLeaf));
  }
  if (a.type === 'union' && b.type === 'union') {
    return (
      a.trees.length === b.trees.length &&
      a.trees.every(({ weight, tree }, i) => {
        const other = b.trees[i]!;
        return weight === other.weight && sameTree(tree, other.tree, sameLeaf);
      })
    );
  }
  return a.type === b.type;
}

/** The text that parses to this tree of paths. */
export function show(tree: NameTree<Path>): string {
  switch (tree.type) {
    case 'alt':
      // An alternative of one or none, which parsing never gives, shows as what it means.
      if (tree.trees.length === 0) return '~';
      return tree.trees.map((child) => (child.type === 'alt' ? parenthesised(child) : show(child))).join(' | ');
    case 'union':
      if (tree.trees.length === 0) return '~';
      return tree.trees.map(({ weight, tree: child }) => showWeight(weight) + showSimple(child)).join(' & ');
    default:
      return showSimple(tree);
  }
}

function showSimple(tree: NameTree<Path>): string {
  switch (tree.type) {
    case 'leaf':
      return tree.value.show();
    case 'neg':
      return '~';
    case 'empty':
      return '$';
    case 'fail':
      return '!';
    default:
      return parenthesised(tree);
  }
}

function parenthesised(tree: NameTree<Path>): string {
  return `(${show(tree)})`;
}

/**
 * Two decimals, as Linkerd shows weights, if they say it exactly; otherwise as many as needed. (Linkerd always shows two, so
 * that a dtab that is read and written back loses `0.001`.)
 */
function showWeight(weight: number): string {
  if (weight === DEFAULT_WEIGHT) return '';
  const short = weight.toFixed(2);
  return `${Number(short) === weight && !short.includes('e') ? short : plainDecimal(weight)}*`;
}

/** The grammar has no exponents, so `1e-7` is written out. */
function plainDecimal(value: number): string {
  const [mantissa = '', exponentText] = String(value).split('e');
  if (exponentText === undefined) return mantissa;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText);
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return digits.padEnd(point, '0');
}
