/** The clients of a router by leaf: made when a first binding reaches one, closed when the last has gone. */
import type { DataEnd } from '../port/data-end.ts';
import { Client, type ClientContext } from './client/client.ts';
import type { ClientKeys } from './config.ts';
import { ClientCacheMetrics } from './metrics.ts';
import type { Settings } from './settings.ts';

export class ClientCache {
  readonly #port: DataEnd;
  readonly #settings: Settings<ClientKeys>;
  readonly #context: ClientContext;
  readonly #metrics: ClientCacheMetrics;
  readonly #byLeaf = new Map<number, Client>();
  readonly #leaves = new Map<Client, number>();

  constructor(port: DataEnd, settings: Settings<ClientKeys>, context: ClientContext) {
    this.#port = port;
    this.#settings = settings;
    this.#context = context;
    this.#metrics = new ClientCacheMetrics(context.metrics, context.router);
  }

  /** `cell`: number of the bound name's cell. */
  acquire(leaf: number, id: string, cell: number): Client {
    let client = this.#byLeaf.get(leaf);
    if (client === undefined) {
      this.#metrics.misses.increment();
      client = new Client(id, this.#port.addresses(leaf), this.#port.cell(cell), this.#settings.of(id), this.#context);
      this.#byLeaf.set(leaf, client);
      this.#leaves.set(client, leaf);
    }
    client.references++;
    return client;
  }

  release(client: Client): void {
    if (--client.references > 0) return;
    this.#byLeaf.delete(this.#leaves.get(client) as number);
    this.#leaves.delete(client);
    this.#metrics.expires.increment();
    client.close();
  }

  measure(): void {
    for (const client of this.#byLeaf.values()) client.measure();
  }

  /** Once no binding is left. */
  close(): void {
    this.#metrics.close();
  }

  values(): Iterable<Client> {
    return this.#byLeaf.values();
  }
}
