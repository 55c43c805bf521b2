/** A TCP backend that keeps every byte it gets, whether or not it is HTTP, and answers requests or says what a test tells it. */
import { createServer, type Server, type Socket } from 'node:net';
import { parseRequest, requestLine } from '../support/http-message.ts';
import { portOf } from '../support/ports.ts';

interface Test {
  teardown(fn: () => Promise<void>): void;
}

export interface RawSocket {
  readonly socket: Socket;
  /** Latin1. */
  raw: string;
  /** The other side has ended or reset the connection. */
  closed: boolean;
}

/** The bytes (latin1) to answer a whole request with. */
export type Answer = (target: string, method: string) => string;

/** Answers with the target of the request. */
export const echoTarget: Answer = (target, method) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${method === 'HEAD' ? '' : target}`;

export class RawBackend {
  readonly #server: Server;
  /** In the order in which they were accepted. */
  readonly connections: RawSocket[] = [];
  /** The bytes of each whole request, in the order in which their ends came. */
  readonly requests: string[] = [];

  /** Closed when the test is over. */
  static async start(t: Test, answer: Answer = echoTarget): Promise<RawBackend> {
    const backend = new RawBackend(answer);
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(async () => {
      for (const { socket } of backend.connections) socket.destroy();
      await new Promise((resolve) => backend.#server.close(resolve));
    });
    return backend;
  }

  private constructor(answer: Answer) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const connection: RawSocket = { socket, raw: '', closed: false };
      this.connections.push(connection);
      let answered = 0;
      const onClosed = () => {
        connection.closed = true;
      };
      socket.on('end', onClosed);
      socket.on('close', onClosed);
      socket.on('error', onClosed);
      socket.on('data', (chunk: Buffer) => {
        connection.raw += chunk.toString('latin1');
        for (;;) {
          const parsed = parseRequest(connection.raw, answered);
          if (parsed === undefined || !parsed.message.complete) return;
          this.requests.push(connection.raw.slice(answered, parsed.end));
          answered = parsed.end;
          const { method, target } = requestLine(parsed.message);
          socket.write(answer(target, method), 'latin1');
        }
      });
    });
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** All bytes of all connections, in the order of these. */
  get raw(): string {
    return this.connections.map(({ raw }) => raw).join('');
  }
}
