/**
 * A server of an http router: what it does to a request before it is routed, and its limits. Connections come from a
 * listener (listener.ts); the router behind it can be exchanged while connections go on.
 */
import * as defaults from '../../config/defaults.ts';
import type { MetricRegistry } from '../../metrics/registry.ts';
import type { ConnectionCounts } from '../../wire/connection-counts.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../../wire/head.ts';
import type {
  Http1ServerConnection,
  ServerConnectionLimits,
  ServerConnectionOwner,
} from '../../wire/http1/server-connection.ts';
import type { WireError } from '../../wire/http1/syntax.ts';
import { bit, Known } from '../../wire/known-headers.ts';
import type { ConnectionAddresses, Stream, StreamEvents } from '../../wire/stream.ts';
import type { TimerWheel } from '../../wire/timer-wheel.ts';
import type { ServerConfig } from '../config.ts';
import { type ErrorLimits, errorResponse, type RouteError } from '../errors.ts';
import { Exchange } from '../exchange.ts';
import type { ExchangeServer } from '../exchange-server.ts';
import { viaEntries } from '../http/context-headers.ts';
import { createForwarder, type Forwarder } from '../http/forwarded.ts';
import { maxBufferedBytes } from '../http/limits.ts';
import { normalizeTarget } from '../http/target.ts';
import { startTrace } from '../http/trace.ts';
import { NO_OVERRIDE, type OverridePolicy, type OverrideResult, overridePolicy, readOverride } from '../override.ts';
import { RoutedName } from '../routed-name.ts';
import type { Router } from '../router.ts';
import { BufferedStream } from './buffered-stream.ts';
import { CompressedStream } from './compressed-stream.ts';
import { connectionLimits } from './limits.ts';
import { isShed, type ServedRequest, ServerMetrics } from './metrics.ts';
import { Stay } from './stay.ts';

/**
 * While draining, a connection without a request is closed only after so many ms, and its requests until then are answered
 * with `Connection: close`: one that is on its way already would be lost.
 */
const DRAIN_IDLE_MS = 250;

/** What a server shares with others: its requests are counted over all workers, memory over the process. */
export interface SharedLoad {
  /** The number in flight with this one. */
  enter(): number;
  leave(): void;
  readonly isShortOfMemory: boolean;
}

export class HttpServer implements ServerConnectionOwner, ExchangeServer {
  /** Exchanged whole by a reload. */
  router: Router;
  readonly config: ServerConfig;
  readonly address: string;
  readonly timeoutMs: number | undefined;
  readonly policy: OverridePolicy;
  readonly isEdge: boolean;
  readonly limits: ServerConnectionLimits;
  readonly wheel: TimerWheel;
  readonly errorLimits: ErrorLimits;
  /** Bytes of a body that is collected whole; null: bodies are passed on as they come. */
  readonly #bufferBytes: number | null;
  /** 0: responses are passed on as they are. */
  readonly #compressionLevel: number;
  readonly #maxConcurrent: number;
  readonly #isLimited: boolean;
  readonly #maxCallDepth: number;
  readonly #timestampHeader: string | undefined;
  readonly #forwarder: Forwarder | null;
  readonly metrics: ServerMetrics;
  readonly #connections = new Set<Http1ServerConnection>();
  readonly #load: SharedLoad;
  readonly #stay: Stay;
  #draining = false;
  #onEmpty: (() => void) | null = null;

  constructor(
    router: Router,
    config: ServerConfig,
    address: string,
    load: SharedLoad,
    wheel: TimerWheel,
    metrics: MetricRegistry,
  ) {
    const routerConfig = router.config;
    this.#load = load;
    this.#stay = new Stay(wheel);
    this.router = router;
    this.config = config;
    this.wheel = wheel;
    this.address = address;
    this.timeoutMs = config.timeoutMs || undefined;
    this.policy = overridePolicy(config);
    this.isEdge = this.policy.isEdge;
    this.limits = connectionLimits(routerConfig, config);
    this.errorLimits = {
      bodyBytes: (routerConfig.maxErrResponseKB ?? defaults.maxErrResponseKB) * 1024,
      headerBytes: this.limits.headerBytes,
      edge: this.isEdge,
    };
    this.#bufferBytes = routerConfig.streamingEnabled === false ? maxBufferedBytes(routerConfig) : null;
    this.#compressionLevel = routerConfig.compressionLevel ?? defaults.compressionLevel;
    this.#maxConcurrent = config.maxConcurrentRequests ?? Number.POSITIVE_INFINITY;
    this.#isLimited = Number.isFinite(this.#maxConcurrent);
    this.#maxCallDepth = config.maxCallDepth ?? defaults.maxCallDepth;
    this.#timestampHeader = config.timestampHeader;
    this.#forwarder =
      config.addForwardedHeader === undefined ? null : createForwarder(config.addForwardedHeader, router.label);
    this.metrics = new ServerMetrics(metrics, router.label, address);
  }

  // ---- connections

  get counts(): ConnectionCounts {
    return this.metrics.connections;
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.size;
  }

  opened(connection: Http1ServerConnection): void {
    this.#connections.add(connection);
    this.metrics.connections.opened();
  }

  closed(connection: Http1ServerConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.metrics.closed(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  open(stream: Stream, addresses: ConnectionAddresses): StreamEvents {
    // When the request has begun, and long before its answer.
    if (this.#draining) process.nextTick(() => this.#drainBusy());
    if (this.#bufferBytes === null && this.#compressionLevel === 0) return new Exchange(this, stream, addresses);
    return this.#openLayered(stream, addresses);
  }

  /** Puts the layers that the router asks for between the client and the exchange; what is compressed is collected before. */
  #openLayered(stream: Stream, addresses: ConnectionAddresses): StreamEvents {
    const compressed = this.#compressionLevel === 0 ? null : new CompressedStream(stream, this.#compressionLevel);
    const below = compressed ?? stream;
    const buffered = this.#bufferBytes === null ? null : new BufferedStream(below, this.#bufferBytes, this);
    const exchange = new Exchange(this, buffered ?? below, addresses);
    buffered?.attach(exchange);
    compressed?.attach(buffered ?? exchange);
    return compressed ?? buffered ?? exchange;
  }

  refusal(error: WireError): { head: ResponseHead; body: Buffer } {
    this.metrics.refused(error.status);
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
    // On a busy machine the time is over while requests wait to be read: a turn of the event loop reads them.
    await new Promise((resolve) => setImmediate(resolve));
    this.#drainBusy();
    for (const connection of [...this.#connections]) connection.drain();
    await within(empty, graceMs - DRAIN_IDLE_MS);
    for (const connection of [...this.#connections]) connection.destroy();
    this.metrics.close();
  }

  /** The connections with a request under way are closed after its answer, which says so. */
  #drainBusy(): void {
    for (const connection of [...this.#connections]) if (!connection.isIdle) connection.drain();
  }

  // ---- requests, in the order in which an exchange asks

  begin(head: RequestHead): RouteError | null {
    this.metrics.began();
    if (this.#isLimited && this.#load.enter() > this.#maxConcurrent) {
      return { type: 'overloaded', limit: this.#maxConcurrent, retryAfterSecs: this.#stay.seconds() };
    }
    if (this.#load.isShortOfMemory) return { type: 'outOfMemory', retryAfterSecs: this.#stay.seconds() };
    this.#stay.entered();
    if ((head.present & bit(Known.via)) !== 0 && viaEntries(head) > this.#maxCallDepth) {
      return { type: 'callDepth', limit: this.#maxCallDepth };
    }
    return null;
  }

  countDeadline(leftMs: number): void {
    this.metrics.deadline(leftMs);
  }

  end(request: ServedRequest): void {
    if (this.#isLimited) this.#load.leave();
    if (!isShed(request.error)) this.#stay.left();
    this.metrics.ended(request);
  }

  /** The local dtab of a request. Takes off it what this server does not believe. */
  override(head: RequestHead): OverrideResult {
    const override = readOverride(this.policy, head);
    if ((head.present & this.policy.drops) !== 0) head.drop(this.policy.drops);
    if (typeof override === 'string' && override !== NO_OVERRIDE) this.metrics.overridden(override);
    return override;
  }

  /** Brings the target to origin-form, too, and adds what this server is configured to add. */
  identify(head: RequestHead, peer: ConnectionAddresses): RoutedName | RouteError {
    const { method, target } = head;
    const wrong = normalizeTarget(head);
    if (wrong !== null) return { type: 'badRequest', status: 400, reason: wrong };
    const name = this.router.identifier.identify(head);
    if (!(name instanceof RoutedName)) {
      const request = `Request("${method} ${target}", from /${peer.remoteHost}:${peer.remotePort})`;
      return { type: 'unidentified', request, reason: name.reason };
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
  startTrace(head: RequestHead): HeaderBlock {
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
