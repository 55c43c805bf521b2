/**
 * Attacks from the client's side, end to end: bytes into a running Signpost, and what its backend got of them. Every attack
 * carries a second request behind the first, `SMUGGLED`, which nobody may ever take for one.
 */
import type { Test } from 'tap';
import { header, type Message, parseRequests, parseResponses, requestLine, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { reached, until } from '../support/until.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';
import { RawBackend } from './raw-backend.ts';

export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n';

/** What came of some bytes. */
export interface Outcome {
  readonly responses: readonly Message[];
  readonly received: string;
  readonly closed: boolean;
  /** What the backend got meanwhile, on all of its connections. */
  readonly forwarded: string;
  /** The whole requests in it, in their order. */
  readonly requests: readonly Message[];
}

export class Gate {
  readonly port: number;
  readonly backend: RawBackend;
  #markers = 0;

  private constructor(port: number, backend: RawBackend) {
    this.port = port;
    this.backend = backend;
  }

  /** Signpost with one name, `web`. Its pool is warm: what is sent on leaves at once. */
  static async start(t: Test, options: WorldOptions = {}): Promise<Gate> {
    const backend = await RawBackend.start(t);
    const world = await startWorld(t, { names: { web: [backend.port] }, ...options });
    const gate = new Gate(world.port(), backend);
    await gate.#marker();
    return gate;
  }

  /** Sends the bytes on a connection of their own until `isDone` or the connection is closed. */
  async send(bytes: string, isDone: (received: string) => boolean = () => false): Promise<Outcome> {
    const before = this.backend.connections.map(({ raw }) => raw.length);
    const requestsBefore = this.backend.requests.length;
    const connection = await RawConnection.open(this.port);
    try {
      await connection.send(bytes);
      await reached(() => connection.closed || isDone(connection.received));
      const marker = await this.#marker();
      const forwarded = this.backend.connections
        .map(({ raw }, index) => raw.slice(before[index] ?? 0))
        .join('')
        .replace(marker, '');
      const requests = this.backend.requests.slice(requestsBefore).filter((raw) => raw !== marker);
      const { received, closed } = connection;
      const responses = parseResponses(received, [], closed);
      return { responses, received, closed, forwarded, requests: requests.flatMap((raw) => parseRequests(raw)) };
    } finally {
      connection.destroy();
    }
  }

  /** A request that comes after all others: when it is answered, the backend has got what it will get. Returns its bytes. */
  async #marker(): Promise<string> {
    const target = `/marker/${++this.#markers}`;
    const connection = await RawConnection.open(this.port);
    await connection.send(`GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`);
    await until(() => connection.received.endsWith(target));
    connection.destroy();
    const request = new RegExp(`GET ${target} HTTP[\\s\\S]*?\\r\\n\\r\\n`).exec(this.backend.raw)?.[0];
    if (request === undefined) throw new Error('the marker never came');
    return request;
  }
}

/** The attack is refused: one answer, a closed connection, and not a byte for the backend. */
export async function refused(t: Test, gate: Gate, attack: string, status = 400): Promise<void> {
  const what = JSON.stringify(attack.slice(0, 200));
  const { responses, closed, forwarded } = await gate.send(attack + SMUGGLED);
  t.strictSame([responses.map(statusOf), closed, forwarded], [[status], true, ''], what);
  const headers = responses[0]?.headers ?? [];
  t.equal(header(headers, 'connection'), 'close', `${what}: says that it closes`);
  t.ok(header(headers, 'l5d-err'), `${what}: says why`);
}

/**
 * The head is sound and may have been sent on before its body turned out to be none: the client is refused, and the backend
 * can't take what it got for a request.
 */
export async function brokenOff(t: Test, gate: Gate, attack: string, status = 400): Promise<void> {
  const what = JSON.stringify(attack.slice(0, 200));
  const connections = gate.backend.connections.length;
  const { responses, closed, forwarded } = await gate.send(attack + SMUGGLED);
  t.strictSame([responses.map(statusOf), closed], [[status], true], what);
  const whole = parseRequests(forwarded).filter(({ complete }) => complete);
  t.strictSame(
    [whole.map(({ start }) => start), forwarded.includes('smuggled')],
    [[], false],
    `${what}: nothing whole`,
  );
  if (forwarded === '') return;
  const begun = gate.backend.connections.slice(0, connections + 1).find(({ raw }) => raw.endsWith(forwarded));
  await until(() => begun?.closed === true);
}

/** What was sent on of one attack, taken apart by a reader that is not the codec under test. */
export interface Forwarded {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly headers: Message['headers'];
  readonly trailers: Message['trailers'];
}

/** The attack is harmless as it is sent on: so many requests reach the backend, and as many answers come. */
export async function passes(t: Test, gate: Gate, bytes: string, count = 1): Promise<Forwarded[]> {
  const isAnswered = (received: string) =>
    parseResponses(received, [], false).filter(({ complete, start }) => complete && !/ 1\d\d /.test(start)).length >=
    count;
  const { responses, requests } = await gate.send(bytes, isAnswered);
  const what = JSON.stringify(bytes.slice(0, 200));
  t.strictSame(
    responses.map(statusOf),
    Array.from({ length: count }, () => 200),
    what,
  );
  t.equal(requests.length, count, `${what}: as many requests`);
  return requests.map(({ start, headers, body, trailers }) => {
    const { method, target } = requestLine({ start, headers, body, trailers, complete: true });
    return { method, target, body, headers, trailers };
  });
}
