/** A router: its identifier, the bindings of its names and the clients behind them, for one generation of the config. */
import * as defaults from '../config/defaults.ts';
import type { KindConfig } from '../config/kind.ts';
import type { MetricRegistry, MetricScope } from '../metrics/registry.ts';
import { Path } from '../naming/index.ts';
import type { DataEnd } from '../port/data-end.ts';
import type { RequestFeed } from '../port/request-feed.ts';
import type { TimerWheel } from '../wire/timer-wheel.ts';
import { BindingCache } from './binding-cache.ts';
import { ClientCache } from './client-cache.ts';
import type { RouterConfig } from './config.ts';
import { dentryLines } from './errors.ts';
import { createIdentifier, type Identifier } from './http/identifiers/index.ts';
import { headLimits, replayBytes } from './http/limits.ts';
import { clientSettings, serviceSettings } from './settings.ts';
import { ALONE, type WorkerPlace } from './worker-share.ts';

export class Router {
  readonly config: RouterConfig;
  readonly label: string;
  readonly dstPrefix: Path;
  readonly identifier: Identifier;
  readonly bindings: BindingCache;
  readonly clients: ClientCache;
  readonly bindingTimeoutMs: number;
  readonly wheel: TimerWheel;
  /** Bytes of a request's body that is kept, so that the request can be sent again. */
  readonly replayBytes: number;
  /** Where requests are told of; null when nobody wants to know. */
  readonly feed: RequestFeed | null;
  /** One dentry a line. */
  readonly baseDtab: string;
  readonly #scope: MetricScope;

  constructor(
    config: RouterConfig,
    port: DataEnd,
    wheel: TimerWheel,
    metrics: MetricRegistry,
    feed: RequestFeed | null = null,
    place: WorkerPlace = ALONE,
  ) {
    this.feed = feed;
    this.config = config;
    this.wheel = wheel;
    this.label = config.label ?? config.protocol;
    this.dstPrefix = Path.parse(config.dstPrefix ?? defaults.dstPrefix);
    this.baseDtab = dentryLines(config.dtab ?? '');
    this.bindingTimeoutMs = config.bindingTimeoutMs ?? defaults.bindingTimeoutMs;
    this.replayBytes = replayBytes(config);
    const identifiers: KindConfig[] = [config.identifier ?? { kind: defaults.identifierKind }].flat();
    this.identifier = createIdentifier(identifiers, { prefix: this.dstPrefix });
    this.#scope = metrics.scope(['rt', this.label]);
    // All workers say the same of the one router.
    if (config.originator === true) this.#scope.gauge('originator', { merge: 'max' }).set(1);
    const limits = headLimits(config, defaults.maxHeaders);
    this.clients = new ClientCache(port, clientSettings(config.client), {
      wheel,
      limits,
      metrics,
      router: this.label,
      place,
    });
    const services = serviceSettings(config.service);
    this.bindings = new BindingCache(this.label, port, this.clients, services, wheel, metrics, {
      capacity: config.bindingCache?.paths ?? defaults.bindingCacheEntries,
      idleTtlMs: (config.bindingCache?.idleTtlSecs ?? defaults.bindingIdleTtlSecs) * 1000,
    });
  }

  close(): void {
    this.bindings.close();
    this.clients.close();
    this.#scope.close();
  }
}
