/** A TCP backend that answers as backend-replies.ts says and keeps the bytes of every request that it received. */
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Reply, replyTo } from './backend-replies.ts';
import { type Message, parseRequest, requestLine } from './http-message.ts';
import { portOf } from './ports.ts';

export interface ReceivedRequest {
  /** Counts the backend's connections from 1. */
  readonly connection: number;
  /** When its head was complete, by `performance.now()`. */
  readonly receivedAt: number;
  /** Latin1; grows until the request is complete. */
  raw: string;
  complete: boolean;
}

export class RecordingBackend {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #attempts = new Map<string, number>();
  #connections = 0;
  /** In the order in which their heads were complete. */
  readonly requests: ReceivedRequest[] = [];

  /** Listens on an ephemeral port of loopback; closed when the test is over. */
  static async start(t: { teardown(fn: () => Promise<void>): void }): Promise<RecordingBackend> {
    const backend = new RecordingBackend();
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => backend.close());
    return backend;
  }

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  get port(): number {
    return portOf(this.#server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const connection = ++this.#connections;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());

    let pending = ''; // bytes not yet part of a complete request
    let current: ReceivedRequest | undefined;
    let reply: Reply | undefined;
    let tunnel = false;
    let answering = false;

    const advance = async (): Promise<void> => {
      while (!answering && !tunnel) {
        const parsed = parseRequest(pending);
        if (parsed === undefined) return;
        const { message, end } = parsed;
        if (current === undefined) {
          current = { connection, receivedAt: performance.now(), raw: '', complete: false };
          this.requests.push(current);
          reply = replyTo(message, this.#countAttempt(message));
          if (reply.early !== undefined) socket.write(reply.early, 'latin1');
        }
        current.raw = pending.slice(0, end);
        current.complete = message.complete;
        if (!message.complete || reply === undefined) return;
        pending = pending.slice(end);
        answering = true;
        await send(socket, reply);
        answering = false;
        tunnel = reply.after === 'tunnel';
        current = undefined;
        reply = undefined;
      }
    };

    socket.on('data', (chunk: Buffer) => {
      if (tunnel) {
        socket.write(chunk);
        return;
      }
      pending += chunk.toString('latin1');
      void advance();
    });
  }

  #countAttempt(message: Message): number {
    const { target } = requestLine(message);
    const attempts = this.#attempts.get(target) ?? 0;
    this.#attempts.set(target, attempts + 1);
    return attempts;
  }
}

async function send(socket: Socket, reply: Reply): Promise<void> {
  for (const part of reply.parts) {
    if (typeof part === 'number') await sleep(part);
    else if (socket.writable) socket.write(part, 'latin1');
  }
  if (reply.after === 'close') socket.end();
}
