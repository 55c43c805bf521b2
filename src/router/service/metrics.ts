/** What a service counts (`rt/<router>/service/<name>`). */
import { type Counter, type Gauge, type MetricRegistry, MostlyZeroStat } from '../../metrics/registry.ts';
import { RequestMetrics } from '../metrics.ts';

export class ServiceMetrics extends RequestMetrics {
  readonly retriesPerRequest: MostlyZeroStat;
  readonly budget: Gauge;

  constructor(metrics: MetricRegistry, router: string, name: string) {
    super(metrics.scope(['rt', router, 'service', name.slice(1)]));
    const scope = this.scope;
    this.retriesPerRequest = new MostlyZeroStat(scope.stat('retries/per_request'));
    // All workers see the one budget.
    this.budget = scope.gauge('retries/budget', { merge: 'max' });
  }

  // What is rare needs no handle that is kept.

  get retries(): Counter {
    return this.scope.counter('retries/total');
  }

  get budgetExhausted(): Counter {
    return this.scope.counter('retries/budget_exhausted');
  }

  get backoffsExhausted(): Counter {
    return this.scope.counter('retries/backoffs_exhausted');
  }

  override close(): void {
    this.retriesPerRequest.settle();
    super.close();
  }
}
