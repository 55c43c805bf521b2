/**
 * Stands in for many Signposts: a connection each, and on it what the mesh interpreter has: a stream for each name and for each id that
 * it is bound to, the exchange of receipts, and pings. A program of its own, so that its memory and its work are not namerd's:
 *
 *     node mesh-load.ts '{"mesh": 4321, "http": 4180, "clients": 100, "names": 100, "distinct": false}'
 *
 * It writes a line of JSON when everything has its first answer. Told `shift N`, it makes N updates that move all names to other ids
 * and back; told `fresh N`, N updates that move them to ids that were never seen, whose addresses are asked for, each followed by one
 * back that is not measured. It answers with the milliseconds from each update to each client's last name. It ends with its stdin.
 */
import { Agent, request } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchangeReceipts, type Method, meshMethods } from '../../src/mesh/index.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { type MeshLoad, nameOf, shiftDtab } from './mesh-plan.ts';

const plan = JSON.parse(process.argv[2] ?? '') as MeshLoad;

/** A Signpost pings so often where there is more than one namerd, ms. */
const PING_MS = 750;
/** Clients that are being set up at a time. */
const AT_ONCE = 10;
const UPDATE_TIMEOUT_MS = 20_000;
/** Where all names are bound at first, and between updates. */
const HOME = '127.0.0.1';
/** Lets both sides close streams before the next measurement, ms. */
const FORGET_MS = 50;

const ROOT = Path.parse('/default');
const agent = new Agent({ keepAlive: true });

/** One message as gRPC frames it: not compressed, its length, its bytes. */
function framed(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function open<Request, Response>(
  session: ClientHttp2Session,
  method: Method<Request, Response>,
  onMessage: (message: Response) => void,
): (message: Request) => ClientHttp2Stream {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: method.path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
  let pending: Buffer = Buffer.alloc(0);
  stream.on('error', (error) => fail(`${method.path}: ${error.message}`));
  stream.on('end', () => fail(`${method.path} was ended by namerd`));
  stream.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (pending.length < 5) return;
      const end = 5 + pending.readUInt32BE(1);
      if (pending.length < end) return;
      const bytes = pending.subarray(5, end);
      pending = pending.subarray(end);
      onMessage(method.response.decode(bytes));
    }
  });
  return (message) => {
    stream.write(framed(method.request.encode(message)));
    return stream;
  };
}

/** A name of one client: to which host it is bound now. */
class BoundName {
  host = '';

  constructor(client: MeshClient, path: string) {
    const send = open(client.session, meshMethods.streamBoundTree, (tree) => {
      if (tree.type !== 'leaf') return;
      const { id } = tree.value;
      client.resolve(id, () => {
        this.host = id.at(2) ?? '';
        client.onBound();
      });
    });
    send({ root: ROOT, name: Path.parse(path), dtab: Dtab.empty }).end();
  }
}

class MeshClient {
  readonly session = connect(`http://127.0.0.1:${plan.mesh}`);
  readonly #names: readonly BoundName[];
  /** The streams of addresses that are open, by their id. */
  readonly #resolving = new Map<string, ClientHttp2Stream>();
  /** When all names were bound to the host that is waited for, ms on performance.now(). */
  allAt = 0;
  #wanted = '';
  #onAll: () => void = () => {};

  constructor(index: number) {
    this.session.on('error', (error) => fail(`a connection failed: ${error.message}`));
    const paths = Array.from({ length: plan.names }, (_, i) => nameOf(plan, index, i));
    this.#names = paths.map((path) => new BoundName(this, path));
    const exchange = open(this.session, exchangeReceipts, () => {});
    const live = paths.map((path, i) => ({ number: i + 1, path: Path.parse(path), dtab: Dtab.empty }));
    exchange({ hello: { name: `load-${index}:9990`, router: 'in', namespace: 'default' }, live });
    setInterval(() => this.session.ping(() => {}), PING_MS);
  }

  /** Calls back when the addresses of an id are known. */
  resolve(id: Path, onAnswer: () => void): void {
    const key = id.show();
    if (this.#resolving.has(key)) {
      onAnswer();
      return;
    }
    let isAnswered = false;
    const send = open(this.session, meshMethods.streamReplicas, () => {
      if (!isAnswered) onAnswer();
      isAnswered = true;
    });
    this.#resolving.set(key, send(id).end());
  }

  /** Ends what addresses it has of ids at a host. */
  forget(host: string): void {
    for (const [key, stream] of this.#resolving) {
      if (Path.parse(key).at(2) !== host) continue;
      this.#resolving.delete(key);
      stream.removeAllListeners('end').close(constants.NGHTTP2_CANCEL);
    }
  }

  /** Resolves when all names are bound to a host. */
  until(host: string): Promise<void> {
    this.#wanted = host;
    return new Promise((resolve) => {
      this.#onAll = resolve;
      this.onBound();
    });
  }

  onBound(): void {
    if (this.#wanted === '' || this.#names.some(({ host }) => host !== this.#wanted)) return;
    this.#wanted = '';
    this.allAt = performance.now();
    this.#onAll();
  }
}

const clients: MeshClient[] = [];
let freshHosts = 0;
for (let index = 0; index < plan.clients; index += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, plan.clients - index) }, (_, i) => new MeshClient(index + i));
  clients.push(...batch);
  await Promise.all(batch.map((client) => client.until(HOME)));
}
const streams = plan.clients * (2 * plan.names + 1);
say({ streams });

for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(' ');
  say(await update(Number(count), command === 'fresh'));
}
process.exit(0);

/** Each client's ms to the last of its names, of all updates that are measured. */
async function update(count: number, isFresh: boolean): Promise<number[]> {
  const latencies: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!isFresh) {
      latencies.push(...(await moveTo(i % 2 === 0 ? '127.0.0.2' : HOME)));
      continue;
    }
    freshHosts++;
    latencies.push(...(await moveTo(freshHost())));
    await moveTo(HOME);
    for (const client of clients) client.forget(freshHost());
    await sleep(FORGET_MS);
  }
  return latencies;
}

/** Binds all names to a host by one update; each client's ms until it knows. */
async function moveTo(host: string): Promise<number[]> {
  const all = Promise.all(clients.map((client) => client.until(host)));
  const late = setTimeout(() => fail(`an update had not arrived after ${UPDATE_TIMEOUT_MS} ms`), UPDATE_TIMEOUT_MS);
  const startMs = performance.now();
  await put(shiftDtab(host));
  await all;
  clearTimeout(late);
  return clients.map(({ allAt }) => allAt - startMs);
}

/** The last one of those that were never seen before. */
function freshHost(): string {
  return `127.0.${1 + (freshHosts >> 8)}.${freshHosts & 0xff}`;
}

function put(dtab: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/dtab' };
    const options = { port: plan.http, path: '/api/1/dtabs/default', method: 'PUT', headers, agent };
    const sent = request(options, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 204 ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    sent.on('error', reject);
    sent.end(dtab);
  });
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function fail(what: string): never {
  process.stderr.write(`error: ${what}\n`);
  process.exit(1);
}
