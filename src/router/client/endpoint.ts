/**
 * One endpoint of a client: its connections, its load, and the requests that wait for a connection.
 *
 *     take() --idle connection--> at once                       reusable() --> a waiter, or idle
 *     wait() --> [waiters] <--connected-- [connecting, at most maxSize with the open ones]
 */
import type { Cell } from '../../port/cells.ts';
import type { Address } from '../../port/data-end.ts';
import {
  type ClientConnectionOptions,
  type ClientConnectionOwner,
  Http1ClientConnection,
} from '../../wire/http1/client-connection.ts';
import type { UpstreamStream } from '../../wire/stream.ts';
import { TunnelConnection, type TunnelOwner } from '../../wire/tunnel-connection.ts';
import type { LoadWatcher, Node } from './balancers/balancer.ts';
import type { PeakEwma } from './balancers/peak-ewma.ts';
import { CountedTunnel } from './counted-tunnel.ts';
import { EndpointHealth, type HealthContext, type Role } from './health.ts';
import type { ClientMetrics, PoolUse } from './metrics.ts';
import type { EndpointState } from './state.ts';

export interface PoolLimits {
  /** Idle connections that are kept even beyond their idle time. */
  readonly minSize: number;
  readonly maxSize: number;
  readonly maxWaiters: number;
  readonly idleTimeMs: number;
  readonly lifeTimeMs: number;
}

/** A request that waits for a connection. Exactly one of the two is called, unless it is withdrawn. */
export interface ConnectionWaiter {
  /** A connection that carried a stream before won't do. */
  readonly wantsFresh: boolean;
  onConnection(connection: UpstreamStream): void;
  onConnectFailed(code: string): void;
}

export class Endpoint implements Node, ClientConnectionOwner, PoolUse {
  // What each request looks at comes first, see Binding.
  load = 0;
  watcher: LoadWatcher | null = null;
  latency: PeakEwma | null = null;
  readonly health: EndpointHealth;
  readonly #metrics: ClientMetrics;
  /** The last one given back is the first one taken, so that what a lull leaves over becomes idle and is closed. */
  readonly #idle: Http1ClientConnection[] = [];
  readonly #waiters: ConnectionWaiter[] = [];
  /** Whether connections have a longest life. */
  readonly #mayExpire: boolean;
  #closed = false;
  #connections = 0;
  #connecting = 0;
  measuredSize = 0;
  measuredCached = 0;
  measuredWaiters = 0;
  /** Discovery has lost it, and it is kept for as long as it works. */
  #isOnProbation = false;
  readonly host: string;
  readonly port: number;
  weight: number;
  position = 0;
  /** As it is shown: `1.2.3.4:80`. */
  readonly address: string;
  readonly #options: ClientConnectionOptions;
  readonly #limits: PoolLimits;

  constructor(
    { host, port, weight, cell }: Address,
    options: ClientConnectionOptions,
    limits: PoolLimits,
    metrics: ClientMetrics,
    health: HealthContext,
  ) {
    this.#metrics = metrics;
    this.host = host;
    this.port = port;
    this.weight = weight;
    this.health = new EndpointHealth(cell, health);
    this.address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#options = options;
    this.#limits = limits;
    this.#mayExpire = Number.isFinite(limits.lifeTimeMs);
  }

  /** A request would have to wait for a connection. */
  get isFull(): boolean {
    return this.#idle.length === 0 && this.#connections >= this.#limits.maxSize;
  }

  /** A request is on its way to this endpoint; `leave` when it has ended. */
  enter(): Role {
    this.load++;
    this.#metrics.balancer.entered();
    this.watcher?.loadChanged(this, 1);
    return this.health.begin();
  }

  /** A request has ended. `success`: what it found out of the endpoint; null: nothing. */
  leave(role: Role, success: boolean | null): void {
    this.load--;
    this.#metrics.balancer.left();
    this.watcher?.loadChanged(this, -1);
    if (success === true) this.health.succeeded(role);
    else if (success === false) this.health.failed(role);
    this.health.end(role);
  }

  /** An idle connection, if there is one. */
  take(): Http1ClientConnection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (connection.isReusable && !this.#isExpired(connection)) {
        this.#measure();
        return connection;
      }
      connection.destroy();
    }
  }

  /** Queues for a connection and opens one if that is allowed; false when the queue is full. */
  wait(waiter: ConnectionWaiter): boolean {
    const mayOpen = this.#connections < this.#limits.maxSize;
    if (!mayOpen && this.#waiters.length - this.#connecting >= this.#limits.maxWaiters) {
      this.#metrics.pool.tooManyWaiters();
      return false;
    }
    if (!mayOpen) this.#metrics.pool.waited();
    this.#waiters.push(waiter);
    this.#openForWaiters();
    this.#measure();
    return true;
  }

  /** Connects for a CONNECT; such connections belong to their request, not to the pool. */
  openTunnel(owner: TunnelOwner): TunnelConnection {
    return new TunnelConnection(
      this.host,
      this.port,
      this.#options,
      new CountedTunnel(owner, this.#metrics, this.health),
    );
  }

  withdraw(waiter: ConnectionWaiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
    this.#measure();
  }

  /** No longer discovered: what is in flight finishes, nothing is kept. */
  close(): void {
    this.#closed = true;
    this.health.detach();
    for (const connection of this.#idle.splice(0)) connection.destroy();
    this.#measure();
  }

  // ---- probation: discovery has lost it

  get isOnProbation(): boolean {
    return this.#isOnProbation;
  }

  /** It is kept as long as it works. */
  beginProbation(): void {
    if (this.#isOnProbation) return;
    this.#isOnProbation = true;
    this.health.detach();
  }

  /** It is discovered again. */
  endProbation(cell: Cell): void {
    this.#isOnProbation = false;
    this.health.attach(cell);
  }

  /** `nowMs` by processMs. */
  state(nowMs: number): EndpointState {
    const latencyMs = this.latency?.meanMs(performance.now()) ?? null;
    return {
      address: this.address,
      weight: this.weight,
      ...this.health.state(nowMs),
      load: this.load,
      connections: this.#connections,
      ...(latencyMs === null ? {} : { latencyMs: Math.round(latencyMs * 1000) / 1000 }),
      ...(this.#isOnProbation ? { onProbation: true } : {}),
    };
  }

  /** Opens a connection that nobody waits for: to see whether one can be opened. */
  connectInBackground(): void {
    if (this.#connections < this.#limits.maxSize) this.#open();
    else this.health.connected();
  }

  /** Closes connections that have lived for too long, or been idle for too long and are not among the kept `minSize`. */
  sweep(): void {
    const { idleTimeMs, minSize } = this.#limits;
    const idleBefore = this.#options.wheel.nowMs - idleTimeMs;
    let living = this.#idle.filter((connection) => !this.#isExpired(connection)).length;
    // The longest idle stand first.
    for (const connection of this.#idle.splice(0)) {
      const isExpired = this.#isExpired(connection);
      if (!isExpired && (living <= minSize || connection.idleSinceMs > idleBefore)) {
        this.#idle.push(connection);
        continue;
      }
      if (!isExpired) living--;
      connection.destroy();
    }
    this.#measure();
  }

  // ---- ClientConnectionOwner

  connected(connection: Http1ClientConnection): void {
    this.#connecting--;
    this.#metrics.connections.opened();
    this.#metrics.pool.connectMs.record(connection.connectedAt - connection.createdAt);
    this.health.connected();
    this.#offer(connection, this.#waiters.shift());
    this.#measure();
  }

  connectFailed(connection: Http1ClientConnection, code: string): void {
    this.#connecting--;
    this.#metrics.pool.failedConnectMs.record(performance.now() - connection.createdAt);
    this.health.connectFailed();
    this.#waiters.shift()?.onConnectFailed(code);
  }

  reusable(connection: Http1ClientConnection): void {
    if (this.#closed || this.#isExpired(connection) || this.#mustMakeRoom()) {
      connection.destroy();
      return;
    }
    const content = this.#waiters.findIndex((waiter) => !waiter.wantsFresh);
    this.#offer(connection, content < 0 ? undefined : this.#waiters.splice(content, 1)[0]);
    this.#measure();
  }

  closed(connection: Http1ClientConnection): void {
    this.#connections--;
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    if (connection.connectedAt > 0) {
      this.#metrics.connections.closed(performance.now() - connection.connectedAt, connection.requests);
    }
    this.#openForWaiters();
    this.#measure();
  }

  /** The first in the queue waits for a new connection, and none can be opened beside those there are. */
  #mustMakeRoom(): boolean {
    const isFull = this.#connections >= this.#limits.maxSize;
    return isFull && this.#connecting === 0 && this.#waiters[0]?.wantsFresh === true;
  }

  #offer(connection: Http1ClientConnection, waiter: ConnectionWaiter | undefined): void {
    if (waiter !== undefined) waiter.onConnection(connection);
    else if (this.#closed) connection.destroy();
    else this.#idle.push(connection);
  }

  #openForWaiters(): void {
    while (this.#connecting < this.#waiters.length && this.#connections < this.#limits.maxSize) {
      this.#open();
    }
  }

  #open(): void {
    this.#connections++;
    this.#connecting++;
    new Http1ClientConnection(this.host, this.port, this.#options, this);
  }

  /** Brings the gauges of the pool up to date with this endpoint. */
  #measure(): void {
    const cached = this.#idle.length;
    const size = this.#connections - this.#connecting - cached;
    const waiters = Math.max(0, this.#waiters.length - this.#connecting);
    this.#metrics.pool.measure(this, size, cached, waiters);
  }

  #isExpired(connection: Http1ClientConnection): boolean {
    return this.#mayExpire && this.#options.wheel.nowMs - connection.openedMs >= this.#limits.lifeTimeMs;
  }
}
