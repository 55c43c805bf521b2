/** Namers whose answer is an end: `/$/fail`, `/$/nil`. */
import { type Activity, constant, type Live, ok } from '../../live/index.ts';
import { EMPTY, FAIL } from '../name-tree.ts';
import type { NamerTree } from '../namer.ts';
import type { Utility } from './utility.ts';

export const ends: Readonly<Record<string, Utility>> = {
  fail: () => answer(FAIL),
  nil: () => answer(EMPTY),
};

/** An answer that never changes. */
export function answer(tree: NamerTree): Live<Activity<NamerTree>> {
  return constant(ok(tree));
}
