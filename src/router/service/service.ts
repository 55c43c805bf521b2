/** A service: everything that holds for one logical name, whatever it is bound to. */
import type { MetricRegistry } from '../../metrics/registry.ts';
import { type Cell, ownCell } from '../../port/cells.ts';
import type { ServiceKeys } from '../config.ts';
import { pairMetrics, type RequestMetrics } from '../metrics.ts';
import { RetryBudget } from '../retry-budget.ts';
import { ServiceMetrics } from './metrics.ts';
import { RetryPolicy } from './retry-policy.ts';

/** Of services that are not bound yet, or no longer: they have no requests that could be retried. */
const UNBOUND: Cell = ownCell();

export class Service {
  /** The name's shown form, such as `/svc/web`. */
  readonly name: string;
  /** How long a request may wait for its response to begin, all tries together; undefined (a configured 0): for ever. */
  readonly totalTimeoutMs: number | undefined;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
  readonly metrics: ServiceMetrics;
  readonly #router: string;
  readonly #registry: MetricRegistry;

  constructor(name: string, keys: ServiceKeys, router: string, metrics: MetricRegistry) {
    this.name = name;
    this.totalTimeoutMs = keys.totalTimeoutMs || undefined;
    this.policy = RetryPolicy.of(keys);
    this.budget = new RetryBudget(UNBOUND, keys.retries?.budget);
    this.#router = router;
    this.#registry = metrics;
    this.metrics = new ServiceMetrics(metrics, router, name);
    this.measure();
  }

  /** What a client does for this service, to be closed by whoever asks. */
  pairedWith(client: string): RequestMetrics {
    return pairMetrics(this.#registry, this.#router, client, this.name);
  }

  /** Takes a retry from the budget; false when none is left. */
  takeRetry(): boolean {
    const taken = this.budget.withdraw();
    this.measure();
    return taken;
  }

  /** Brings metrics up to date: other workers use the budget too, and what was used comes back with time. */
  measure(): void {
    this.metrics.budget.set(this.budget.balance());
    this.metrics.retriesPerRequest.settle();
  }

  close(): void {
    this.budget.attach(UNBOUND);
    this.metrics.close();
  }
}
