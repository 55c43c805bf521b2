/**
 * A name server for tests, on a UDP port of this machine. What it answers can be changed at any time; it remembers what it was
 * asked. Wire format: RFC 1035 section 4.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** How a name is answered. A name that has no entry does not exist. */
export type Reply =
  /** Addresses of both families, in this order, after the aliases. */
  | { readonly addresses: readonly string[]; readonly ttl?: number; readonly aliases?: readonly string[] }
  | 'SERVFAIL'
  | 'REFUSED'
  | 'NXDOMAIN'
  /** No answer. */
  | 'silence';

const TYPE = { A: 1, CNAME: 5, AAAA: 28 };
const RCODE = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
const CLASS_IN = 1;

export class DnsServer {
  readonly names = new Map<string, Reply>();
  /** Every question, such as `web.example. A`, in order. */
  readonly asked: string[] = [];
  /** The largest number of questions that were being answered at once; see `delayMs`. */
  mostAtOnce = 0;
  /** Each answer waits for this long, so that questions overlap. */
  delayMs = 0;
  /** Answers that are still to be given. */
  readonly #pending = new Set<NodeJS.Timeout>();
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, peer) => {
      const timer = setTimeout(() => {
        this.#pending.delete(timer);
        const answer = this.#answer(query);
        if (answer !== undefined) socket.send(answer, peer.port, peer.address, () => {});
      }, this.delayMs);
      this.#pending.add(timer);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#pending.size);
    });
  }

  static async start(host = '127.0.0.1', port = 0): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** How often the name was asked for, in either family. */
  count(name: string): number {
    return this.asked.filter((question) => question.startsWith(`${name}. `)).length;
  }

  close(): void {
    // Nothing can be sent any more.
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer | undefined {
    const { name, type, end } = readQuestion(query);
    this.asked.push(`${name}. ${Object.entries(TYPE).find(([, code]) => code === type)?.[0] ?? type}`);
    const reply = this.names.get(name) ?? 'NXDOMAIN';
    if (reply === 'silence') return undefined;
    const records = typeof reply === 'string' ? [] : encodeRecords(name, type, reply);
    const rcode = typeof reply === 'string' ? RCODE[reply] : 0;
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    // A response, authoritative, recursion desired and available.
    header.writeUInt16BE(0x8580 | rcode, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(12, end), ...records]);
  }
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length !== 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encodeRecords(name: string, type: number, reply: Exclude<Reply, string>): Buffer[] {
  const { addresses, ttl = 0, aliases = [] } = reply;
  const owners = [name, ...aliases];
  const chain = aliases.map((alias, i) => encodeRecord(owners[i]!, TYPE.CNAME, ttl, encodeName(alias)));
  const wanted = addresses.filter((address) => (isIPv4(address) ? TYPE.A : TYPE.AAAA) === type);
  return [...chain, ...wanted.map((address) => encodeRecord(owners.at(-1)!, type, ttl, encodeAddress(address)))];
}

function encodeRecord(owner: string, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(CLASS_IN, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(owner), fixed, data]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function encodeAddress(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [front = '', back] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [head, tail] = [groups(front), groups(back ?? '')];
  const bytes = Buffer.alloc(16);
  [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail].forEach((group, i) => {
    bytes.writeUInt16BE(group, i * 2);
  });
  return bytes;
}
