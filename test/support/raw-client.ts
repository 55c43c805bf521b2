/** A client that sends bytes as they are given and shows what came back, whether or not it is HTTP. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { reached } from './until.ts';

/** Pause of a script: `<<sleep 0.3s>>` between bytes. */
const PAUSE = /<<sleep ([\d.]+)s>>/;

export class RawConnection {
  readonly #socket: Socket;
  readonly localPort: number;
  /** Everything received so far, latin1. */
  received = '';
  /** The peer ended or reset the connection. */
  closed = false;

  static async open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.localPort = socket.localPort ?? 0;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    const onClosed = () => {
      this.closed = true;
    };
    socket.on('end', onClosed);
    socket.on('close', onClosed);
    socket.on('error', onClosed); // a reset is one way to be closed
  }

  /** Sends a script: latin1 bytes with `<<sleep 0.3s>>` pauses. Stops where the peer has closed. */
  async send(script: string): Promise<void> {
    const parts = script.split(PAUSE); // bytes, seconds, bytes, seconds, bytes
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 1) await sleep(Number(part) * 1000);
      else if (part !== '' && this.#socket.writable) this.#socket.write(part, 'latin1');
    }
  }

  /** Half-closes: no more bytes will be sent. */
  end(): void {
    this.#socket.end();
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export interface RawExchange {
  received: string;
  closed: boolean;
  localPort: number;
}

/**
 * One connection: sends the script, waits until `isDone` says that all expected has come (or the peer closed, or the
 * time is up), then listens `settleMs` longer for what should not come, and hangs up.
 */
export async function exchange(
  port: number,
  script: string,
  isDone: (connection: RawConnection) => boolean | Promise<boolean>,
  { settleMs = 20, timeoutMs = 10_000 }: { settleMs?: number; timeoutMs?: number } = {},
): Promise<RawExchange> {
  const connection = await RawConnection.open(port);
  try {
    await connection.send(script);
    await reached(async () => connection.closed || (await isDone(connection)), { timeoutMs });
    await sleep(settleMs);
    const { received, closed, localPort } = connection;
    return { received, closed, localPort };
  } finally {
    connection.destroy();
  }
}
