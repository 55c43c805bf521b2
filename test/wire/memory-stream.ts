/**
 * A second protocol, in memory, as HTTP/2 will be: heads are flat lists of lower-case names and values, chunks and heads
 * are overwritten as soon as nobody may look at them any more, and some sends take their bytes only later.
 */
import {
  Body,
  type BodyKind,
  type Head,
  type HeaderBlock,
  type RequestHead,
  type ResponseHead,
} from '../../src/wire/head.ts';
import { bit, Known, knownHeader } from '../../src/wire/known-headers.ts';
import {
  type ConnectionAddresses,
  NO_BYTES,
  type ResetReason,
  type Stream,
  type StreamEvents,
} from '../../src/wire/stream.ts';

type Field = readonly [name: string, value: string];

export class FlatHead implements RequestHead {
  readonly method: string;
  target: string;
  readonly minorVersion = 1;
  readonly protocol = 'HTTP/2';
  bodyKind: BodyKind;
  contentLength: number;
  readonly present: number;
  #holders = 1;
  #received: Field[];
  #appended: Field[] = [];
  #dropped = 0;

  constructor(method: string, target: string, fields: readonly Field[], hasBody: boolean) {
    this.method = method;
    this.target = target;
    this.#received = [...fields];
    this.present = fields.reduce((mask, [name]) => mask | bit(idOf(name)), 0);
    const length = fields.find(([name]) => name === 'content-length')?.[1];
    this.contentLength = Number(length ?? 0);
    this.bodyKind = length !== undefined ? Body.length : hasBody ? Body.chunked : Body.none;
  }

  get(name: string): string | undefined {
    return this.#kept().find(([key]) => key.toLowerCase() === name)?.[1];
  }

  values(known: number): string[] {
    return this.#received.filter(([name]) => idOf(name) === known).map(([, value]) => value);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#kept()) visit(name, value);
  }

  drop(mask: number): void {
    this.#dropped |= mask;
  }

  remove(name: string): void {
    this.#received = this.#received.filter(([key]) => key !== name);
  }

  removeAll(names: ReadonlySet<string>): void {
    this.#received = this.#received.filter(([key]) => !names.has(key));
  }

  append(name: string, value: string): void {
    this.#appended.push([name, value]);
  }

  appendBlock(block: HeaderBlock): void {
    for (const line of block.http1.split('\r\n').slice(0, -1)) {
      const colon = line.indexOf(': ');
      this.append(line.slice(0, colon), line.slice(colon + 2));
    }
  }

  reframe(kind: BodyKind, contentLength: number): void {
    this.bodyKind = kind;
    this.contentLength = contentLength;
    this.drop(bit(Known.contentLength));
    if (kind === Body.length) this.append('content-length', String(contentLength));
  }

  mark(): number {
    return this.#appended.length;
  }

  rewind(mark: number): void {
    this.#appended.length = mark;
  }

  setTarget(target: string): void {
    this.target = target;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0) return;
    if (this.#holders < 0) throw new Error('released once too often');
    this.#received = [['overwritten', 'yes']];
    this.#appended = [];
    this.target = '/overwritten';
  }

  get isReleased(): boolean {
    return this.#holders === 0;
  }

  http1Fields(): string {
    return this.#kept()
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }

  #kept(): Field[] {
    return [...this.#received.filter(([name]) => (this.#dropped & bit(idOf(name))) === 0), ...this.#appended];
  }
}

function idOf(name: string): number {
  return knownHeader(Buffer.from(name, 'latin1'), 0, name.length);
}

function fieldsOf(head: Head): Field[] {
  const fields: Field[] = [];
  head.forEach((name, value) => {
    fields.push([name, value]);
  });
  return fields;
}

export interface MemoryRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly body?: readonly Buffer[];
  readonly trailers?: readonly Field[];
}

/** What opens an exchange for a stream: a server of the router. */
export interface Opener {
  open(stream: Stream, addresses: ConnectionAddresses): StreamEvents;
}

const ADDRESSES: ConnectionAddresses = {
  remoteHost: '127.0.0.1',
  remotePort: 1,
  localHost: '127.0.0.1',
  localPort: 2,
};

/** Bytes that were lent to us by a send that said that it still reads them. */
interface Pending {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

export class MemoryStream implements Stream {
  status = 0;
  bodyKind: number = Body.none;
  fields: Field[] = [];
  readonly interim: number[] = [];
  body: Buffer = NO_BYTES;
  trailers: Field[] | null = null;
  ended = false;
  /** The proxy broke the stream off. */
  wasReset = false;
  /** Bytes that were taken late, to be sure that some were. */
  takenLate = 0;

  readonly head: FlatHead;
  readonly #events: StreamEvents;
  readonly #pieces: Buffer[];
  readonly #trailers: FlatHead | null;
  #held = false;
  #lent: Buffer | null = null;
  #requestDone = false;
  #sends = 0;
  #pending: Pending[] = [];

  constructor(opener: Opener, { method, target, fields, body = [], trailers }: MemoryRequest) {
    this.head = new FlatHead(method, target, fields, body.length > 0);
    this.#pieces = body.map((piece) => Buffer.from(piece));
    this.#trailers = trailers === undefined ? null : new FlatHead('', '', trailers, false);
    this.#events = opener.open(this, ADDRESSES);
    const first = this.#pieces.shift() ?? NO_BYTES;
    const fin = this.#pieces.length === 0 && this.#trailers === null;
    this.#requestDone = fin;
    this.#lent = first;
    this.#events.onHead(this.head, first, 0, first.length, fin);
    this.head.release();
    this.#sent();
  }

  /** The client gives up. */
  cancel(reason: ResetReason = { type: 'closed' }): void {
    this.#events.onReset(reason);
  }

  // ---- Stream

  sendHead(head: ResponseHead, chunk: Buffer, start: number, end: number, fin: boolean): boolean {
    if (this.status !== 0) throw new Error('a second response');
    this.status = head.status;
    this.bodyKind = head.bodyKind;
    this.fields = fieldsOf(head);
    const taken = this.#take(chunk, start, end);
    if (fin) this.sendEnd(null);
    return taken;
  }

  sendInterim(head: ResponseHead): void {
    this.interim.push(head.status);
  }

  sendData(chunk: Buffer, start: number, end: number): boolean {
    if (this.ended) throw new Error('data after the end');
    return this.#take(chunk, start, end);
  }

  sendEnd(trailers: Head | null): void {
    if (this.ended) throw new Error('a second end');
    this.ended = true;
    if (trailers !== null) this.trailers = fieldsOf(trailers);
  }

  reset(): void {
    this.wasReset = true;
  }

  hold(): void {
    this.#held = true;
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    setImmediate(() => this.#sent());
  }

  /** Everything has come, also what was taken late. */
  get isComplete(): boolean {
    return this.ended && this.#pending.length === 0;
  }

  // ---- the two directions

  /** Takes every third send late: its bytes are looked at only when the one who lent them must have kept them. */
  #take(chunk: Buffer, start: number, end: number): boolean {
    if (start === end) return true;
    const late = this.#pending.length > 0 || ++this.#sends % 3 === 0;
    if (!late) {
      this.body = Buffer.concat([this.body, chunk.subarray(start, end)]);
      return true;
    }
    this.#pending.push({ chunk, start, end });
    if (this.#pending.length === 1) setTimeout(() => this.#drain(), 2);
    return false;
  }

  #drain(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { start, end } of pending) this.takenLate += end - start;
    this.body = Buffer.concat([this.body, ...pending.map(({ chunk, start, end }) => chunk.subarray(start, end))]);
    this.#events.onDrain();
  }

  /** After a piece was delivered: its bytes are ours again unless we are held; then they stay until `resume`. */
  #sent(): void {
    while (!this.#held) {
      this.#lent?.fill('#');
      this.#lent = null;
      if (this.#requestDone || this.wasReset) return;
      const piece = this.#pieces.shift();
      if (piece === undefined) {
        this.#requestDone = true;
        this.#events.onEnd(this.#trailers);
        this.#trailers?.release();
        return;
      }
      this.#lent = piece;
      this.#events.onData(piece, 0, piece.length);
    }
  }
}
