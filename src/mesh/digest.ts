/** What bound trees are compared by, where one side has computed a tree and the other got it on another way. */
import { hash } from 'node:crypto';
import type { BoundId, NameTree } from '../naming/index.ts';
import { meshMethods } from './methods.ts';

/** Chance makes two trees of a fleet equal once in 2^48 comparisons of different ones. */
const DIGEST_BYTES = 12;

/** What is made of a tree, once for each: an update of a dtab leaves most trees as they were. */
interface Written {
  readonly message: Buffer;
  digest?: string;
}

const written = new WeakMap<NameTree<BoundId>, Written>();

/** A tree as the message that namerd sends (BoundTreeRsp). */
export function boundTreeMessage(tree: NameTree<BoundId>): Buffer {
  return write(tree).message;
}

/** Of the tree as this program writes it, so that it doesn't matter who sent it. A byte a character. */
export function digestOf(tree: NameTree<BoundId>): string {
  const known = write(tree);
  known.digest ??= hash('sha256', known.message, 'buffer').toString('latin1', 0, DIGEST_BYTES);
  return known.digest;
}

function write(tree: NameTree<BoundId>): Written {
  let known = written.get(tree);
  if (known === undefined) {
    known = { message: meshMethods.getBoundTree.response.encode(tree) };
    written.set(tree, known);
  }
  return known;
}
