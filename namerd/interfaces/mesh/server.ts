/** The mesh interface as a server: it accepts connections itself and hands them to the gRPC library. */

import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Interface, InterfaceContext, ListeningAddress } from '../interface.ts';
import { MeshCounts } from './counts.ts';
import { Feeds } from './feeds.ts';
import { type ComputedState, sameComputedState } from './receipt-exchange.ts';
import { meshServices } from './services.ts';

export interface MeshListener {
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly reusePort: boolean;
  readonly backlog: number | undefined;
}

/**
 * Streams that one connection may have: two for each name that a Signpost has bound, so this is several times what its caches hold.
 */
const MAX_STREAMS_PER_CONNECTION = 20_000;
/** A client that does not answer a ping in this time is gone, and its streams with it. */
const PING_INTERVAL_MS = 5_000;
const PING_TIMEOUT_MS = 5_000;

export class MeshServer implements Interface {
  readonly #listener: MeshListener;
  readonly #context: InterfaceContext;
  readonly #counts: MeshCounts;
  readonly #feeds = new Feeds<Buffer>((a, b) => a.equals(b));
  readonly #grpc: Server;
  readonly #sockets = new Set<Socket>();
  readonly #server: NetServer;

  constructor(listener: MeshListener, context: InterfaceContext) {
    this.#listener = listener;
    this.#context = context;
    this.#counts = new MeshCounts(context.metrics);
    this.#grpc = new Server({
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
      'grpc.keepalive_time_ms': PING_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
      // Its registry of every call and socket costs memory, and nobody reads it.
      'grpc.enable_channelz': 0,
    });
    const { definition, implementation } = meshServices({
      namespaces: context.namespaces,
      feeds: this.#feeds,
      receipts: context.receipts,
      computed: new Feeds<ComputedState>(sameComputedState),
      counts: this.#counts,
    });
    this.#grpc.addService(definition, implementation);
    // The sockets come as bytes already, whether they went through TLS or not.
    const injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#server = createServer({ noDelay: listener.noDelay, keepAlive: listener.keepAlive }, (socket) => {
      this.#track(socket);
      injector.injectConnection(socket);
    });
  }

  start(): Promise<ListeningAddress> {
    const { host, port, reusePort, backlog } = this.#listener;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, ...(backlog === undefined ? {} : { backlog }) }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#context.log.error({ err: error }, 'the listening socket failed'));
        const address = this.#server.address() as { port: number };
        resolve({ host, port: address.port });
      });
    });
  }

  async close(graceMs: number): Promise<void> {
    this.#server.close();
    this.#counts.stopStreams();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.#grpc.forceShutdown();
        for (const socket of this.#sockets) socket.destroy();
        resolve();
      }, graceMs);
      this.#grpc.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  state(): unknown {
    const { streams, signposts } = this.#counts;
    return { connections: this.#sockets.size, streams, watched: this.#feeds.size, signposts };
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    this.#counts.connected();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#counts.disconnected();
    });
    // The library has a handler of its own once the session is there; until then an error must not end the process.
    socket.on('error', (error) => this.#context.log.debug({ err: error }, 'a connection failed'));
  }
}
