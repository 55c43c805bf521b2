/** What the services of io.linkerd.mesh are asked, as questions about namespaces; or why a request is none. */
import { type Activity, derive, hasValue, type Live, ok, withoutValue } from '../../../src/live/index.ts';
import { type BindRequest, type DelegateRequest, meshMethods } from '../../../src/mesh/index.ts';
import {
  type Addr,
  type BoundName,
  bindingKey,
  Dtab,
  type NameTree,
  type Path,
  sameAddr,
} from '../../../src/naming/index.ts';
import type { Namespaces } from '../../namespaces.ts';
import { delegationOf, treeKey } from './delegation.ts';
import { type Question, question } from './question.ts';
import { invalidRoot, noName, noRoot, Refusal, rootNotFound } from './status.ts';
import { boundTreeMessage } from './trees.ts';

/** The namespace that a root names. */
export function namespaceOf(root: Path | undefined): string | Refusal {
  if (root === undefined) return noRoot;
  const [segment] = root.segments;
  if (segment === undefined || root.length > 1) return invalidRoot(root.show());
  return Buffer.from(segment, 'latin1').toString('utf8');
}

export function boundTreeOf(
  namespaces: Namespaces,
  { root, name, dtab = Dtab.empty }: BindRequest,
): Question | Refusal {
  if (root === undefined) return noRoot;
  if (name === undefined || name.isEmpty) return noName;
  const namespace = namespaceOf(root);
  if (namespace instanceof Refusal) return namespace;
  const key = `bind\n${namespace}\n${bindingKey(dtab, name)}`;
  return question(key, () => namespaces.bind(namespace, dtab, name), boundTreeMessage);
}

export function replicasOf(namespaces: Namespaces, id: Path | undefined): Question {
  if (id === undefined || id.isEmpty) return constantReplicas({ state: 'failed', cause: 'No ID provided' });
  const bare = withoutTransformers(id);
  return question(`resolve\n${bare.show()}`, () => addrOf(namespaces.resolve(bare), bare), encodeReplicas);
}

export function dtabOf(namespaces: Namespaces, root: Path | undefined): Question | Refusal {
  const namespace = namespaceOf(root);
  if (namespace instanceof Refusal) return namespace;
  return question(
    `dtab\n${namespace}`,
    () => namespaces.storage.observe(namespace),
    (found) => (found === null ? rootNotFound : meshMethods.getDtab.response.encode(found)),
  );
}

export function delegateTreeOf(
  namespaces: Namespaces,
  { root, tree, dtab = Dtab.empty }: DelegateRequest,
): Question | Refusal {
  if (root === undefined) return noRoot;
  if (tree === undefined) return noName;
  const namespace = namespaceOf(root);
  if (namespace instanceof Refusal) return namespace;
  const key = `delegate\n${namespace}\n${dtab.key} ${treeKey(tree)}`;
  const { encode } = meshMethods.getDelegateTree.response;
  return question(key, () => delegationOf(namespaces, namespace, dtab, tree), encode);
}

/** The id that a namer knows: `/%/io.l5d.port/4141/#/io.l5d.fs/web` is `/#/io.l5d.fs/web` (reference/dtab.md section 8). */
export function withoutTransformers(id: Path): Path {
  if (id.at(0) !== '%') return id;
  const start = id.segments.findIndex((segment) => segment === '#' || segment === '$');
  return start === -1 ? id : id.drop(start);
}

const encodeReplicas = meshMethods.getReplicas.response.encode;

function constantReplicas(addr: Addr): Question {
  return question(`resolve\n`, () => ({ value: ok(addr) }), encodeReplicas);
}

/**
 * The addresses of a bound id. `pending` is not told: a client that has been here before keeps what it knows, where an answer
 * without addresses would take them away.
 */
function addrOf(found: Live<Activity<NameTree<BoundName>>>, id: Path): Live<Activity<Addr>> {
  return derive(
    (): Activity<Addr> => {
      const now = found.value;
      if (hasValue(now)) {
        const addr = addrOfTree(now.value, id);
        return addr.state === 'pending' ? { phase: 'pending', since: now.since } : ok(addr, now.since);
      }
      return now.phase === 'failed' ? ok({ state: 'failed', cause: now.error.message }, now.since) : withoutValue(now);
    },
    (a, b) => a.phase === b.phase && (a.phase !== 'ok' || b.phase !== 'ok' || sameAddr(a.value, b.value)),
  );
}

function addrOfTree(tree: NameTree<BoundName>, id: Path): Addr {
  switch (tree.type) {
    case 'leaf':
      return tree.value.addr.value;
    case 'neg':
      return { state: 'neg' };
    case 'empty':
      return { state: 'bound', endpoints: [] };
    case 'fail':
      return { state: 'failed', cause: 'name tree failed' };
    default:
      return { state: 'failed', cause: `${id.show()} is not a concrete bound id` };
  }
}
