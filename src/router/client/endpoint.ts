/**
 * One endpoint of a client: its connections, its load, and the requests that wait for a connection.
 *
 *     take() --idle connection--> at once                       reusable() --> a waiter, or idle
 *     wait() --> [waiters] <--connected-- [connecting, at most maxSize with the open ones]
 */
import {
  type ClientConnectionOptions,
  type ClientConnectionOwner,
  Http1ClientConnection,
} from '../../wire/http1/client-connection.ts';
import type { UpstreamStream } from '../../wire/stream.ts';
import { TunnelConnection, type TunnelOwner } from '../../wire/tunnel-connection.ts';
import type { Node } from './balancers/index.ts';

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

export class Endpoint implements Node, ClientConnectionOwner {
  readonly host: string;
  readonly port: number;
  weight: number;
  load = 0;
  /** As it is shown: `1.2.3.4:80`. */
  readonly address: string;
  readonly #options: ClientConnectionOptions;
  readonly #limits: PoolLimits;
  /** The last one given back is the first one taken, so that what a lull leaves over becomes idle and is closed. */
  readonly #idle: Http1ClientConnection[] = [];
  readonly #waiters: ConnectionWaiter[] = [];
  #connections = 0;
  #connecting = 0;
  #closed = false;

  constructor(host: string, port: number, weight: number, options: ClientConnectionOptions, limits: PoolLimits) {
    this.host = host;
    this.port = port;
    this.weight = weight;
    this.address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#options = options;
    this.#limits = limits;
  }

  get connections(): number {
    return this.#connections;
  }

  /** An idle connection, if there is one. */
  take(): Http1ClientConnection | null {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      if (!this.#isExpired(connection)) return connection;
      connection.destroy();
    }
  }

  /** Queues for a connection and opens one if that is allowed; false when the queue is full. */
  wait(waiter: ConnectionWaiter): boolean {
    const mayOpen = this.#connections < this.#limits.maxSize;
    if (!mayOpen && this.#waiters.length - this.#connecting >= this.#limits.maxWaiters) return false;
    this.#waiters.push(waiter);
    this.#openForWaiters();
    return true;
  }

  /** Connects for a CONNECT; such connections belong to their request, not to the pool. */
  openTunnel(owner: TunnelOwner): TunnelConnection {
    return new TunnelConnection(this.host, this.port, this.#options, owner);
  }

  withdraw(waiter: ConnectionWaiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  /** No longer discovered: what is in flight finishes, nothing is kept. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Closes connections that have been idle for too long. */
  sweep(): void {
    const { idleTimeMs, minSize } = this.#limits;
    const now = this.#options.wheel.nowMs;
    let stale = 0;
    while (stale < this.#idle.length - minSize) {
      const connection = this.#idle[stale] as Http1ClientConnection;
      if (now - connection.idleSinceMs < idleTimeMs && !this.#isExpired(connection)) break;
      stale++;
    }
    for (const connection of this.#idle.splice(0, stale)) connection.destroy();
  }

  // ---- ClientConnectionOwner

  connected(connection: Http1ClientConnection): void {
    this.#connecting--;
    this.#offer(connection, this.#waiters.shift());
  }

  connectFailed(_connection: Http1ClientConnection, code: string): void {
    this.#connecting--;
    this.#waiters.shift()?.onConnectFailed(code);
  }

  reusable(connection: Http1ClientConnection): void {
    if (this.#closed || this.#isExpired(connection) || this.#mustMakeRoom()) {
      connection.destroy();
      return;
    }
    const content = this.#waiters.findIndex((waiter) => !waiter.wantsFresh);
    this.#offer(connection, content < 0 ? undefined : this.#waiters.splice(content, 1)[0]);
  }

  closed(connection: Http1ClientConnection): void {
    this.#connections--;
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    this.#openForWaiters();
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
      this.#connections++;
      this.#connecting++;
      new Http1ClientConnection(this.host, this.port, this.#options, this);
    }
  }

  #isExpired(connection: Http1ClientConnection): boolean {
    return this.#options.wheel.nowMs - connection.openedMs >= this.#limits.lifeTimeMs;
  }
}
