/**
 * How connections reach several workers. On Linux each worker listens on the port and the kernel deals connections out
 * (SO_REUSEPORT, 27/24 of 50 connections measured); elsewhere the main thread accepts and hands sockets over in turn.
 */
import net from 'node:net';
import { ListenError, type ListenFailure, listenOptions, type ServerAddress } from './data-plane.ts';

export function canSharePorts(): boolean {
  return process.platform === 'linux';
}

/**
 * Chooses and checks the port of every server before any worker listens. SO_REUSEPORT would let two processes of a user listen
 * on one port in silence, so each address is first taken alone, unless the config asks for sharing. Rejects with ListenError.
 */
export async function claimPorts(servers: readonly ServerAddress[]): Promise<number[]> {
  const probes: net.Server[] = [];
  try {
    const ports: number[] = [];
    for (const server of servers) {
      const probe = await listen(server);
      probes.push(probe);
      ports.push((probe.address() as net.AddressInfo).port);
    }
    return ports;
  } finally {
    // All are held until all are checked, so that two servers with port 0 get two ports.
    await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  }
}

/** Accepts on the main thread for workers that can't share a port. */
export class Acceptor {
  readonly #servers: net.Server[] = [];

  /** `hand` gives a connection of a server, which is paused, to a worker. Rejects with ListenError. */
  async start(
    servers: readonly ServerAddress[],
    hand: (server: number, socket: net.Socket) => void,
  ): Promise<number[]> {
    for (const [number, address] of servers.entries()) {
      const server = await listen(address);
      server.on('connection', (socket) => hand(number, socket));
      this.#servers.push(server);
    }
    return this.#servers.map((server) => (server.address() as net.AddressInfo).port);
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

async function listen({ config, host, port, key }: ServerAddress): Promise<net.Server> {
  const { noDelay, keepAlive, ...options } = listenOptions(config, host, port, false);
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay, keepAlive });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const failure: ListenFailure = { key, host, port, code: error.code ?? String(error) };
      reject(new ListenError(failure));
    });
    server.listen(options, resolve);
  });
  return server;
}
