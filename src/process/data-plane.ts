/**
 * The data side: routers, their servers and clients. It gets a plan and a port, and knows nothing of namers, YAML or the
 * admin server.
 */
import type { Socket } from 'node:net';
import * as defaults from '../config/defaults.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import { SharedConcurrency } from '../port/concurrency.ts';
import { DataEnd } from '../port/data-end.ts';
import type { Port, ToControl, ToData } from '../port/protocol.ts';
import { RequestFeed } from '../port/request-feed.ts';
import type { RouterConfig, ServerConfig } from '../router/config.ts';
import { Router } from '../router/router.ts';
import { HttpServer, type SharedLoad } from '../router/server/http-server.ts';
import { Listener } from '../router/server/listener.ts';
import { MemoryGuard } from '../router/server/memory-guard.ts';
import { TimerWheel } from '../wire/timer-wheel.ts';

/** What a data side runs; plain JSON but for the shared memory. Servers are numbered over all routers, in config order. */
export interface DataPlan {
  readonly routers: readonly RouterConfig[];
  /** The port of each server. */
  readonly ports: readonly number[];
  /**
   * How connections come: `alone`: this thread listens; `shared`: each worker does, and the kernel deals connections out
   * (SO_REUSEPORT); `handed`: the main thread accepts and hands them over.
   */
  readonly accepting: 'alone' | 'shared' | 'handed';
  /** Of SharedConcurrency, for all servers and workers. */
  readonly concurrency: SharedArrayBuffer;
  /** Of the process's CellPool. */
  readonly cells: SharedArrayBuffer;
  /** Which of the workers this is, and how many there are. */
  readonly worker: number;
  readonly workers: number;
  /** Share of requests that the control side is told of, 0 to 1. */
  readonly requestSampleRate: number;
  /** MiB of the process above which requests are refused; undefined: the usual share of what there is. */
  readonly maxMemoryMB: number | undefined;
}

/** Where a server listens, for logs and for whoever configured port 0. */
export interface ListeningServer {
  readonly router: string;
  readonly host: string;
  readonly port: number;
}

/** Why a server can't listen; plain JSON. `key` is the config key that names the port. */
export interface ListenFailure {
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;
}

export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly failure: ListenFailure;

  constructor(failure: ListenFailure) {
    super(`can't listen on ${failure.host}:${failure.port}: ${failure.code}`);
    this.failure = failure;
  }
}

/** A server of the config with what is needed to listen for it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly config: ServerConfig;
  readonly router: RouterConfig;
}

/** All servers of a config, in the order of their numbers. */
export function serverAddresses(routers: readonly RouterConfig[]): ServerAddress[] {
  return routers.flatMap((router, r) =>
    router.servers.map((config, s) => ({
      host: config.ip ?? defaults.serverIp,
      port: config.port ?? (defaults.serverPort[router.protocol] as number),
      key: `routers[${r}].servers[${s}].port`,
      config,
      router,
    })),
  );
}

/** New connections may never cease to come. */
const MAX_LAST_TURNS = 100;
/** Of a turn that does next to nothing. */
const SHORT_TURN_MS = 0.5;

export class DataPlane {
  readonly metrics = new MetricRegistry();
  readonly #plan: DataPlan;
  readonly #wheel = new TimerWheel();
  readonly #concurrency: SharedConcurrency;
  readonly #memory: MemoryGuard;
  readonly #port: DataEnd;
  /** Null when nobody wants to know of requests. */
  readonly #feed: RequestFeed | null;
  readonly #routers: Router[] = [];
  readonly #listeners: Listener[] = [];
  readonly #servers: HttpServer[] = [];
  readonly listening: ListeningServer[] = [];

  constructor(port: Port<ToControl, ToData>, plan: DataPlan) {
    this.#plan = plan;
    this.#concurrency = new SharedConcurrency(plan.concurrency, plan.ports.length, plan.worker);
    this.#port = new DataEnd(port, plan.cells, (kind) => this.#answer(kind));
    this.#memory = new MemoryGuard(this.#wheel, plan.maxMemoryMB);
    this.metrics.onAnnounce((announcement) => this.#port.announce(announcement));
    this.#feed = this.#requestFeed(plan.requestSampleRate);
  }

  /** Listens on every server of every router. Rejects with ListenError; nothing keeps listening then. */
  async start(): Promise<void> {
    const addresses = serverAddresses(this.#plan.routers);
    for (const config of this.#plan.routers) {
      const router = new Router(config, this.#port, this.#wheel, this.metrics, this.#feed, this.#plan);
      this.#routers.push(router);
      for (const address of addresses.filter((candidate) => candidate.router === config)) {
        await this.#listen(router, address);
      }
    }
  }

  /** Takes a connection that another thread accepted for a server. */
  accept(server: number, socket: Socket): void {
    (this.#listeners[server] as Listener).accept(socket);
  }

  /** Stops accepting, lets requests in flight finish for at most `graceMs`, and closes everything. */
  async drain(graceMs: number): Promise<void> {
    await this.#acceptWaiting();
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#servers.map((server) => server.drain(graceMs)));
    for (const router of this.#routers) router.close();
    this.#memory.close();
    this.#wheel.close();
    this.#port.close();
  }

  /**
   * The kernel resets what waits to be accepted when a socket is closed. A turn of the event loop takes one of each socket, where it
   * begins; so the last turn has to find none, and to be short: what comes while it lasts would still be waiting.
   */
  async #acceptWaiting(): Promise<void> {
    const accepted = (): number => this.#listeners.reduce((sum, listener) => sum + listener.accepted, 0);
    for (let turn = 0; turn < MAX_LAST_TURNS; turn++) {
      const [before, beganMs] = [accepted(), performance.now()];
      await new Promise((resolve) => setImmediate(resolve));
      // The first is the rest of a turn that had begun.
      if (turn > 0 && accepted() === before && performance.now() - beganMs < SHORT_TURN_MS) return;
    }
  }

  async #listen(router: Router, { host, key, config }: ServerAddress): Promise<void> {
    const number = this.#listeners.length;
    const port = this.#plan.ports[number] as number;
    try {
      const listener =
        this.#plan.accepting === 'handed'
          ? Listener.handed(port)
          : await Listener.open(listenOptions(config, host, port, this.#plan.accepting === 'shared'));
      this.#listeners.push(listener);
      const address = `${host}/${listener.port}`;
      const server = new HttpServer(router, config, address, this.#load(number), this.#wheel, this.metrics);
      this.#servers.push(server);
      listener.serve(server);
      this.listening.push({ router: router.label, host, port: listener.port });
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      throw new ListenError({ key, host, port, code: (error as NodeJS.ErrnoException).code ?? String(error) });
    }
  }

  #load(server: number): SharedLoad {
    const memory = this.#memory;
    return {
      enter: () => this.#concurrency.enter(server),
      leave: () => this.#concurrency.leave(server),
      get isShortOfMemory() {
        return memory.isShort;
      },
    };
  }

  #requestFeed(sampleRate: number): RequestFeed | null {
    if (sampleRate === 0) return null;
    const dropped = this.metrics.scope(['telemetry', 'recentRequests']).counter('dropped');
    return new RequestFeed(
      sampleRate,
      (records) => this.#port.tellRequests(records),
      () => dropped.increment(),
    );
  }

  #answer(kind: string): unknown {
    switch (kind) {
      case 'clients':
        return this.#routers.flatMap((router) => Array.from(router.clients.values(), (client) => client.state()));
      case 'connections':
        return this.#servers.reduce((sum, server) => sum + server.connections, 0);
      // `sync`: that it is answered is the answer.
      default:
        return null;
    }
  }
}

/** The options of a server's listening socket. `shared`: workers of this process listen on the same port. */
export function listenOptions(config: ServerConfig, host: string, port: number, shared: boolean) {
  const { socketOptions } = config;
  return {
    host,
    port,
    backlog: socketOptions?.backlog,
    reusePort: shared || (socketOptions?.reusePort ?? false),
    noDelay: socketOptions?.noDelay ?? true,
    keepAlive: socketOptions?.keepAlive ?? false,
  };
}
