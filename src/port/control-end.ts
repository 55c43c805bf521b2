/**
 * The control side's end of a port: observes what the data side asks to have bound, and sends it what changes. A leaf gets
 * its number with the first binding that reaches it and loses it with the last.
 */
import { type Activity, hasValue, type Live, observe } from '../live/index.ts';
import type { Announcement } from '../metrics/announcement.ts';
import { type Addr, BindRefused, type BoundName, Dtab, type Endpoint, type NameTree, Path } from '../naming/index.ts';
import type { Log } from './log.ts';
import {
  type AddrsMessage,
  type InetReach,
  type Port,
  type RequestRecord,
  SLICE_LINES,
  type ToControl,
  type ToData,
  type WireTree,
} from './protocol.ts';

/** Binds a path for a router, under its base dtab and the local one, which reaches no further than `inet` says. */
export type Bind = (router: string, path: Path, dtab: Dtab, inet: InetReach) => Live<Activity<NameTree<BoundName>>>;

/** What the data side tells without being asked. */
export interface Telemetry {
  onMetrics(announcement: Announcement): void;
  onRequests(records: readonly RequestRecord[]): void;
  /** The data side is gone. */
  onClose(): void;
}

interface Leaf {
  readonly number: number;
  readonly name: BoundName;
  references: number;
  version: number;
  /** What the data side knows: endpoint lines by `host port`. */
  known: Map<string, string>;
  stop: () => void;
}

interface Binding {
  stop: () => void;
  /** Those of the tree that was sent last; null while none was. */
  leaves: readonly Leaf[] | null;
}

export class ControlEnd {
  readonly #port: Port<ToData, ToControl>;
  readonly #bind: Bind;
  readonly #log: Log;
  readonly #telemetry: Telemetry | null;
  readonly #bindings = new Map<number, Binding>();
  /** By id, and among equal ids by the address set. */
  readonly #leaves = new Map<string, Leaf[]>();
  readonly #queries = new Map<number, (value: unknown) => void>();
  #nextLeaf = 1;
  #nextQuery = 1;

  constructor(port: Port<ToData, ToControl>, bind: Bind, log: Log, telemetry: Telemetry | null = null) {
    this.#port = port;
    this.#bind = bind;
    this.#log = log;
    this.#telemetry = telemetry;
    port.on('message', (message) => this.#onMessage(message));
    port.unref();
  }

  /** Asks the data side for something that only it knows; plain JSON, or null when it ends before it answers. */
  query(kind: string): Promise<unknown> {
    const query = this.#nextQuery++;
    return new Promise((resolve) => {
      this.#queries.set(query, resolve);
      this.#port.postMessage({ type: 'query', query, kind });
    });
  }

  close(): void {
    for (const number of [...this.#bindings.keys()]) this.#unbind(number);
    this.#port.close();
    for (const settle of this.#queries.values()) settle(null);
    this.#queries.clear();
    this.#telemetry?.onClose();
  }

  #onMessage(message: ToControl): void {
    switch (message.type) {
      case 'bind':
        this.#startBinding(message);
        break;
      case 'unbind':
        this.#unbind(message.binding);
        break;
      case 'answer':
        this.#queries.get(message.query)?.(message.value);
        this.#queries.delete(message.query);
        break;
      case 'metrics':
        this.#telemetry?.onMetrics(message.announcement);
        break;
      case 'requests':
        this.#telemetry?.onRequests(message.records);
        break;
      case 'ack':
        break;
    }
  }

  #startBinding({ binding: number, router, path, dtab, inet }: Extract<ToControl, { type: 'bind' }>): void {
    const binding: Binding = { stop: () => {}, leaves: null };
    this.#bindings.set(number, binding);
    binding.stop = observe(
      this.#bind(router, Path.parse(path), Dtab.parse(dtab), inet),
      (activity) => this.#onBound(number, binding, activity),
      (error) => {
        this.#log.error({ err: error, path }, 'a binding could not be computed');
        this.#onBindFailed(number, binding, error);
      },
    );
  }

  #onBound(number: number, binding: Binding, activity: Activity<NameTree<BoundName>>): void {
    if (hasValue(activity)) {
      const before = binding.leaves ?? [];
      const leaves: Leaf[] = [];
      const tree = this.#wireTree(activity.value, leaves);
      binding.leaves = leaves;
      this.#port.postMessage({ type: 'bound', binding: number, tree });
      for (const leaf of leaves) if (leaf.version === 0) this.#watch(leaf);
      for (const leaf of before) this.#releaseLeaf(leaf);
    } else if (activity.phase === 'failed') {
      this.#onBindFailed(number, binding, activity.error);
    }
  }

  /** What was bound once stays good: a failure takes nobody's endpoints away. */
  #onBindFailed(number: number, binding: Binding, error: Error): void {
    if (binding.leaves !== null) return;
    const refused = error instanceof BindRefused;
    this.#port.postMessage({ type: 'bindFailed', binding: number, error: error.message, refused });
  }

  #unbind(number: number): void {
    const binding = this.#bindings.get(number);
    if (binding === undefined) return;
    this.#bindings.delete(number);
    binding.stop();
    for (const leaf of binding.leaves ?? []) this.#releaseLeaf(leaf);
  }

  #wireTree(tree: NameTree<BoundName>, leaves: Leaf[]): WireTree {
    switch (tree.type) {
      case 'leaf': {
        const leaf = this.#acquireLeaf(tree.value);
        leaves.push(leaf);
        return { type: 'leaf', leaf: leaf.number, id: tree.value.id.show(), residual: tree.value.residual.show() };
      }
      case 'alt':
        return { type: 'alt', trees: tree.trees.map((branch) => this.#wireTree(branch, leaves)) };
      case 'union':
        return {
          type: 'union',
          trees: tree.trees.map((branch) => ({ weight: branch.weight, tree: this.#wireTree(branch.tree, leaves) })),
        };
      default:
        return tree;
    }
  }

  // ---- leaves

  #acquireLeaf(name: BoundName): Leaf {
    const id = name.id.show();
    const sameId = this.#leaves.get(id) ?? [];
    let leaf = sameId.find((candidate) => candidate.name.addr === name.addr);
    if (leaf === undefined) {
      leaf = { number: this.#nextLeaf++, name, references: 0, version: 0, known: new Map(), stop: () => {} };
      this.#leaves.set(id, [...sameId, leaf]);
    }
    leaf.references++;
    return leaf;
  }

  #watch(leaf: Leaf): void {
    // Its addresses are being sent from now on, though none may be known yet.
    leaf.version = 1;
    leaf.stop = observe(
      leaf.name.addr,
      (addr) => this.#sendAddrs(leaf, addr),
      (error) => {
        this.#log.error({ err: error, id: leaf.name.id.show() }, 'addresses could not be computed');
        this.#sendAddrs(leaf, { state: 'failed', cause: error.message });
      },
    );
  }

  #releaseLeaf(leaf: Leaf): void {
    if (--leaf.references > 0) return;
    leaf.stop();
    const id = leaf.name.id.show();
    const others = (this.#leaves.get(id) ?? []).filter((candidate) => candidate !== leaf);
    if (others.length === 0) this.#leaves.delete(id);
    else this.#leaves.set(id, others);
    this.#port.postMessage({ type: 'forget', leaf: leaf.number });
  }

  #sendAddrs(leaf: Leaf, addr: Addr): void {
    if (addr.state === 'pending') return;
    const version = ++leaf.version;
    if (addr.state !== 'bound') {
      leaf.known = new Map();
      const message = addr.state === 'neg' ? { state: addr.state } : { state: addr.state, cause: addr.cause };
      this.#port.postMessage({ type: 'addrs', leaf: leaf.number, version, ...message });
      return;
    }
    const wanted = new Map(addr.endpoints.map((endpoint) => [`${endpoint.host} ${endpoint.port}`, line(endpoint)]));
    const added = [...wanted].filter(([key, text]) => leaf.known.get(key) !== text).map(([, text]) => text);
    const removed = [...leaf.known].filter(([key]) => !wanted.has(key)).map(([, text]) => text);
    leaf.known = wanted;
    for (const message of slices(leaf.number, version, added, removed)) this.#port.postMessage(message);
  }
}

function line({ host, port, weight }: Endpoint): string {
  return `${host} ${port} ${weight}`;
}

/** A delta as messages of at most SLICE_LINES lines; at least one, which says that the set is known. */
function* slices(leaf: number, version: number, added: string[], removed: string[]): Iterable<AddrsMessage> {
  const count = Math.max(1, Math.ceil(added.length / SLICE_LINES), Math.ceil(removed.length / SLICE_LINES));
  for (let i = 0; i < count; i++) {
    const slice = (lines: string[]) => lines.slice(i * SLICE_LINES, (i + 1) * SLICE_LINES).join('\n');
    const common = { type: 'addrs', leaf, version, state: 'bound' } as const;
    yield { ...common, added: slice(added), removed: slice(removed), more: i < count - 1 };
  }
}
