/** A relay in front of a server that can fall silent: bytes are neither passed on nor refused, as when a host has gone. */
import { connect, createServer, type Socket } from 'node:net';

interface Test {
  teardown(fn: () => unknown): void;
}

export interface TcpRelay {
  readonly port: number;
  /** Passes on nothing more, in either direction; connections stay. */
  fallSilent(): void;
  /** The connections that are open pass on nothing more; new ones do. */
  silenceOpenConnections(): void;
  /** Connections that were accepted. */
  readonly accepted: number;
}

export async function startTcpRelay(t: Test, target: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  let silenced = 0;
  let accepted = 0;
  const server = createServer((near) => {
    const number = ++accepted;
    const passes = () => !isSilent && number > silenced;
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (passes()) to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (passes()) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as { port: number }).port,
    fallSilent: () => {
      isSilent = true;
    },
    silenceOpenConnections: () => {
      silenced = accepted;
    },
    get accepted() {
      return accepted;
    },
  };
}
