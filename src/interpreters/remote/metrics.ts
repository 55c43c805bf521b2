/** What an interpreter that asks namerd counts (`rt/<router>/interpreter/<kind>/...`). */
import type { Counter, Gauge, MetricScope } from '../../metrics/registry.ts';
import type { SnapshotFileMetrics } from '../snapshot/file.ts';

/** Of one sort of question. */
export class QuestionMetrics {
  readonly requests: Counter;
  readonly success: Counter;
  readonly failure: Counter;

  constructor(scope: MetricScope, name: 'bind' | 'addr' | 'delegate') {
    this.requests = scope.counter(`${name}/requests`);
    this.success = scope.counter(`${name}/success`);
    this.failure = scope.counter(`${name}/failure`);
  }
}

export class RemoteMetrics implements SnapshotFileMetrics {
  readonly bind: QuestionMetrics;
  readonly addr: QuestionMetrics;
  readonly delegate: QuestionMetrics;
  /** Names and ids that are watched. */
  readonly names: Gauge;
  readonly ids: Gauge;
  /** 1 while a namerd can be reached. */
  readonly connected: Gauge;
  /** Since a namerd could be reached, ms: how old what is bound may be. 0 while one can. */
  readonly stalenessMs: Gauge;
  /** Watches that were answered from what was known last, because namerd did not answer. */
  readonly recalled: Counter;
  readonly #written: Counter;
  readonly #writtenBytes: Gauge;
  readonly #unwritable: Gauge;

  constructor(scope: MetricScope) {
    this.bind = new QuestionMetrics(scope, 'bind');
    this.addr = new QuestionMetrics(scope, 'addr');
    this.delegate = new QuestionMetrics(scope, 'delegate');
    this.names = scope.gauge('bindcache.size');
    this.ids = scope.gauge('addrcache.size');
    this.connected = scope.gauge('connected');
    this.stalenessMs = scope.gauge('staleness_ms');
    this.recalled = scope.counter('snapshot/used');
    this.#written = scope.counter('snapshot/written');
    this.#writtenBytes = scope.gauge('snapshot/bytes');
    this.#unwritable = scope.gauge('snapshot/unwritable');
  }

  written(bytes: number): void {
    this.#written.increment();
    this.#writtenBytes.set(bytes);
  }

  failing(isFailing: boolean): void {
    this.#unwritable.set(isFailing ? 1 : 0);
  }
}
