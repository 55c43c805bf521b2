/** What a service counts (`rt/<router>/service/<name>`). */
import { type Counter, type Gauge, type MetricRegistry, MostlyZeroStat } from '../../metrics/registry.ts';
import { RequestMetrics } from '../metrics.ts';

export class ServiceMetrics extends RequestMetrics {
  readonly retries: Counter;
  readonly retriesPerRequest: MostlyZeroStat;
  readonly budget: Gauge;
  readonly budgetExhausted: Counter;
  readonly backoffsExhausted: Counter;

  constructor(metrics: MetricRegistry, router: string, name: string) {
    super(metrics.scope(['rt', router, 'service', name.slice(1)]));
    const scope = this.scope;
    this.retries = scope.counter('retries/total');
    this.retriesPerRequest = new MostlyZeroStat(scope.stat('retries/per_request'));
    // All workers see the one budget.
    this.budget = scope.gauge('retries/budget', { merge: 'max' });
    this.budgetExhausted = scope.counter('retries/budget_exhausted');
    this.backoffsExhausted = scope.counter('retries/backoffs_exhausted');
  }

  override close(): void {
    this.retriesPerRequest.settle();
    super.close();
  }
}
