/** What the services of io.linkerd.mesh are asked, as questions about namespaces; or why a request is none. */
import type { Identity } from '../../../src/control-http/auth/index.ts';
import { constant, ok } from '../../../src/live/index.ts';
import { type BindRequest, type DelegateRequest, meshMethods } from '../../../src/mesh/index.ts';
import { type Addr, Dtab, type Path } from '../../../src/naming/index.ts';
import { type Namespaces, withoutTransformers } from '../../namespaces.ts';
import { delegationOf, treeKey } from './delegation.ts';
import { type Answer, Question, question, refusedAnswer, UNKNOWN } from './question.ts';
import { forbidden, invalidRoot, noName, noRoot, Refusal, rootNotFound } from './status.ts';
import { type TreeState, treeOf } from './trees.ts';

/** The namespace that a root names, if the client may read it. */
function namespaceOf(root: Path | undefined, identity: Identity): string | Refusal {
  if (root === undefined) return noRoot;
  const [segment] = root.segments;
  if (segment === undefined || root.length > 1) return invalidRoot(root.show());
  const namespace = Buffer.from(segment, 'latin1').toString('utf8');
  return identity.mayRead(namespace) ? namespace : forbidden(namespace);
}

export function boundTreeOf(
  namespaces: Namespaces,
  { root, name, dtab = Dtab.empty }: BindRequest,
  identity: Identity,
): Question<TreeState> | Refusal {
  if (root === undefined) return noRoot;
  if (name === undefined || name.isEmpty) return noName;
  const namespace = namespaceOf(root, identity);
  if (namespace instanceof Refusal) return namespace;
  return treeOf(namespaces, namespace, dtab, name);
}

export function replicasOf(namespaces: Namespaces, id: Path | undefined): Question {
  if (id === undefined || id.isEmpty) return constantReplicas({ state: 'failed', cause: 'No ID provided' });
  return Question.about<Addr, Answer>(
    `resolve\n${withoutTransformers(id).show()}`,
    () => namespaces.replicas(id),
    replicasAnswer,
    refusedAnswer,
  );
}

export function dtabOf(namespaces: Namespaces, root: Path | undefined, identity: Identity): Question | Refusal {
  const namespace = namespaceOf(root, identity);
  if (namespace instanceof Refusal) return namespace;
  return question(
    `dtab\n${namespace}`,
    () => namespaces.storage.observe(namespace),
    (found) => {
      if (found === null) throw rootNotFound;
      return meshMethods.getDtab.response.encode(found);
    },
  );
}

export function delegateTreeOf(
  namespaces: Namespaces,
  { root, tree, dtab = Dtab.empty }: DelegateRequest,
  identity: Identity,
): Question | Refusal {
  if (root === undefined) return noRoot;
  if (tree === undefined) return noName;
  const namespace = namespaceOf(root, identity);
  if (namespace instanceof Refusal) return namespace;
  const key = `delegate\n${namespace}\n${dtab.key} ${treeKey(tree)}`;
  const { encode } = meshMethods.getDelegateTree.response;
  return question(key, () => delegationOf(namespaces, namespace, dtab, tree), encode);
}

const encodeReplicas = meshMethods.getReplicas.response.encode;

function constantReplicas(addr: Addr): Question {
  return question(`resolve\n`, () => constant(ok(addr)), encodeReplicas);
}

/**
 * `pending` is no answer: a client that has been here before keeps what it knows, where an answer without addresses would take
 * them away.
 */
function replicasAnswer(addr: Addr): Answer {
  return addr.state === 'pending' ? UNKNOWN : { message: encodeReplicas(addr) };
}
