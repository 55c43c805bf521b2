/** A binding: one name, under one local dtab, and the clients that it leads to now. */
import type { Cell } from '../port/cells.ts';
import type { BindingListener, DataEnd } from '../port/data-end.ts';
import type { InetReach, WireLeaf, WireTree } from '../port/protocol.ts';
import { type HeaderBlock, headerBlock } from '../wire/head.ts';
import { Callbacks } from './callbacks.ts';
import type { Client } from './client/client.ts';
import type { ClientCache } from './client-cache.ts';
import type { RequestMetrics } from './metrics.ts';
import type { RoutedName } from './routed-name.ts';
import type { Service } from './service/service.ts';

/** A branch of the bound tree that requests may take. */
export interface Leaf {
  readonly client: Client;
  /** What the client does for this service. */
  readonly pair: RequestMetrics;
  /** The status that the router answers with itself (`/$/io.buoyant.http.status/<code>`); null: the client is asked. */
  readonly status: number | null;
  /** The endpoints are proxies themselves: a CONNECT is theirs to resolve. */
  readonly isGateway: boolean;
  /** What tells the next hop where the request was bound to. */
  readonly headers: HeaderBlock;
}

const STATUS = /^\/\$\/io\.buoyant\.http\.status\/([2-5][0-9][0-9])$/;
/** Transformers that put a Signpost on the destination's host in place of the endpoint. */
const GATEWAY = /^(?:\/%\/.*)?\/%\/io\.l5d\.(?:port|k8s\.daemonset)\//;

/** The share of a leaf (null: the share of requests that fail) as the upper bound of its part of the line [0, 1). */
interface Share {
  readonly leaf: Leaf | null;
  readonly bound: number;
}

export class Binding implements BindingListener {
  // What each request looks at comes first: there may be many thousand, and then it is together in the processor's cache.
  readonly service: Service;
  phase: 'pending' | 'bound' | 'failed' = 'pending';
  /** The leaf of all requests, where there is no choice. */
  #sole: Leaf | null = null;
  /** Requests that were bound here and are not finished; the cache keeps a binding that has some. */
  inFlight = 0;
  /** Whether another request came for it since it was made, or the cache last looked. */
  used = false;
  /** Wheel time of the last use. */
  usedMs = 0;
  #isKept = false;
  /** The local dtab, shown. */
  readonly dtab: string;
  /** Why, when `failed`. */
  error = '';
  /** It failed because the local dtab may not lead there. */
  isRefused = false;
  readonly #port: DataEnd;
  readonly #number: number;
  readonly #clients: ClientCache;
  #shares: readonly Share[] = [];
  readonly #waiting = new Callbacks();
  readonly #onSettled: (binding: Binding) => void;
  /** The name that leads here without a look-up. */
  #name: RoutedName | null = null;

  constructor(
    router: string,
    service: Service,
    dtab: string,
    inet: InetReach,
    port: DataEnd,
    clients: ClientCache,
    onSettled: (binding: Binding) => void,
  ) {
    this.service = service;
    this.dtab = dtab;
    this.#port = port;
    this.#clients = clients;
    this.#onSettled = onSettled;
    this.#number = port.bind(router, service.name, dtab, inet, this);
  }

  /** Whether the cache has it, for requests to come. */
  get isKept(): boolean {
    return this.#isKept;
  }

  set isKept(isKept: boolean) {
    this.#isKept = isKept;
    if (!isKept) this.#leadFrom(null);
  }

  /** While it is kept, requests of this name find it at once. Of several names that have one path it is the last one. */
  foundBy(name: RoutedName): void {
    if (this.#isKept) this.#leadFrom(name);
  }

  /** Whether requests have somewhere to go. */
  get isUnbound(): boolean {
    return this.phase === 'bound' && this.#shares.every((share) => share.leaf === null);
  }

  /** The leaf for one request, at random by weight; null when the name leads nowhere (or this request's share does). */
  choose(): Leaf | null {
    return this.#sole ?? this.#chooseAmong(this.#shares);
  }

  /** Calls back once, when the binding is no longer pending. Returns what withdraws the callback. */
  whenSettled(callback: () => void): () => void {
    return this.#waiting.add(callback);
  }

  onTree(tree: WireTree, cell: Cell): void {
    this.service.budget.attach(cell);
    const found: { leaf: Leaf | null; weight: number }[] = [];
    this.#collect(tree, 1, found);
    const before = this.#shares;
    let bound = 0;
    this.#shares = found.map(({ leaf, weight }) => {
      bound += weight;
      return { leaf, bound };
    });
    this.#sole = found.length === 1 ? (found[0]?.leaf ?? null) : null;
    this.phase = 'bound';
    this.#release(before);
    this.#settle();
  }

  onBindFailed(error: string, refused: boolean): void {
    this.phase = 'failed';
    this.error = error;
    this.isRefused = refused;
    this.#settle();
  }

  close(): void {
    const before = this.#shares;
    this.#shares = [];
    this.#sole = null;
    this.#release(before);
    // Last: from then on cells may be another's.
    this.#port.unbind(this.#number);
  }

  #chooseAmong(shares: readonly Share[]): Leaf | null {
    const point = Math.random();
    let low = 0;
    let high = shares.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (point < (shares[middle] as Share).bound) high = middle;
      else low = middle + 1;
    }
    return shares[low]?.leaf ?? null;
  }

  #leadFrom(name: RoutedName | null): void {
    if (this.#name !== null) this.#name.binding = null;
    this.#name = name;
    if (name !== null) name.binding = this;
  }

  #settle(): void {
    this.#waiting.call();
    this.#onSettled(this);
  }

  #collect(tree: WireTree, share: number, found: { leaf: Leaf | null; weight: number }[]): void {
    switch (tree.type) {
      case 'leaf':
        found.push({ leaf: this.#leaf(tree), weight: share });
        break;
      case 'union': {
        const total = tree.trees.reduce((sum, { weight }) => sum + weight, 0);
        for (const branch of tree.trees) {
          if (branch.weight > 0) this.#collect(branch.tree, (share * branch.weight) / total, found);
        }
        break;
      }
      case 'alt': {
        // Binding leaves alternatives only where they are still undecided: the first that leads anywhere counts.
        const first = tree.trees.find((branch) => branch.type !== 'neg');
        if (first !== undefined) this.#collect(first, share, found);
        break;
      }
      default:
        found.push({ leaf: null, weight: share });
    }
  }

  #leaf(wire: WireLeaf): Leaf {
    const { id, residual } = wire;
    const fields: [string, string][] = [
      ['l5d-dst-service', this.service.name],
      ['l5d-dst-client', id],
    ];
    if (residual !== '/') fields.push(['l5d-dst-residual', residual]);
    const status = STATUS.exec(id)?.[1];
    return {
      client: this.#clients.acquire(wire),
      pair: this.service.pairedWith(id),
      status: status === undefined ? null : Number(status),
      isGateway: GATEWAY.test(id),
      headers: headerBlock(fields),
    };
  }

  #release(shares: readonly Share[]): void {
    for (const { leaf } of shares) {
      if (leaf === null) continue;
      leaf.pair.close();
      this.#clients.release(leaf.client);
    }
  }
}
