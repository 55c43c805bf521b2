/** The data side's end of a port: bindings that are watched, and the address sets that they share. */
import type { Announcement } from '../metrics/announcement.ts';
import type { AddrsMessage, InetReach, Port, RequestRecord, ToControl, ToData, WireTree } from './protocol.ts';

export interface BindingListener {
  onTree(tree: WireTree): void;
  /** `refused`: the local dtab may not lead there. */
  onBindFailed(error: string, refused: boolean): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
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

  /** Whether the change is complete. */
  apply(message: AddrsMessage): boolean {
    this.version = message.version;
    if (message.state !== 'bound') {
      this.state = message.state;
      this.cause = message.state === 'failed' ? message.cause : '';
      this.endpoints.clear();
      return true;
    }
    forEachLine(message.removed, (line) => this.endpoints.delete(line.slice(0, line.lastIndexOf(' '))));
    forEachLine(message.added, (line) => {
      const [host, port, weight] = line.split(' ') as [string, string, string];
      this.endpoints.set(`${host} ${port}`, { host, port: Number(port), weight: Number(weight) });
    });
    if (message.more) return false;
    this.state = 'bound';
    this.cause = '';
    return true;
  }
}

function forEachLine(text: string, visit: (line: string) => void): void {
  if (text !== '') for (const line of text.split('\n')) visit(line);
}

export class DataEnd {
  readonly #port: Port<ToControl, ToData>;
  readonly #listeners = new Map<number, BindingListener>();
  readonly #leaves = new Map<number, AddressSet>();
  readonly #answer: (kind: string) => unknown;
  #nextBinding = 1;

  /** `answer` gives the value of a query, plain JSON. */
  constructor(port: Port<ToControl, ToData>, answer: (kind: string) => unknown) {
    this.#port = port;
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
      set = new AddressSet();
      this.#leaves.set(leaf, set);
    }
    return set;
  }

  close(): void {
    this.#port.close();
  }

  #onMessage(message: ToData): void {
    switch (message.type) {
      case 'bound':
        this.#listeners.get(message.binding)?.onTree(message.tree);
        break;
      case 'bindFailed':
        this.#listeners.get(message.binding)?.onBindFailed(message.error, message.refused);
        break;
      case 'addrs':
        this.#onAddrs(message);
        break;
      case 'forget':
        this.#leaves.delete(message.leaf);
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
