/**
 * Plays the original's part in a recording: sends the backends what they got then, and the client what it got. With it
 * in Signpost's place the harness has to find every recording as recorded.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { header, type Message } from '../support/http-message.ts';
import type { RecordedCase } from './recordings.ts';
import { type Ports, withPorts } from './world.ts';

interface Test {
  teardown(fn: () => Promise<void> | void): void;
}

export class Player {
  /** What is being replayed. */
  current: RecordedCase | undefined;

  /** Listens on the ports of all routers that have one. */
  async start(t: Test, routerPorts: readonly number[], toActual: Ports): Promise<void> {
    for (const recordedPort of routerPorts) {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket, toActual));
      await new Promise<void>((resolve) => server.listen(toActual.get(recordedPort), '127.0.0.1', resolve));
      t.teardown(() => void server.close());
    }
  }

  #serve(socket: Socket, toActual: Ports): void {
    const recorded = this.current;
    if (recorded === undefined) throw new Error('nothing is being replayed');
    let received = '';
    const wanted = recorded.sentRequests.reduce((sum, request) => sum + request.body.length, 1);
    socket.on('error', () => {});
    socket.on('data', async (chunk: Buffer) => {
      const before = received.length;
      received += chunk.toString('latin1');
      if (before >= wanted || received.length < wanted) return; // play once, when about all is there
      await sleep(1); // for what may follow in the next segment
      for (const { port, message } of recorded.requests) {
        const headers = message.headers.map(
          ([name, value]) => [name, sentOn(name, value, received, toActual)] as const,
        );
        await forward(toActual.get(port) ?? 0, { ...message, headers });
      }
      const response = recorded.responses.map(bytesOf).join('');
      socket.write(
        response.replace(/(from(?: |\+)(?:\/|%2F)127\.0\.0\.1(?::|%3A))\d{5}/g, `$1${socket.remotePort}`),
        'latin1',
      );
      if (recorded.closed) socket.end();
    });
  }
}

/** Sends a request as it was recorded and waits until the backend has surely read it. */
async function forward(port: number, message: Message): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(bytesOf(message), 'latin1');
  const answered = new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
  await (message.complete ? answered : sleep(50));
  socket.destroy();
}

/** Deadlines are moved in time when they are sent, ports in dtabs are those of this run. */
function sentOn(name: string, value: string, received: string, toActual: Ports): string {
  const deadline = name === 'l5d-ctx-deadline' ? /l5d-ctx-deadline: (\d+ \d+)\r/.exec(received)?.[1] : undefined;
  return deadline ?? withPorts(value, toActual);
}

function bytesOf(message: Message): string {
  const head = `${message.start}\r\n${lines(message.headers)}\r\n`;
  if (header(message.headers, 'transfer-encoding') !== 'chunked') return head + message.body;
  const chunk = message.body === '' ? '' : `${message.body.length.toString(16)}\r\n${message.body}\r\n`;
  return head + chunk + (message.complete ? `0\r\n${lines(message.trailers)}\r\n` : '');
}

function lines(fields: Message['headers']): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
