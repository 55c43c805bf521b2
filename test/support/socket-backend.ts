/** A TCP backend whose behaviour a test writes down itself: what to do with each request of each connection. */
import { createServer, type Server, type Socket } from 'node:net';
import { type Message, parseRequest, requestLine } from './http-message.ts';
import { portOf } from './ports.ts';

export interface Arrived {
  readonly socket: Socket;
  readonly message: Message;
  readonly target: string;
  /** Counts connections from 1. */
  readonly connection: number;
  /** Counts the requests of this connection from 1. */
  readonly nth: number;
}

export interface SocketBackend {
  readonly port: number;
  readonly requests: Arrived[];
  readonly sockets: Set<Socket>;
  /** Connections accepted so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Listens on loopback until the test is over. `onRequest` gets whole requests and answers them on their socket. */
export async function socketBackend(
  t: { teardown(fn: () => Promise<void>): void },
  onRequest: (arrived: Arrived) => void,
  port = 0,
): Promise<SocketBackend> {
  const sockets = new Set<Socket>();
  const requests: Arrived[] = [];
  let connections = 0;
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = ++connections;
    let nth = 0;
    let pending = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      pending += chunk.toString('latin1');
      for (;;) {
        const parsed = parseRequest(pending);
        if (parsed === undefined || !parsed.message.complete) return;
        pending = pending.slice(parsed.end);
        const { message } = parsed;
        const arrived = { socket, message, target: requestLine(message).target, connection, nth: ++nth };
        requests.push(arrived);
        onRequest(arrived);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  return { port: portOf(server), requests, sockets, connections: () => connections, close };
}

/** Answers with 200 and this body. */
export function answer(socket: Socket, body = 'ok', fields = ''): void {
  socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
}
