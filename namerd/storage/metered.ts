/** Any storage, with what it does counted under `dtabstore/<kind>` and each change in the log. */
import { type Activity, hasValue, type Live } from '../../src/live/index.ts';
import type { MetricCollector } from '../../src/metrics/collector.ts';
import type { MetricRegistry, MetricScope, Stat } from '../../src/metrics/registry.ts';
import type { Dtab } from '../../src/naming/index.ts';
import type { Log } from '../../src/port/log.ts';
import type { Change, DtabStorage, Version, VersionedDtab, Written } from './storage.ts';
import { showVersion } from './versions.ts';

export interface MeteredOptions {
  readonly kind: string;
  readonly log: Log;
  readonly registry: MetricRegistry;
  readonly collector: MetricCollector;
}

type Operation = 'create' | 'update' | 'put' | 'delete';

export class MeteredStorage implements DtabStorage {
  /** Absent where the storage keeps none. */
  readonly history?: NonNullable<DtabStorage['history']>;
  readonly notices?: NonNullable<DtabStorage['notices']>;
  readonly #storage: DtabStorage;
  readonly #log: Log;
  readonly #kind: string;
  readonly #metrics: MetricScope;
  readonly #writeMs: Stat;
  readonly #stopGauges: readonly (() => void)[];

  constructor(storage: DtabStorage, { kind, log, registry, collector }: MeteredOptions) {
    this.#storage = storage;
    this.#log = log;
    this.#kind = kind;
    const path = ['dtabstore', kind];
    this.#metrics = registry.scope(path);
    this.#writeMs = this.#metrics.stat('write_latency_ms');
    const gauge = (name: string, read: () => number) => collector.observe(path, name, 'gauge', read);
    const listed = (): Activity<readonly string[]> => storage.list().value;
    this.#stopGauges = [
      gauge('namespaces', () => listed().value?.length ?? 0),
      // Whether what is served may be old, and for how long.
      gauge('stale', () => (listed().phase === 'failed' ? 1 : 0)),
      gauge('stale_ms', () => (listed().phase === 'failed' ? Date.now() - listed().since : 0)),
    ];
    if (storage.notices !== undefined) this.notices = storage.notices;
    if (storage.history !== undefined) this.history = (namespace, limit) => storage.history!(namespace, limit);
  }

  list(): Live<Activity<readonly string[]>> {
    return this.#storage.list();
  }

  observe(namespace: string): Live<Activity<VersionedDtab | null>> {
    return this.#storage.observe(namespace);
  }

  create(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    return this.#count('create', namespace, change, this.#storage.create(namespace, dtab, change));
  }

  update(namespace: string, dtab: Dtab, version: Version, change: Change): Promise<Written> {
    return this.#count('update', namespace, change, this.#storage.update(namespace, dtab, version, change));
  }

  put(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    return this.#count('put', namespace, change, this.#storage.put(namespace, dtab, change));
  }

  delete(namespace: string, change: Change): Promise<Written> {
    return this.#count('delete', namespace, change, this.#storage.delete(namespace, change));
  }

  state(): StorageState {
    const listed = this.#storage.list().value;
    return {
      kind: this.#kind,
      phase: listed.phase,
      ...(listed.phase === 'failed'
        ? { since: new Date(listed.since).toISOString(), error: listed.error.message }
        : {}),
      ...(hasValue(listed) ? { namespaces: listed.value.length } : {}),
      ...(this.#storage.state?.() as object | undefined),
    };
  }

  start(): Promise<void> {
    return this.#storage.start();
  }

  async close(): Promise<void> {
    await this.#storage.close();
    for (const stop of this.#stopGauges) stop();
    this.#metrics.close();
  }

  async #count(operation: Operation, namespace: string, change: Change, write: Promise<Written>): Promise<Written> {
    const startMs = performance.now();
    const written = await write;
    this.#writeMs.record(performance.now() - startMs);
    const { author, message } = change;
    const fields = {
      namespace,
      ...(author === undefined ? {} : { author }),
      ...(message === undefined ? {} : { message }),
    };
    if (written.type === 'written') {
      this.#metrics.counter(operation).increment();
      this.#log.info({ ...fields, version: showVersion(written.version) }, CHANGES[operation]);
    } else if (written.type === 'unavailable') {
      this.#metrics.counter('failures').increment();
      this.#log.error({ ...fields, operation, reason: written.reason }, 'a namespace could not be written');
    } else {
      this.#metrics.counter(`refused/${written.type}`).increment();
    }
    return written;
  }
}

const CHANGES: Readonly<Record<Operation, string>> = {
  create: 'a namespace was created',
  update: 'a namespace was updated',
  put: 'a namespace was written',
  delete: 'a namespace was deleted',
};

/** What the admin pages show; the storage's own state stands beside it. */
export interface StorageState {
  readonly kind: string;
  /** `failed`: the backend is away, and what is served is what was last known. */
  readonly phase: Activity<unknown>['phase'];
  /** Since when it has failed, and why. */
  readonly since?: string;
  readonly error?: string;
  readonly namespaces?: number;
  readonly [more: string]: unknown;
}
