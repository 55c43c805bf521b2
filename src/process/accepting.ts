/**
 * How connections reach several workers. On Linux each worker listens on the port and the kernel deals connections out
 * (SO_REUSEPORT, 27/24 of 50 connections measured); elsewhere the main thread accepts and hands sockets over in turn.
 */
import net from 'node:net';
import { ListenError, type ListenFailure, listenOptions, type ServerAddress } from './data-plane.ts';

export function canSharePorts(): boolean {
  return process.platform === 'linux';
}

/** The port of each server, and how to let go of what keeps them. */
export interface ClaimedPorts {
  readonly ports: readonly number[];
  /** Call it when the workers listen, or can't. */
  release(): void;
}

/**
 * Chooses and checks the port of every server before any worker listens. SO_REUSEPORT would let two processes of a user listen
 * on one port in silence, so each address is first taken alone, unless the config asks for sharing. A port that the system chose
 * (0) stays bound until `release`: it could be given to anybody else meanwhile. Rejects with ListenError.
 */
export async function claimPorts(servers: readonly ServerAddress[]): Promise<ClaimedPorts> {
  const probes: net.Server[] = [];
  const chosen: net.BoundSocket[] = [];
  const release = (): void => chosen.forEach((socket) => void socket.close());
  try {
    const ports: number[] = [];
    for (const server of servers) {
      if (server.port === 0) {
        const socket = bindAny(server);
        chosen.push(socket);
        ports.push(socket.address().port);
      } else {
        probes.push(await listen(server));
        ports.push(server.port);
      }
    }
    return { ports, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    // All are held until all are checked: two servers with one port are noticed.
    await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  }
}

/** Binds to a port that is free, without listening: workers can share it, and no connection is dealt to it. */
function bindAny({ host, port, key }: ServerAddress): net.BoundSocket {
  try {
    return new net.BoundSocket({ host, port, reusePort: true });
  } catch (error) {
    throw new ListenError({ key, host, port, code: (error as NodeJS.ErrnoException).code ?? String(error) });
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
