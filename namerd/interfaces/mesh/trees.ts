/** Bound trees as messages, each written once: for those that follow the tree, and for those that only compare it. */
import { meshMethods } from '../../../src/mesh/index.ts';
import type { BoundName, NameTree } from '../../../src/naming/index.ts';

const messages = new WeakMap<NameTree<BoundName>, Buffer>();

export function boundTreeMessage(tree: NameTree<BoundName>): Buffer {
  let message = messages.get(tree);
  if (message === undefined) {
    message = meshMethods.getBoundTree.response.encode(tree);
    messages.set(tree, message);
  }
  return message;
}
