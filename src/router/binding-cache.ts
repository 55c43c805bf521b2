/**
 * The bindings of a router by name, in four bounded maps, so that no flood drives out what is in use:
 *
 *                                 lead somewhere    lead nowhere, or not known yet
 *     plain names                      bound                unbound
 *     names under a local dtab         bound                unbound               (a smaller shelf)
 *
 * When all of a map is busy a binding is made for one request alone.
 */
import type { MetricRegistry } from '../metrics/registry.ts';
import type { DataEnd } from '../port/data-end.ts';
import type { InetReach } from '../port/protocol.ts';
import { TimerEntry, type TimerWheel } from '../wire/timer-wheel.ts';
import { Binding } from './binding.ts';
import type { ClientCache } from './client-cache.ts';
import { type Cached, ClockCache, type DropCause } from './clock-cache.ts';
import type { ServiceKeys } from './config.ts';
import { PathCacheMetrics } from './metrics.ts';
import { Rounds } from './rounds.ts';
import type { RoutedName } from './routed-name.ts';
import { Service } from './service/service.ts';
import type { Settings } from './settings.ts';

export interface BindingCacheOptions {
  /** Plain names that are kept, and as many that lead nowhere. */
  readonly capacity: number;
  readonly idleTtlMs: number;
}

/** Share of the capacity that names under a local dtab get. */
const OVERRIDE_SHARE = 0.25;
const SWEEP_MS = 1000;
/** Services whose gauges a sweep brings up to date; where there are more, each waits for its turn. */
const MEASURED_A_SWEEP = 1000;
/** A name that leads nowhere is forgotten sooner: the next request asks again. */
const UNBOUND_TTL_MS = 10_000;

/** Where the bindings of one sort of names are kept. */
interface Shelf {
  readonly bound: ClockCache<Entry>;
  readonly unbound: ClockCache<Entry>;
}

class Entry implements Cached {
  readonly key: string;
  readonly binding: Binding;
  readonly shelf: Shelf;
  #cache: ClockCache<Entry> | null = null;

  constructor(key: string, binding: Binding, shelf: Shelf) {
    this.key = key;
    this.binding = binding;
    this.shelf = shelf;
  }

  /** The map that holds it; null for a binding that serves one request. */
  get cache(): ClockCache<Entry> | null {
    return this.#cache;
  }

  set cache(cache: ClockCache<Entry> | null) {
    this.#cache = cache;
    this.binding.isKept = cache !== null;
  }

  get isBusy(): boolean {
    return this.binding.inFlight > 0;
  }

  get used(): boolean {
    return this.binding.used;
  }

  set used(used: boolean) {
    this.binding.used = used;
  }
}

export class BindingCache extends TimerEntry {
  readonly #router: string;
  readonly #port: DataEnd;
  readonly #clients: ClientCache;
  readonly #settings: Settings<ServiceKeys>;
  readonly #wheel: TimerWheel;
  readonly #metrics: MetricRegistry;
  readonly #counts: PathCacheMetrics;
  readonly #options: BindingCacheOptions;
  readonly #plain: Shelf;
  readonly #overridden: Shelf;
  readonly #services = new Map<string, { service: Service; bindings: number }>();
  readonly #measured = new Rounds(() => this.#services.values(), MEASURED_A_SWEEP);
  readonly #entries = new Map<Binding, Entry>();

  constructor(
    router: string,
    port: DataEnd,
    clients: ClientCache,
    settings: Settings<ServiceKeys>,
    wheel: TimerWheel,
    metrics: MetricRegistry,
    options: BindingCacheOptions,
  ) {
    super();
    this.#router = router;
    this.#port = port;
    this.#clients = clients;
    this.#settings = settings;
    this.#wheel = wheel;
    this.#metrics = metrics;
    this.#counts = new PathCacheMetrics(metrics, router);
    this.#options = options;
    this.#plain = this.#shelf(options.capacity);
    this.#overridden = this.#shelf(Math.max(1, Math.floor(options.capacity * OVERRIDE_SHARE)));
    wheel.add(this, SWEEP_MS);
  }

  /** The binding of a name for one request, its local dtab within `inet`; `release` it when the request is done. */
  acquire(name: RoutedName, dtab: string, inet: InetReach): Binding {
    const binding = dtab === '' ? this.#plainOf(name, inet) : this.#overriddenOf(name.path, dtab, inet);
    binding.inFlight++;
    binding.usedMs = this.#wheel.nowMs;
    return binding;
  }

  release(binding: Binding): void {
    if (--binding.inFlight > 0 || binding.isKept) return;
    const entry = this.#entries.get(binding);
    if (entry !== undefined) this.#close(entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  onTimer(): void {
    const now = this.#wheel.nowMs;
    const { idleTtlMs } = this.#options;
    for (const { bound, unbound } of [this.#plain, this.#overridden]) {
      bound.sweep(({ binding }) => now - binding.usedMs >= idleTtlMs);
      unbound.sweep(({ binding }) => now - binding.usedMs >= Math.min(idleTtlMs, UNBOUND_TTL_MS));
    }
    this.#measured.turn(({ service }) => service.measure());
    this.#clients.measure();
    this.#wheel.add(this, SWEEP_MS);
  }

  close(): void {
    this.#wheel.remove(this);
    for (const entry of [...this.#entries.values()]) this.#close(entry);
    for (const { bound, unbound } of [this.#plain, this.#overridden]) {
      bound.clear();
      unbound.clear();
    }
    this.#counts.close();
  }

  #plainOf(name: RoutedName, inet: InetReach): Binding {
    const found = name.binding as Binding | null;
    if (found !== null) {
      found.used = true;
      return found;
    }
    const binding = this.#on(this.#plain, name.path, name.path, '', inet);
    binding.foundBy(name);
    return binding;
  }

  #overriddenOf(path: string, dtab: string, inet: InetReach): Binding {
    return this.#on(this.#overridden, `${path}\n${inet} ${dtab}`, path, dtab, inet);
  }

  #on(shelf: Shelf, key: string, path: string, dtab: string, inet: InetReach): Binding {
    const known = shelf.bound.get(key) ?? shelf.unbound.get(key);
    return known?.binding ?? this.#create(key, path, dtab, inet, shelf);
  }

  #shelf(capacity: number): Shelf {
    const drop = (entry: Entry, cause: DropCause) => {
      if (cause === 'evicted') this.#counts.evicts.increment();
      else if (cause === 'stale') this.#counts.expires.increment();
      this.#close(entry);
    };
    return { bound: new ClockCache(capacity, drop), unbound: new ClockCache(capacity, drop) };
  }

  /** A name that was never seen may be made up: it takes the room of another such until it is known to lead somewhere. */
  #create(key: string, path: string, dtab: string, inet: InetReach, shelf: Shelf): Binding {
    this.#counts.misses.increment();
    const service = this.#service(path);
    const binding = new Binding(this.#router, service, dtab, inet, this.#port, this.#clients, (settled) =>
      this.#file(settled),
    );
    const entry = new Entry(key, binding, shelf);
    this.#entries.set(binding, entry);
    if (shelf.unbound.set(key, entry)) entry.cache = shelf.unbound;
    return binding;
  }

  /** Moves a binding to where it belongs: a name may begin or cease to lead somewhere at any time. */
  #file(binding: Binding): void {
    const entry = this.#entries.get(binding);
    if (entry === undefined || entry.cache === null) return;
    const { bound, unbound } = entry.shelf;
    const wanted = binding.phase === 'bound' && !binding.isUnbound ? bound : unbound;
    if (entry.cache === wanted) return;
    entry.cache.delete(entry.key);
    entry.cache = wanted.set(entry.key, entry) ? wanted : null;
    if (entry.cache === null && !entry.isBusy) this.#close(entry);
  }

  #service(name: string): Service {
    let held = this.#services.get(name);
    if (held === undefined) {
      const service = new Service(name, this.#settings.of(name), this.#router, this.#metrics);
      held = { service, bindings: 0 };
      this.#services.set(name, held);
    }
    held.bindings++;
    return held.service;
  }

  #close(entry: Entry): void {
    if (!this.#entries.delete(entry.binding)) return;
    entry.cache = null;
    entry.binding.close();
    const { name } = entry.binding.service;
    const held = this.#services.get(name);
    if (held !== undefined && --held.bindings === 0) {
      this.#services.delete(name);
      held.service.close();
    }
  }
}
