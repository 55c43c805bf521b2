/** A service: everything that holds for one logical name, whatever it is bound to. */
import type { MetricRegistry } from '../../metrics/registry.ts';
import { type Cell, ownCell } from '../../port/cells.ts';
import type { ServiceKeys } from '../config.ts';
import { pairMetrics, type RequestMetrics, serviceMetrics } from '../metrics.ts';

export class Service {
  /** The name's shown form, such as `/svc/web`. */
  readonly name: string;
  /** What the config says of it. */
  readonly keys: ServiceKeys;
  readonly metrics: RequestMetrics;
  /** What all workers share about this service; its own from the first binding on that is settled. */
  cell: Cell = ownCell();
  readonly #router: string;
  readonly #registry: MetricRegistry;

  constructor(name: string, keys: ServiceKeys, router: string, metrics: MetricRegistry) {
    this.name = name;
    this.keys = keys;
    this.#router = router;
    this.#registry = metrics;
    this.metrics = serviceMetrics(metrics, router, name);
  }

  /** What a client does for this service, to be closed by whoever asks. */
  pairedWith(client: string): RequestMetrics {
    return pairMetrics(this.#registry, this.#router, client, this.name);
  }

  close(): void {
    this.cell = ownCell();
    this.metrics.close();
  }
}
