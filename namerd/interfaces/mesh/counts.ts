/** What the mesh interface counts (`interface/io.l5d.mesh/...`), and the streams that are open. */
import type { Counter, Gauge, MetricScope } from '../../../src/metrics/registry.ts';
import type { StreamFollower } from './follower.ts';
import type { ReceiptExchange } from './receipt-exchange.ts';
import type { CallCounts } from './services.ts';
import { stopping, unauthenticated } from './status.ts';

export class MeshCounts implements CallCounts {
  readonly #requests: Counter;
  readonly #failures: Counter;
  readonly #messages: Counter;
  readonly #sentBytes: Counter;
  readonly #skipped: Counter;
  readonly #connects: Counter;
  readonly #connections: Gauge;
  readonly #streams: Gauge;
  readonly #signposts: Gauge;
  readonly #open = new Set<StreamFollower>();
  readonly #exchanges = new Set<ReceiptExchange>();

  constructor(scope: MetricScope) {
    this.#requests = scope.counter('requests');
    this.#failures = scope.counter('failures');
    this.#messages = scope.counter('stream/messages');
    this.#sentBytes = scope.counter('stream/bytes');
    this.#skipped = scope.counter('stream/skipped');
    this.#connects = scope.counter('connects');
    this.#connections = scope.gauge('connections');
    this.#streams = scope.gauge('streams');
    this.#signposts = scope.gauge('receipts/signposts');
  }

  /** Routers of Signposts that say what they have received. */
  get signposts(): number {
    return this.#exchanges.size;
  }

  get streams(): number {
    return this.#open.size;
  }

  called(): void {
    this.#requests.increment();
  }

  refused(): void {
    this.#failures.increment();
  }

  open(follower: StreamFollower): void {
    this.#open.add(follower);
    this.#streams.increment();
  }

  closed(follower: StreamFollower): void {
    this.#open.delete(follower);
    this.#streams.decrement();
  }

  sent(bytes: number): void {
    this.#messages.increment();
    this.#sentBytes.add(bytes);
  }

  skipped(): void {
    this.#skipped.increment();
  }

  connected(): void {
    this.#connects.increment();
    this.#connections.increment();
  }

  disconnected(): void {
    this.#connections.decrement();
  }

  exchangeOpen(exchange: ReceiptExchange): void {
    this.#exchanges.add(exchange);
    this.#signposts.increment();
  }

  exchangeOver(exchange: ReceiptExchange): void {
    if (this.#exchanges.delete(exchange)) this.#signposts.decrement();
  }

  /** Ends every stream; its client looks for another namerd. */
  stopStreams(): void {
    for (const stream of this.#all()) stream.stop(stopping);
  }

  /** Ends those of tokens that were taken back. */
  stopRevoked(): void {
    for (const stream of this.#all()) if (stream.identity.isRevoked) stream.stop(unauthenticated);
  }

  #all(): (StreamFollower | ReceiptExchange)[] {
    return [...this.#open, ...this.#exchanges];
  }
}
