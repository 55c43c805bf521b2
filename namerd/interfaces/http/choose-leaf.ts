/** One bound name of a tree, for clients that want addresses and no tree. */
import type { NameTree, Weighted } from '../../../src/naming/index.ts';

/**
 * The first alternative that leads to a leaf, and of a union one by weight. `draw` (from 0 to below 1) decides: the same draw gives
 * the same leaf as long as weights and order stay.
 */
export function chooseLeaf<T>(tree: NameTree<T>, draw: number): T | undefined {
  switch (tree.type) {
    case 'leaf':
      return tree.value;
    case 'alt':
      for (const child of tree.trees) {
        const chosen = chooseLeaf(child, draw);
        if (chosen !== undefined) return chosen;
      }
      return undefined;
    case 'union':
      return chooseFromUnion(tree.trees, draw);
    default:
      return undefined;
  }
}

function chooseFromUnion<T>(trees: readonly Weighted<T>[], draw: number): T | undefined {
  const total = trees.reduce((sum, { weight }) => sum + weight, 0);
  // Weights that are all zero say nothing about which.
  const weightOf = (weighted: Weighted<T>) => (total > 0 ? weighted.weight / total : 1 / trees.length);
  let left = draw;
  for (const [index, weighted] of trees.entries()) {
    const share = weightOf(weighted);
    // What is left of the draw, spread over the branch, draws within it. Rounding may leave a little behind the last.
    if (left < share || index === trees.length - 1)
      return chooseLeaf(weighted.tree, Math.min(left / share, 1 - Number.EPSILON));
    left -= share;
  }
  return undefined;
}
