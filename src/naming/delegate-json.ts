/** The JSON of delegator.json and of namerd's delegate API, field for field that of Linkerd. */
import { type Activity, andThen, type Live, ok, pending } from '../live/index.ts';
import { type Addr, type BoundName, ENDPOINT_WEIGHT, type Endpoint } from './address.ts';
import { type DelegateTree, shownPath } from './explain.ts';
import { show } from './name-tree.ts';

export interface BoundJson {
  readonly addr: AddrJson;
  readonly id: string;
  /** The residual. */
  readonly path: string;
}

export type AddrJson =
  | { readonly type: 'bound'; readonly addrs: readonly EndpointJson[]; readonly meta: Record<string, string> }
  | { readonly type: 'neg' | 'pending' }
  | { readonly type: 'failed'; readonly cause: string };

interface EndpointJson {
  readonly ip: string;
  readonly port: number;
  /** With a weight other than 1, as ENDPOINT_WEIGHT. */
  readonly meta: Record<string, string | number>;
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
      return { type: 'bound', addrs: addr.endpoints.map(endpointJson), meta: { ...addr.meta } };
    case 'failed':
      return { type: 'failed', cause: addr.cause };
    default:
      return { type: addr.state };
  }
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
