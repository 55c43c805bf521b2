/**
 * A server of an http router: what it does to a request before it is routed, and its limits. Connections come from a
 * listener (listener.ts); the router behind it can be exchanged while connections go on.
 */
import * as defaults from '../../config/defaults.ts';
import type { Counter, MetricRegistry, MetricScope } from '../../metrics/registry.ts';
import type { RequestHead, ResponseHead } from '../../wire/head.ts';
import type {
  ConnectionAddresses,
  Http1ServerConnection,
  ServerConnectionLimits,
  ServerConnectionOwner,
} from '../../wire/http1/server-connection.ts';
import type { WireError } from '../../wire/http1/syntax.ts';
import { bit, Known } from '../../wire/known-headers.ts';
import type { Stream, StreamEvents } from '../../wire/stream.ts';
import type { TimerWheel } from '../../wire/timer-wheel.ts';
import type { ServerConfig } from '../config.ts';
import { type ErrorLimits, errorResponse, type RouteError } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import { viaEntries } from '../http/context-headers.ts';
import { createForwarder, type Forwarder } from '../http/forwarded.ts';
import { appendElement, shownPrefix } from '../http/identifiers/identifier.ts';
import { headLimits } from '../http/limits.ts';
import { normalizeTarget } from '../http/target.ts';
import { startTrace, type TraceHeaders } from '../http/trace.ts';
import { type OverridePolicy, type OverrideResult, readOverride } from '../override.ts';
import type { Router } from '../router.ts';

/**
 * While draining, a connection without a request is closed only after so many ms, and its requests until then are answered
 * with `Connection: close`: one that is on its way already would be lost.
 */
const DRAIN_IDLE_MS = 250;

/** Counts the requests of this server over all workers. */
export interface InFlight {
  /** The number in flight with this one. */
  enter(): number;
  leave(): void;
}

interface ServerMetrics {
  readonly requests: Counter;
  readonly success: Counter;
  readonly failures: Counter;
  readonly connects: Counter;
  readonly closes: Counter;
  readonly pending: Counter;
  readonly connections: Counter;
}

export class HttpServer implements ServerConnectionOwner {
  /** Exchanged whole by a reload. */
  router: Router;
  readonly config: ServerConfig;
  /** Nothing that comes from outside is believed, and nothing of the inside told (`clearContext`). */
  readonly isEdge: boolean;
  readonly limits: ServerConnectionLimits;
  readonly wheel: TimerWheel;
  readonly errorLimits: ErrorLimits;
  readonly #policy: OverridePolicy;
  readonly #maxConcurrent: number;
  readonly #isLimited: boolean;
  readonly #maxCallDepth: number;
  readonly #timestampHeader: string | undefined;
  readonly #forwarder: Forwarder | null;
  readonly #scope: MetricScope;
  readonly #metrics: ServerMetrics;
  readonly #connections = new Set<Http1ServerConnection>();
  readonly #inFlight: InFlight;
  #draining = false;
  #onEmpty: (() => void) | null = null;

  /** `address` is where it listens, as `ip/port`. */
  constructor(
    router: Router,
    config: ServerConfig,
    address: string,
    inFlight: InFlight,
    wheel: TimerWheel,
    metrics: MetricRegistry,
  ) {
    const routerConfig = router.config;
    this.#inFlight = inFlight;
    this.router = router;
    this.config = config;
    this.wheel = wheel;
    this.isEdge = config.clearContext ?? false;
    this.limits = {
      ...headLimits(routerConfig, config.maxHeaders ?? defaults.maxHeaders),
      headerTimeoutMs: config.headerTimeoutMs ?? defaults.headerTimeoutMs,
      idleTimeoutMs: config.idleTimeoutMs ?? defaults.idleTimeoutMs,
    };
    this.errorLimits = {
      bodyBytes: (routerConfig.maxErrResponseKB ?? defaults.maxErrResponseKB) * 1024,
      headerBytes: this.limits.headerBytes,
      edge: this.isEdge,
    };
    this.#policy = { allowed: !this.isEdge };
    this.#maxConcurrent = config.maxConcurrentRequests ?? Number.POSITIVE_INFINITY;
    this.#isLimited = Number.isFinite(this.#maxConcurrent);
    this.#maxCallDepth = config.maxCallDepth ?? defaults.maxCallDepth;
    this.#timestampHeader = config.timestampHeader;
    this.#forwarder =
      config.addForwardedHeader === undefined ? null : createForwarder(config.addForwardedHeader, router.label);
    this.#scope = metrics.scope(['rt', router.label, 'server', address]);
    this.#metrics = {
      requests: this.#scope.counter('requests'),
      success: this.#scope.counter('success'),
      failures: this.#scope.counter('failures'),
      connects: this.#scope.counter('connects'),
      closes: this.#scope.counter('closes'),
      pending: this.#scope.counter('pending'),
      connections: this.#scope.counter('connections'),
    };
  }

  // ---- connections

  /** Open now. */
  get connections(): number {
    return this.#connections.size;
  }

  opened(connection: Http1ServerConnection): void {
    this.#connections.add(connection);
    this.#metrics.connects.increment();
    this.#metrics.connections.increment();
  }

  closed(connection: Http1ServerConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#metrics.closes.increment();
    this.#metrics.connections.add(-1);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  open(stream: Stream, addresses: ConnectionAddresses): StreamEvents {
    // When the request has begun, and long before its answer.
    if (this.#draining) process.nextTick(() => this.#drainBusy());
    return new Exchange(this, stream, addresses);
  }

  refusal(error: WireError): { head: ResponseHead; body: Buffer } {
    this.#metrics.requests.increment();
    this.#metrics.failures.increment();
    return errorResponse({ type: 'badRequest', status: error.status, reason: error.message }, this.errorLimits);
  }

  /** Lets requests in flight finish for at most `graceMs`, then cuts what is left. */
  async drain(graceMs: number): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    this.#draining = true;
    this.#drainBusy();
    await within(empty, Math.min(graceMs, DRAIN_IDLE_MS));
    for (const connection of [...this.#connections]) connection.drain();
    await within(empty, graceMs - DRAIN_IDLE_MS);
    for (const connection of [...this.#connections]) connection.destroy();
    this.#scope.close();
  }

  /** The connections with a request under way are closed after its answer, which says so. */
  #drainBusy(): void {
    for (const connection of [...this.#connections]) if (!connection.isIdle) connection.drain();
  }

  // ---- requests, in the order in which an exchange asks

  /** Counts a request in; the error when it is not let in. */
  begin(head: RequestHead): RouteError | null {
    this.#metrics.requests.increment();
    this.#metrics.pending.increment();
    if (this.#isLimited && this.#inFlight.enter() > this.#maxConcurrent) {
      return { type: 'overloaded', limit: this.#maxConcurrent };
    }
    if ((head.present & bit(Known.via)) !== 0 && viaEntries(head) > this.#maxCallDepth) {
      return { type: 'callDepth', limit: this.#maxCallDepth };
    }
    return null;
  }

  end(success: boolean): void {
    if (this.#isLimited) this.#inFlight.leave();
    this.#metrics.pending.add(-1);
    (success ? this.#metrics.success : this.#metrics.failures).increment();
  }

  override(head: RequestHead): OverrideResult {
    return readOverride(this.#policy, head);
  }

  /** The name of a request, shown. Brings its target to origin-form and adds what this server is configured to add. */
  identify(head: RequestHead, peer: ConnectionAddresses): string | RouteError {
    const { method, target } = head;
    const wrong = normalizeTarget(head);
    if (wrong !== null) return { type: 'badRequest', status: 400, reason: wrong };
    let name: string | RouteError;
    if (method === 'CONNECT') {
      name = appendElement(shownPrefix(this.router.dstPrefix), target.toLowerCase());
    } else {
      const identified = this.router.identifier.identify(head);
      if (typeof identified === 'string') name = identified;
      else {
        const request = `Request("${method} ${target}", from /${peer.remoteHost}:${peer.remotePort})`;
        return { type: 'unidentified', request, reason: identified.reason };
      }
    }
    if (this.#forwarder !== null) {
      const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(target)?.[1];
      const server = { host: peer.localHost, port: peer.localPort };
      const client = { host: peer.remoteHost, port: peer.remotePort };
      head.append('Forwarded', this.#forwarder(server, client, peer, head.get('host'), scheme));
    }
    if (this.#timestampHeader !== undefined) head.append(this.#timestampHeader, String(Date.now()));
    return name;
  }

  /** The trace that the request belongs to, or a new one. */
  startTrace(head: RequestHead): TraceHeaders {
    if (this.isEdge || (head.present & TRACE_HEADERS) === 0) return startTrace(undefined, undefined);
    return startTrace(head.values(Known.l5dCtxTrace)[0], head.values(Known.l5dSample)[0]);
  }
}

/** Waits for something, but not longer than `ms`. */
async function within(awaited: Promise<void>, ms: number): Promise<void> {
  if (ms <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([awaited, over]);
  clearTimeout(timer);
}

const TRACE_HEADERS = bit(Known.l5dCtxTrace) | bit(Known.l5dSample);
