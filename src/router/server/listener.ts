/**
 * A listening socket. It lives as long as its worker: a reload exchanges the server behind it and never closes it, so no
 * connection is refused meanwhile.
 */
import net from 'node:net';
import { Http1ServerConnection } from '../../wire/http1/server-connection.ts';
import type { HttpServer } from './http-server.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly backlog: number | undefined;
  readonly reusePort: boolean;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

/** A burst of new connections waits in the kernel rather than being turned away. */
const BACKLOG = 1024;
/**
 * Sockets on one port of a thread, where the kernel deals connections out. libuv (1.52) takes one connection of a socket in each turn of
 * the event loop, and a turn is long when there is much to do: a burst of new clients would wait for seconds.
 */
const SHARED_SOCKETS = 8;

export class Listener {
  /** Empty when another thread accepts. */
  readonly #servers: readonly net.Server[];
  readonly port: number;
  /** Connections so far. */
  accepted = 0;
  #target: HttpServer | null = null;

  private constructor(servers: readonly net.Server[], port: number) {
    this.#servers = servers;
    this.port = port;
    for (const server of servers) server.on('connection', (socket) => this.accept(socket));
  }

  /** For connections that another thread accepts on this port. */
  static handed(port: number): Listener {
    return new Listener([], port);
  }

  /** Rejects with the system's error, such as EADDRINUSE. Connections that come before `serve` wait in the kernel's queue. */
  static async open(options: ListenOptions): Promise<Listener> {
    const first = await listen(options);
    const { port } = first.address() as net.AddressInfo;
    const servers = [first];
    try {
      while (options.reusePort && servers.length < SHARED_SOCKETS) servers.push(await listen({ ...options, port }));
    } catch (error) {
      for (const server of servers) server.close();
      throw error;
    }
    return new Listener(servers, port);
  }

  /** Hands connections from now on to this server. */
  serve(target: HttpServer): void {
    this.#target = target;
  }

  /** Accepts no more; connections go on. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  accept(socket: net.Socket): void {
    this.accepted++;
    if (this.#target === null) {
      socket.destroy();
      return;
    }
    this.#target.opened(new Http1ServerConnection(socket, this.#target));
  }
}

async function listen(options: ListenOptions): Promise<net.Server> {
  const { host, port, backlog = BACKLOG, reusePort, noDelay, keepAlive } = options;
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay, keepAlive });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog, reusePort }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}
