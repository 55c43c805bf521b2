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

export class Listener {
  /** Null when another thread accepts. */
  readonly #server: net.Server | null;
  readonly port: number;
  #target: HttpServer | null = null;

  private constructor(server: net.Server | null, port: number) {
    this.#server = server;
    this.port = port;
    server?.on('connection', (socket) => this.accept(socket));
  }

  /** For connections that another thread accepts on this port. */
  static handed(port: number): Listener {
    return new Listener(null, port);
  }

  /** Rejects with the system's error, such as EADDRINUSE. Connections that come before `serve` wait in the kernel's queue. */
  static async open(options: ListenOptions): Promise<Listener> {
    const { host, port, backlog = BACKLOG, reusePort, noDelay, keepAlive } = options;
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay, keepAlive });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog, reusePort }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new Listener(server, (server.address() as net.AddressInfo).port);
  }

  /** Hands connections from now on to this server. */
  serve(target: HttpServer): void {
    this.#target = target;
  }

  /** Accepts no more; connections go on. */
  close(): void {
    this.#server?.close();
  }

  accept(socket: net.Socket): void {
    if (this.#target === null) {
      socket.destroy();
      return;
    }
    this.#target.opened(new Http1ServerConnection(socket, this.#target));
  }
}
