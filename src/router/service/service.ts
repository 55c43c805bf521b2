/** A service: everything that holds for one logical name, whatever it is bound to. */
import type { Counter, MetricRegistry, MetricScope } from '../../metrics/registry.ts';

export class Service {
  /** The name's shown form, such as `/svc/web`. */
  readonly name: string;
  readonly requests: Counter;
  readonly success: Counter;
  readonly failures: Counter;
  readonly #metrics: MetricScope;

  constructor(name: string, router: string, metrics: MetricRegistry) {
    this.name = name;
    this.#metrics = metrics.scope(['rt', router, 'service', name.slice(1)]);
    this.requests = this.#metrics.counter('requests');
    this.success = this.#metrics.counter('success');
    this.failures = this.#metrics.counter('failures');
  }

  close(): void {
    this.#metrics.close();
  }
}
