/** The tree that a name is bound to: as a message for those who stream it, and by which version for those who answer with receipts. */
import { type Activity, hasValue } from '../../../src/live/index.ts';
import { boundTreeMessage } from '../../../src/mesh/index.ts';
import { type BoundName, bindingKey, type Dtab, type NameTree, type Path } from '../../../src/naming/index.ts';
import type { ComputedTree, Namespaces } from '../../namespaces.ts';
import type { Version } from '../../storage/storage.ts';
import { sameVersion } from '../../storage/versions.ts';
import { sameMessage } from './feeds.ts';
import { type Answer, Question } from './question.ts';
import { internal, type Refusal } from './status.ts';

export interface TreeState extends Answer {
  /** Null while there is none. */
  readonly tree: NameTree<BoundName> | null;
  /** By which the tree was computed; null: there was no such namespace. */
  readonly version: Version | null;
  /** Why there is no tree, or only an older one. */
  readonly problem?: string | undefined;
}

export function treeOf(namespaces: Namespaces, namespace: string, dtab: Dtab, path: Path): Question<TreeState> {
  return Question.about<Activity<ComputedTree>, TreeState>(
    `${namespace}\n${bindingKey(dtab, path)}`,
    () => namespaces.compute(namespace, dtab, path),
    stateOf,
    refused,
  );
}

export function sameTreeState(a: TreeState, b: TreeState): boolean {
  return (
    a.problem === b.problem &&
    a.refusal?.details === b.refusal?.details &&
    sameVersionOrNone(a.version, b.version) &&
    sameMessage(a.message, b.message)
  );
}

export function sameVersionOrNone(a: Version | null, b: Version | null): boolean {
  return a === null || b === null ? a === b : sameVersion(a, b);
}

function stateOf(now: Activity<ComputedTree>): TreeState {
  const problem = now.phase === 'failed' ? now.error.message : undefined;
  if (hasValue(now)) {
    const { tree, version } = now.value;
    return { message: boundTreeMessage(tree), tree, version, problem };
  }
  return now.phase === 'failed' ? refused(internal(now.error)) : { message: null, tree: null, version: null };
}

function refused(refusal: Refusal): TreeState {
  return { message: null, tree: null, version: null, refusal, problem: refusal.details };
}
