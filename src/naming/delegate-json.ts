/** The JSON of delegator.json and of namerd's delegate API, field for field that of Linkerd. */
import { type Activity, andThen, type Live, ok, pending } from '../live/index.ts';
import { type Addr, type BoundName, ENDPOINT_WEIGHT, type Endpoint, TREE_WEIGHT } from './address.ts';
import { type DelegateTree, shownPath } from './explain.ts';
import { leaves, type NameTree, show } from './name-tree.ts';

export interface BoundJson {
  readonly addr: AddrJson;
  readonly id: string;
  /** The residual. */
  readonly path: string;
}

export type AddrJson =
  | {
      readonly type: 'bound';
      readonly addrs: readonly EndpointJson[];
      /** The weight that a union gave the set is a number, `namer_nametree_weight`. */
      readonly meta: Record<string, string | number>;
    }
  | { readonly type: 'neg' | 'pending' }
  | { readonly type: 'failed'; readonly cause: string };

interface EndpointJson {
  readonly ip: string;
  readonly port: number;
  /** With a weight other than 1, as ENDPOINT_WEIGHT. */
  readonly meta: Record<string, string | number>;
}

/** A bound tree: what a delegation ends in, without the steps. */
export interface BoundTreeJson {
  readonly type: NameTree<BoundName>['type'];
  readonly bound?: BoundJson;
  readonly alt?: readonly BoundTreeJson[];
  readonly union?: readonly { readonly weight: number; readonly tree: BoundTreeJson }[];
}

export interface DelegateJson {
  readonly type: DelegateTree['type'];
  readonly path: string;
  readonly dentry?: { readonly prefix: string; readonly dst: string };
  readonly message?: string;
  readonly delegate?: DelegateJson;
  readonly bound?: BoundJson;
  readonly alt?: readonly DelegateJson[];
  readonly union?: readonly { readonly weight: number; readonly tree: DelegateJson }[];
  readonly name?: string;
  readonly tree?: DelegateJson;
}

/**
 * The JSON of an explanation; pending until the explanation and the addresses of all its leaves are there. Reads live values:
 * call it inside a derivation.
 */
export function explanationJson(explanation: Live<Activity<DelegateTree>>): Activity<DelegateJson> {
  return andThen(explanation.value, (tree) => {
    const json = toJson(tree);
    return isSettled(tree) ? ok(json) : pending();
  });
}

/** The JSON of a bound tree; pending until the addresses of all its leaves are there. Reads live values, as above. */
export function boundTreeJson(tree: NameTree<BoundName>): Activity<BoundTreeJson> {
  for (const { addr } of leaves(tree)) if (addr.value.state === 'pending') return pending();
  return ok(treeJson(tree));
}

function treeJson(tree: NameTree<BoundName>): BoundTreeJson {
  const { type } = tree;
  switch (type) {
    case 'leaf':
      return { type, bound: boundJson(tree.value) };
    case 'alt':
      return { type, alt: tree.trees.map(treeJson) };
    case 'union':
      return { type, union: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: treeJson(child) })) };
    default:
      return { type };
  }
}

export function toJson(tree: DelegateTree): DelegateJson {
  const { type, dentry } = tree;
  const common = {
    type,
    path: shownPath(tree),
    ...(dentry === undefined ? {} : { dentry: { prefix: dentry.prefix.show(), dst: show(dentry.tree) } }),
  };
  switch (tree.type) {
    case 'exception':
      return { ...common, message: tree.message };
    case 'delegate':
      return { ...common, delegate: toJson(tree.tree) };
    case 'leaf':
      return { ...common, bound: boundJson(tree.bound) };
    case 'alt':
      return { ...common, alt: tree.trees.map(toJson) };
    case 'union':
      return { ...common, union: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: toJson(child) })) };
    case 'transformation':
      // Without a dentry, as Linkerd sends it.
      return { type, path: common.path, name: tree.name, bound: boundJson(tree.bound), tree: toJson(tree.tree) };
    default:
      return common;
  }
}

export function boundJson(name: BoundName): BoundJson {
  return { addr: addrJson(name.addr.value), id: name.id.show(), path: name.residual.show() };
}

export function addrJson(addr: Addr): AddrJson {
  switch (addr.state) {
    case 'bound':
      return { type: 'bound', addrs: addr.endpoints.map(endpointJson), meta: addrMeta(addr.meta) };
    case 'failed':
      return { type: 'failed', cause: addr.cause };
    default:
      return { type: addr.state };
  }
}

function addrMeta(meta: Readonly<Record<string, string>> = {}): Record<string, string | number> {
  const weight = meta[TREE_WEIGHT];
  return weight === undefined ? { ...meta } : { ...meta, [TREE_WEIGHT]: Number(weight) };
}

function endpointJson({ host, port, weight, meta }: Endpoint): EndpointJson {
  return { ip: host, port, meta: weight === 1 ? { ...meta } : { ...meta, [ENDPOINT_WEIGHT]: weight } };
}

function isSettled(tree: DelegateTree): boolean {
  switch (tree.type) {
    case 'leaf':
      return tree.bound.addr.value.state !== 'pending';
    case 'delegate':
    case 'transformation':
      return isSettled(tree.tree);
    case 'alt':
      return tree.trees.every(isSettled);
    case 'union':
      return tree.trees.every((child) => isSettled(child.tree));
    default:
      return true;
  }
}
