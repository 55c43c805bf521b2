/**
 * The control side's end of a port: observes what the data side asks to have bound, and sends it what changes.
 */
import { type Activity, hasValue, type Live, observe } from '../live/index.ts';
import type { Announcement } from '../metrics/announcement.ts';
import { BindRefused, type BoundName, Dtab, type NameTree, Path } from '../naming/index.ts';
import type { CellPool } from './cells.ts';
import { type Leaf, Leaves } from './leaves.ts';
import type { Log } from './log.ts';
import type { InetReach, Port, RequestRecord, ToControl, ToData, WireTree } from './protocol.ts';

/** Binds a path for a router, under its base dtab and the local one, which reaches no further than `inet` says. */
export type Bind = (router: string, path: Path, dtab: Dtab, inet: InetReach) => Live<Activity<NameTree<BoundName>>>;

/** What the data side tells without being asked. */
export interface Telemetry {
  onMetrics(announcement: Announcement): void;
  onRequests(records: readonly RequestRecord[]): void;
  /** The data side is gone. */
  onClose(): void;
}

interface Binding {
  readonly router: string;
  /** Of the service. */
  readonly cell: number;
  stop: () => void;
  /** The tree that was sent last, and its leaves; null while none was. */
  sent: NameTree<BoundName> | null;
  leaves: readonly Leaf[] | null;
}

export class ControlEnd {
  readonly #port: Port<ToData, ToControl>;
  readonly #bind: Bind;
  readonly #log: Log;
  readonly #telemetry: Telemetry | null;
  readonly #bindings = new Map<number, Binding>();
  readonly #cells: CellPool;
  readonly #leaves: Leaves;
  readonly #queries = new Map<number, (value: unknown) => void>();
  #nextQuery = 1;

  /** `cells`: of the process, the same for all its control ends. */
  constructor(
    port: Port<ToData, ToControl>,
    bind: Bind,
    cells: CellPool,
    log: Log,
    telemetry: Telemetry | null = null,
  ) {
    this.#port = port;
    this.#bind = bind;
    this.#cells = cells;
    this.#leaves = new Leaves(port, cells, log);
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

  /** Resolves when the data side has applied all that it was sent before, or is gone. */
  async applied(): Promise<void> {
    // Messages keep their order, and a tree is in use when its message has been taken.
    await this.query('sync');
  }

  close(): void {
    for (const number of [...this.#bindings.keys()]) this.#unbind(number);
    this.#leaves.close();
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
        this.#leaves.applied(message.leaf, message.version);
        break;
      case 'forgotten':
        this.#leaves.forgotten(message.leaf);
        break;
    }
  }

  #startBinding({ binding: number, router, path, dtab, inet }: Extract<ToControl, { type: 'bind' }>): void {
    const cell = this.#cells.acquire(`service\n${router}\n${path}`);
    const binding: Binding = { router, cell, stop: () => {}, sent: null, leaves: null };
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
      // Only what is known of it has changed: it is old now, or confirmed.
      if (activity.value === binding.sent) return;
      binding.sent = activity.value;
      const before = binding.leaves ?? [];
      const leaves: Leaf[] = [];
      const tree = this.#wireTree(binding.router, activity.value, leaves);
      // As it is kept: without the room to spare of what was pushed to.
      binding.leaves = leaves.slice();
      this.#port.postMessage({ type: 'bound', binding: number, tree, cell: binding.cell });
      for (const leaf of leaves) this.#leaves.watch(leaf);
      for (const leaf of before) this.#leaves.release(leaf);
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
    for (const leaf of binding.leaves ?? []) this.#leaves.release(leaf);
    // The data side had let go of the service before it said so.
    this.#cells.release(binding.cell);
  }

  #wireTree(router: string, tree: NameTree<BoundName>, leaves: Leaf[]): WireTree {
    const wire = (branch: NameTree<BoundName>) => this.#wireTree(router, branch, leaves);
    switch (tree.type) {
      case 'leaf': {
        const { id, residual } = tree.value;
        const leaf = this.#leaves.acquire(router, tree.value);
        leaves.push(leaf);
        const { number, cell, marks } = leaf;
        return { type: 'leaf', leaf: number, id: id.show(), residual: residual.show(), cell, marks };
      }
      case 'alt':
        return { type: 'alt', trees: tree.trees.map(wire) };
      case 'union':
        return {
          type: 'union',
          trees: tree.trees.map((branch) => ({ weight: branch.weight, tree: wire(branch.tree) })),
        };
      default:
        return tree;
    }
  }
}
