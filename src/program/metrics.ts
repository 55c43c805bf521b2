/** The metrics of the process: the collector, the main thread's own registry, and what is read when it is asked for. */
import { observerErrors } from '../live/index.ts';
import { MetricCollector } from '../metrics/collector.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import { measureThread } from '../metrics/thread.ts';
import { observeProcess } from '../telemetry/process-metrics.ts';
import { uncaughtErrors } from './uncaught.ts';

export class ProcessMetrics {
  readonly collector = new MetricCollector();
  /** For what the main thread counts. */
  readonly registry = new MetricRegistry();
  readonly #stops: (() => void)[];

  constructor() {
    const own = this.collector.attach();
    this.registry.onAnnounce((announcement) => own.accept(announcement));
    this.#stops = [
      measureThread(this.registry),
      observeProcess(this.collector),
      this.collector.observe(['process'], 'uncaught_errors', 'counter', uncaughtErrors),
      this.collector.observe(['process'], 'observer_errors', 'counter', observerErrors),
    ];
    this.collector.start();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.collector.close();
  }
}
