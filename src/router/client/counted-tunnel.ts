/** Counts a tunnel's connection on the way to the request that it belongs to. */
import type { TunnelConnection, TunnelOwner } from '../../wire/tunnel-connection.ts';
import type { EndpointHealth } from './health.ts';
import type { ClientMetrics } from './metrics.ts';

export class CountedTunnel implements TunnelOwner {
  readonly #owner: TunnelOwner;
  readonly #metrics: ClientMetrics;
  readonly #health: EndpointHealth;
  readonly #createdAt = performance.now();
  #connectedAt = 0;

  constructor(owner: TunnelOwner, metrics: ClientMetrics, health: EndpointHealth) {
    this.#owner = owner;
    this.#metrics = metrics;
    this.#health = health;
  }

  onConnection(tunnel: TunnelConnection): void {
    this.#connectedAt = performance.now();
    this.#metrics.connections.opened();
    this.#metrics.pool.connectMs.record(this.#connectedAt - this.#createdAt);
    this.#health.connected();
    this.#owner.onConnection(tunnel);
  }

  onConnectFailed(code: string): void {
    this.#metrics.pool.failedConnectMs.record(performance.now() - this.#createdAt);
    this.#health.connectFailed();
    this.#owner.onConnectFailed(code);
  }

  onConnectCancelled(): void {
    this.#metrics.pool.cancelledConnect();
  }

  onClosed(): void {
    if (this.#connectedAt > 0) this.#metrics.connections.closed(performance.now() - this.#connectedAt, 1);
  }
}
