/** Accepts connections, over TLS or not, and hands them on as sockets that carry HTTP/2 as it is. */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { limitConnections, logFailedHandshakes } from '../../../src/control-http/index.ts';
import type { MetricScope } from '../../../src/metrics/registry.ts';
import type { Log } from '../../../src/port/log.ts';
import { peerNames, ServerTls, type ServerTlsConfig } from '../../../src/wire/tls/index.ts';

const tls = process.getBuiltinModule('node:tls');

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly reusePort: boolean;
  readonly backlog: number | undefined;
  /** More are closed at once. */
  readonly maxConnections: number;
}

export interface Connection {
  readonly socket: Socket;
  /** `ip:port` of the client, as the gRPC library names it too. */
  readonly peer: string;
  /** Of the client's certificate, if it is believed. */
  readonly certificateNames: readonly string[];
}

export interface ListenerOptions {
  readonly listen: ListenOptions;
  readonly tls: ServerTlsConfig | undefined;
  /** Whether who a client is goes by its certificate too. */
  readonly requestClientAuth: boolean;
  readonly log: Log;
  readonly metrics?: MetricScope | undefined;
  readonly onConnection: (connection: Connection) => void;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #tls: ServerTls | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** The port. Rejects with the system's error, or with one that says which TLS file can't be used. */
  async listen(): Promise<number> {
    const { listen, log, metrics, requestClientAuth, tls: config } = this.#options;
    if (config !== undefined) {
      this.#tls = await ServerTls.open(config, { name: 'mesh interface', log, requestClientAuth });
    }
    const server = this.#createServer();
    this.#server = server;
    limitConnections(server, { maxConnections: listen.maxConnections, name: 'mesh interface', log, metrics });
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      const { host, port, reusePort, backlog } = listen;
      server.listen({ host, port, reusePort, ...(backlog === undefined ? {} : { backlog }) }, () => {
        server.off('error', reject);
        server.on('error', (error) => log.error({ err: error }, 'the listening socket failed'));
        resolve((server.address() as { port: number }).port);
      });
    });
  }

  /** Accepts nothing more. */
  close(): void {
    this.#server?.close();
    this.#tls?.close();
  }

  /** Cuts what is left. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #createServer(): Server {
    const { noDelay, keepAlive } = this.#options.listen;
    if (this.#tls === null) {
      return createServer({ noDelay, keepAlive }, (socket) => this.#accept(socket, []));
    }
    const options = { ...this.#tls.handshakeOptions, ...this.#tls.contextOptions, ALPNProtocols: ['h2'] };
    const server = tls.createServer({ ...options, noDelay, keepAlive }, (socket: TLSSocket) =>
      this.#accept(socket, peerNames(socket)),
    );
    this.#tls.follow(server);
    logFailedHandshakes(server, this.#options.log);
    return server;
  }

  #accept(socket: Socket, certificateNames: readonly string[]): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // The library listens too once it has a session; until then an error must not end the process.
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'a connection failed'));
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#options.onConnection({ socket, peer, certificateNames });
  }
}
