/** The clients of a router by leaf: made when a first binding reaches one, closed when the last has gone. */
import type { DataEnd } from '../port/data-end.ts';
import type { WireLeaf } from '../port/protocol.ts';
import { Client, type ClientContext } from './client/client.ts';
import type { ClientKeys } from './config.ts';
import { ClientCacheMetrics } from './metrics.ts';
import { Rounds } from './rounds.ts';
import type { Settings } from './settings.ts';

/** Clients that one call of `measure` looks at. */
const MEASURED_AT_ONCE = 1000;

export class ClientCache {
  readonly #port: DataEnd;
  readonly #settings: Settings<ClientKeys>;
  readonly #context: ClientContext;
  readonly #metrics: ClientCacheMetrics;
  readonly #byLeaf = new Map<number, Client>();
  readonly #leaves = new Map<Client, number>();
  readonly #measured = new Rounds(() => this.#byLeaf.values(), MEASURED_AT_ONCE);

  constructor(port: DataEnd, settings: Settings<ClientKeys>, context: ClientContext) {
    this.#port = port;
    this.#settings = settings;
    this.#context = context;
    this.#metrics = new ClientCacheMetrics(context.metrics, context.router);
  }

  acquire({ leaf, id, cell, marks }: WireLeaf): Client {
    let client = this.#byLeaf.get(leaf);
    if (client === undefined) {
      this.#metrics.misses.increment();
      const port = this.#port;
      const cells = { own: port.cell(cell), marks: port.cell(marks) };
      client = new Client(id, port.addresses(leaf), cells, this.#settings.of(id), this.#context);
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

  /** Of some clients, and the next time of others where there are many. */
  measure(): void {
    this.#measured.turn((client) => client.measure());
  }

  /** Once no binding is left. */
  close(): void {
    this.#metrics.close();
  }

  values(): Iterable<Client> {
    return this.#byLeaf.values();
  }
}
