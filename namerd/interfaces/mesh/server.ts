/** The mesh interface as a server: it accepts connections itself and hands them to the gRPC library. */
import type { Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { AccessLogConfig } from '../../../src/access-log/config.ts';
import { type AuthConfig, warnIfOpen } from '../../../src/control-http/auth/index.ts';
import type { ServerTlsConfig } from '../../../src/wire/tls/index.ts';
import type { Interface, InterfaceContext, ListeningAddress } from '../interface.ts';
import { Access } from './access.ts';
import { MeshAccessLog } from './access-log.ts';
import { MeshCounts } from './counts.ts';
import { Feeds, sameAnswer } from './feeds.ts';
import { type Connection, Listener, type ListenOptions } from './listener.ts';
import { meshServices } from './services.ts';
import { sameTreeState } from './trees.ts';

export interface MeshServerOptions {
  readonly listen: ListenOptions;
  readonly tls: ServerTlsConfig | undefined;
  readonly auth: AuthConfig | undefined;
  readonly accessLog: AccessLogConfig | undefined;
}

/**
 * Streams that one connection may have: two for each name that a Signpost has bound, so this is several times what its caches hold.
 */
const MAX_STREAMS_PER_CONNECTION = 20_000;
/** A client that does not answer a ping in this time is gone, and its streams with it. */
const PING_INTERVAL_MS = 5_000;
const PING_TIMEOUT_MS = 5_000;

export class MeshServer implements Interface {
  readonly #options: MeshServerOptions;
  readonly #context: InterfaceContext;
  readonly #counts: MeshCounts;
  readonly #trees = new Feeds(sameTreeState);
  readonly #feeds = new Feeds(sameAnswer);
  #grpc: Server | null = null;
  readonly #listener: Listener;
  #access: Access | null = null;
  #accessLog: MeshAccessLog | null = null;
  #serve: (socket: Socket) => void = (socket) => socket.destroy();

  constructor(options: MeshServerOptions, context: InterfaceContext) {
    const { listen, tls, auth } = options;
    this.#options = options;
    this.#context = context;
    this.#counts = new MeshCounts(context.metrics);
    this.#listener = new Listener({
      listen,
      tls,
      requestClientAuth: auth !== undefined,
      log: context.log,
      metrics: context.metrics,
      onConnection: (connection) => {
        this.#onConnection(connection);
        this.#serve(connection.socket);
      },
    });
  }

  async start(): Promise<ListeningAddress> {
    const { auth, listen, accessLog } = this.#options;
    const { namespaces, receipts, log, metrics } = this.#context;
    const access = await Access.open(auth, log, metrics);
    this.#access = access;
    access.whenRevoked(() => this.#counts.stopRevoked());
    if (accessLog !== undefined) this.#accessLog = await MeshAccessLog.open(accessLog, log, metrics);
    const { definition, implementation, interceptor } = meshServices({
      namespaces,
      trees: this.#trees,
      feeds: this.#feeds,
      receipts,
      access,
      counts: this.#counts,
    });
    this.#grpc = new Server({
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
      'grpc.keepalive_time_ms': PING_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // Its registry of every call and socket costs memory, and nobody reads it.
      'grpc.enable_channelz': 0,
      interceptors: this.#accessLog === null ? [interceptor] : [this.#accessLog.interceptor, interceptor],
    });
    this.#grpc.addService(definition, implementation);
    // What comes through TLS has gone through it here.
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#serve = (socket) => injector.injectConnection(socket);
    const port = await this.#listener.listen();
    await this.#accessLog?.start();
    warnIfOpen(log, { ip: listen.host, port, auth });
    return { host: listen.host, port };
  }

  async close(graceMs: number): Promise<void> {
    this.#listener.close();
    this.#access?.close();
    this.#counts.stopStreams();
    if (this.#grpc !== null) await this.#shutDown(this.#grpc, graceMs);
    await this.#accessLog?.close();
  }

  async #shutDown(grpc: Server, graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        grpc.forceShutdown();
        this.#listener.destroy();
        resolve();
      }, graceMs);
      grpc.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  state(): unknown {
    const { streams, signposts } = this.#counts;
    const watched = this.#trees.size + this.#feeds.size;
    return { connections: this.#listener.connections, streams, watched, signposts };
  }

  #onConnection({ socket, peer, certificateNames }: Connection): void {
    this.#access?.connected(peer, certificateNames);
    this.#counts.connected();
    socket.on('close', () => {
      this.#access?.disconnected(peer);
      this.#counts.disconnected();
    });
  }
}
