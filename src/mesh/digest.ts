/** What bound trees are compared by, where one side has computed a tree and the other got it on another way. */
import { hash } from 'node:crypto';
import type { BoundId, NameTree } from '../naming/index.ts';
import { meshMethods } from './methods.ts';

/** Chance makes two trees of a fleet equal once in 2^48 comparisons of different ones. */
const DIGEST_BYTES = 12;

const messages = new WeakMap<NameTree<BoundId>, Buffer>();
const digests = new WeakMap<NameTree<BoundId>, Buffer>();

/** A tree as the message that namerd sends (BoundTreeRsp); written once for each tree. */
export function boundTreeMessage(tree: NameTree<BoundId>): Buffer {
  let bytes = messages.get(tree);
  if (bytes === undefined) {
    bytes = meshMethods.getBoundTree.response.encode(tree);
    messages.set(tree, bytes);
  }
  return bytes;
}

/** Of the tree as this program writes it, so that it doesn't matter who sent it. */
export function digestOf(tree: NameTree<BoundId>): Buffer {
  let digest = digests.get(tree);
  if (digest === undefined) {
    digest = hash('sha256', boundTreeMessage(tree), 'buffer').subarray(0, DIGEST_BYTES);
    digests.set(tree, digest);
  }
  return digest;
}
