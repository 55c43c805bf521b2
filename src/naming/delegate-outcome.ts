/** What an explanation comes to: the names that requests are bound to, read off the JSON of its steps. */
import type { BoundJson, DelegateJson } from './delegate-json.ts';
import { EMPTY, FAIL, leaf, type NameTree, NEG, simplify, type Weighted } from './name-tree.ts';

export type Outcome =
  | { readonly type: 'tree'; readonly tree: NameTree<BoundJson> }
  /** Binding fails, for this reason; no alternative is tried. */
  | { readonly type: 'failed'; readonly reason: string };

/** As `bind` decides: the first alternative that is bound, and of a union the parts that are. */
export function outcomeOf(explanation: DelegateJson): Outcome {
  const outcome = followed(explanation);
  return outcome.type === 'failed' ? outcome : bound(simplify(outcome.tree));
}

function bound(tree: NameTree<BoundJson>): Outcome {
  return { type: 'tree', tree };
}

function followed(node: DelegateJson): Outcome {
  switch (node.type) {
    case 'neg':
      return bound(NEG);
    case 'fail':
      return bound(FAIL);
    case 'empty':
      return bound(EMPTY);
    case 'exception':
      return { type: 'failed', reason: node.message ?? 'it could not be bound' };
    case 'leaf':
      return bound(node.bound === undefined || node.bound.addr.type === 'neg' ? NEG : leaf(node.bound));
    case 'delegate':
      return node.delegate === undefined ? bound(NEG) : followed(node.delegate);
    case 'transformation':
      return node.tree === undefined ? bound(NEG) : followed(node.tree);
    case 'alt':
      return firstBound(node.alt ?? []);
    case 'union':
      return boundParts(node.union ?? []);
  }
}

function firstBound(alternatives: readonly DelegateJson[]): Outcome {
  for (const alternative of alternatives) {
    const outcome = outcomeOf(alternative);
    if (outcome.type === 'failed' || outcome.tree.type !== 'neg') return outcome;
  }
  return bound(NEG);
}

function boundParts(parts: readonly { readonly weight: number; readonly tree: DelegateJson }[]): Outcome {
  const trees: Weighted<BoundJson>[] = [];
  let failure: Outcome | undefined;
  for (const { weight, tree } of parts) {
    const outcome = followed(tree);
    if (outcome.type === 'failed') failure ??= outcome;
    else trees.push({ weight, tree: outcome.tree });
  }
  return trees.length === 0 && failure !== undefined ? failure : bound({ type: 'union', trees });
}
