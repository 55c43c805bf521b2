/** The data side's end of a port: bindings that are watched, and the address sets that they share. */
import type { Announcement } from '../metrics/announcement.ts';
import { CELL_WORDS, type Cell, NO_CELL, ownCell } from './cells.ts';
import type { AddrsMessage, InetReach, Port, RequestRecord, ToControl, ToData, WireTree } from './protocol.ts';

export interface BindingListener {
  /** `cell`: of the service. */
  onTree(tree: WireTree, cell: Cell): void;
  /** `refused`: the local dtab may not lead there. */
  onBindFailed(error: string, refused: boolean): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly cell: Cell;
}

/** The addresses of one leaf, kept current. */
export class AddressSet {
  state: 'pending' | 'neg' | 'failed' | 'bound' = 'pending';
  /** Why, when `failed`. */
  cause = '';
  /** By `host port`. Replaced entries are new objects. */
  readonly endpoints = new Map<string, Address>();
  /** Called after each complete change. */
  readonly listeners = new Set<() => void>();
  version = 0;
  readonly #cell: (number: number) => Cell;

  constructor(cell: (number: number) => Cell) {
    this.#cell = cell;
  }

  /** Whether the change is complete. */
  apply(message: AddrsMessage): boolean {
    this.version = message.version;
    if (message.state !== 'bound') {
      this.state = message.state;
      this.cause = message.state === 'failed' ? message.cause : '';
      this.endpoints.clear();
      return true;
    }
    forEachLine(message.removed, (host, port) => this.endpoints.delete(`${host} ${port}`));
    forEachLine(message.added, (host, port, weight, cell) => {
      const address = { host, port: Number(port), weight: Number(weight), cell: this.#cell(Number(cell)) };
      this.endpoints.set(`${host} ${port}`, address);
    });
    if (message.more) return false;
    this.state = 'bound';
    this.cause = '';
    return true;
  }
}

function forEachLine(text: string, visit: (host: string, port: string, weight: string, cell: string) => void): void {
  if (text === '') return;
  for (const line of text.split('\n')) visit(...(line.split(' ') as [string, string, string, string]));
}

export class DataEnd {
  readonly #port: Port<ToControl, ToData>;
  readonly #listeners = new Map<number, BindingListener>();
  readonly #leaves = new Map<number, AddressSet>();
  readonly #cells: Int32Array;
  readonly #answer: (kind: string) => unknown;
  #nextBinding = 1;

  /** `cells`: the memory of the process's CellPool. `answer` gives the value of a query, plain JSON. */
  constructor(port: Port<ToControl, ToData>, cells: SharedArrayBuffer, answer: (kind: string) => unknown) {
    this.#port = port;
    this.#cells = new Int32Array(cells);
    this.#answer = answer;
    port.on('message', (message) => this.#onMessage(message));
    port.unref();
  }

  /** Watches a binding until `unbind`; the number identifies it. */
  bind(router: string, path: string, dtab: string, inet: InetReach, listener: BindingListener): number {
    const binding = this.#nextBinding++;
    this.#listeners.set(binding, listener);
    this.#port.postMessage({ type: 'bind', binding, router, path, dtab, inet });
    return binding;
  }

  unbind(binding: number): void {
    if (this.#listeners.delete(binding)) this.#port.postMessage({ type: 'unbind', binding });
  }

  announce(announcement: Announcement): void {
    this.#port.postMessage({ type: 'metrics', announcement });
  }

  tellRequests(records: readonly RequestRecord[]): void {
    this.#port.postMessage({ type: 'requests', records });
  }

  addresses(leaf: number): AddressSet {
    let set = this.#leaves.get(leaf);
    if (set === undefined) {
      set = new AddressSet((number) => this.cell(number));
      this.#leaves.set(leaf, set);
    }
    return set;
  }

  /** The cell of a number that came over the port. Whoever uses it lets go of it as soon as its owner goes. */
  cell(number: number): Cell {
    return number === NO_CELL ? ownCell() : { words: this.#cells, at: number * CELL_WORDS };
  }

  close(): void {
    this.#port.close();
  }

  #onMessage(message: ToData): void {
    switch (message.type) {
      case 'bound':
        this.#listeners.get(message.binding)?.onTree(message.tree, this.cell(message.cell));
        break;
      case 'bindFailed':
        this.#listeners.get(message.binding)?.onBindFailed(message.error, message.refused);
        break;
      case 'addrs':
        this.#onAddrs(message);
        break;
      case 'forget':
        this.#leaves.delete(message.leaf);
        this.#port.postMessage({ type: 'forgotten', leaf: message.leaf });
        break;
      case 'query':
        this.#port.postMessage({ type: 'answer', query: message.query, value: this.#answer(message.kind) });
        break;
    }
  }

  #onAddrs(message: AddrsMessage): void {
    const set = this.addresses(message.leaf);
    if (!set.apply(message)) return;
    for (const listener of [...set.listeners]) listener();
    this.#port.postMessage({ type: 'ack', leaf: message.leaf, version: message.version });
  }
}
