/** The real program between raw sockets: what a test of connections says and sees on both sides. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts, portOf } from '../../support/ports.ts';
import { startSignpost } from '../../support/signpost.ts';
import { until } from '../../support/until.ts';

interface Scope {
  teardown(fn: () => unknown): void;
}

/** A socket as a test sees it: bytes are latin1. */
export class Peer {
  readonly socket: Socket;
  received = '';
  /** The other side will send nothing more. */
  ended = false;
  closed = false;
  /** The system's code when the connection broke. */
  error: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  send(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Waits until these bytes have come. */
  async got(part: string | RegExp): Promise<void> {
    await until(() => (typeof part === 'string' ? this.received.includes(part) : part.test(this.received))).catch(
      () => {
        throw new Error(`never got ${part}; got ${JSON.stringify(this.received.slice(-500))}`);
      },
    );
  }

  /** What has been received, which is then forgotten. */
  take(): string {
    const { received } = this;
    this.received = '';
    return received;
  }
}

export async function client(t: Scope, port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new Peer(socket);
}

export class Backend {
  readonly peers: Peer[] = [];
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** `serve` is called for each connection. */
  static async start(t: Scope, serve: (peer: Peer) => void = () => {}): Promise<Backend> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const backend = new Backend(server);
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      backend.peers.push(peer);
      serve(peer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const { socket } of backend.peers) socket.destroy();
      server.close();
    });
    return backend;
  }

  /** Requests say this in their Host header to come here. */
  get host(): string {
    return String(portOf(this.#server));
  }

  /** The connection that has got a whole head, counted from 0. */
  async requested(index = 0): Promise<Peer> {
    await until(() => this.peers[index]?.received.includes('\r\n\r\n') === true);
    return this.peers[index] as Peer;
  }
}

/** Answers each request without a body as `reply` says. */
export function answering(reply: (request: string) => string): (peer: Peer) => void {
  return (peer) => {
    peer.socket.on('data', () => {
      for (;;) {
        const end = peer.received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const request = peer.received.slice(0, end + 4);
        peer.received = peer.received.slice(end + 4);
        peer.send(reply(request));
      }
    });
  };
}

export function sized(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

export interface Proxy {
  /** Routes a request to the backend that listens on the port that is its Host; clients may half-close. */
  readonly port: number;
  /** The same, with a header timeout and an idle timeout of 300 ms; a client that ends has left. */
  readonly impatientPort: number;
  readonly pid: number;
}

export async function startProxy(t: Scope): Promise<Proxy> {
  const [port, impatientPort, admin] = (await freePorts(3)) as [number, number, number];
  const router = (label: string, keys: string) => `
- protocol: http
  label: ${label}
  dtab: /svc => /$/inet/127.0.0.1
  servers:
  - {${keys}}`;
  const { pid } = await startSignpost(
    t as Parameters<typeof startSignpost>[0],
    `admin: {port: ${admin}}
routers:${router('patient', `port: ${port}, allowHalfClose: true`)}${router('impatient', `port: ${impatientPort}, headerTimeoutMs: 300, idleTimeoutMs: 300`)}
`,
  );
  const listens = (at: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(at, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  await until(async () => (await listens(port)) && (await listens(impatientPort)));
  return { port, impatientPort, pid };
}
