/**
 * The data side: routers, their servers and clients. It gets a validated config and a port, and knows nothing of namers,
 * YAML or the admin server.
 */
import * as defaults from '../config/defaults.ts';
import { MetricRegistry } from '../metrics/registry.ts';
import { DataEnd } from '../port/data-end.ts';
import type { Port, ToControl, ToData } from '../port/protocol.ts';
import type { RouterConfig, ServerConfig } from '../router/config.ts';
import { Router } from '../router/router.ts';
import { HttpServer } from '../router/server/http-server.ts';
import { Listener } from '../router/server/listener.ts';
import { TimerWheel } from '../wire/timer-wheel.ts';

/** Where a server listens, for logs and for whoever configured port 0. */
export interface ListeningServer {
  readonly router: string;
  readonly host: string;
  readonly port: number;
}

/** A server's address could not be listened on; `routerIndex` and `serverIndex` tell the key that names it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly routerIndex: number;
  readonly serverIndex: number;
  readonly host: string;
  readonly port: number;
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;

  constructor(routerIndex: number, serverIndex: number, host: string, port: number, code: string) {
    super(`can't listen on ${host}:${port}: ${code}`);
    this.routerIndex = routerIndex;
    this.serverIndex = serverIndex;
    this.host = host;
    this.port = port;
    this.code = code;
  }
}

export class DataPlane {
  readonly #wheel = new TimerWheel();
  readonly #metrics = new MetricRegistry();
  readonly #port: DataEnd;
  readonly #routers: Router[] = [];
  readonly #listeners: Listener[] = [];
  readonly #servers: HttpServer[] = [];
  readonly listening: ListeningServer[] = [];

  constructor(port: Port<ToControl, ToData>) {
    this.#port = new DataEnd(port, (kind) => this.#answer(kind));
  }

  /** Listens on every server of every router. Rejects with ListenError; nothing keeps listening then. */
  async start(routers: readonly RouterConfig[]): Promise<void> {
    for (const [routerIndex, config] of routers.entries()) {
      const router = new Router(config, this.#port, this.#wheel, this.#metrics);
      this.#routers.push(router);
      for (const [serverIndex, serverConfig] of config.servers.entries()) {
        await this.#listen(router, serverConfig, routerIndex, serverIndex);
      }
    }
  }

  /** Stops accepting, lets requests in flight finish for at most `graceMs`, and closes everything. */
  async drain(graceMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Promise.all(this.#servers.map((server) => server.drain(graceMs)));
    for (const router of this.#routers) router.close();
    this.#wheel.close();
    this.#port.close();
  }

  async #listen(router: Router, config: ServerConfig, routerIndex: number, serverIndex: number): Promise<void> {
    const host = config.ip ?? defaults.serverIp;
    const port = config.port ?? (defaults.serverPort[router.config.protocol] as number);
    try {
      const listener = await Listener.open({
        host,
        port,
        backlog: config.socketOptions?.backlog,
        reusePort: config.socketOptions?.reusePort ?? false,
        noDelay: config.socketOptions?.noDelay ?? true,
        keepAlive: config.socketOptions?.keepAlive ?? false,
      });
      this.#listeners.push(listener);
      const server = new HttpServer(router, config, `${host}/${listener.port}`, this.#wheel, this.#metrics);
      this.#servers.push(server);
      listener.serve(server);
      this.listening.push({ router: router.label, host, port: listener.port });
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new ListenError(routerIndex, serverIndex, host, port, code);
    }
  }

  #answer(kind: string): unknown {
    switch (kind) {
      case 'metrics':
        return this.#metrics.snapshot();
      case 'clients':
        return Object.fromEntries(
          this.#routers.flatMap((router) =>
            Array.from(router.clients.values(), (client) => [client.id, client.state()]),
          ),
        );
      default:
        return null;
    }
  }
}
