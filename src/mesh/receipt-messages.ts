/**
 * signpost.receipt.v1: Signposts tell namerd which version of a dtab their traffic goes by. A service of Signpost's own beside
 * io.l5d.mesh, whose messages say nothing of versions; an original peer never calls it, nor is it asked for it.
 *
 *     service Receipts { rpc Exchange(stream FromSignpost) returns (stream FromNamerd); }
 *
 * namerd computes each binding that it is told of, and says by which version and with which digest of the tree (digest.ts). The
 * Signpost compares that with the trees that it got over io.linkerd.mesh, from whichever namerd, and answers with a receipt.
 */
import { Dtab, Path } from '../naming/index.ts';
import { type Method, message } from './methods.ts';
import { readDtab, readPath, writeDtab, writePath } from './naming-messages.ts';
import { ProtoError, type ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** `{ name 1, router 2, namespace 3 }`: the first thing that a Signpost says. */
export interface Hello {
  /** Of the Signpost; the same after a restart. */
  readonly name: string;
  readonly router: string;
  readonly namespace: string;
}

/** `{ number 1, path 2, dtab 3 }`: a binding that is live from now on. */
export interface LiveBinding {
  /** Chosen by the Signpost. */
  readonly number: number;
  readonly path: Path;
  readonly dtab: Dtab;
}

export type ReceiptState = 'serving' | 'idle' | 'old';

/** `{ state 1, version 2, received 3, waiting 4 }`. */
export interface ReceiptMessage {
  readonly state: ReceiptState;
  /** What traffic goes by; undefined: there is no such namespace, or nothing was served yet. */
  readonly version?: Uint8Array | undefined;
  /** For `old`: the version that namerd has told of. */
  readonly received?: Uint8Array | undefined;
  /** For `old`: a line for each name that is not there yet. */
  readonly waiting: readonly string[];
}

/** `{ hello 1, repeated live 2, repeated ended 3, receipt 4, leaving 5 }`. */
export interface FromSignpost {
  readonly hello?: Hello | undefined;
  readonly live?: readonly LiveBinding[];
  /** Numbers of bindings that are no longer live. */
  readonly ended?: readonly number[];
  readonly receipt?: ReceiptMessage | undefined;
  /** It goes away on purpose. */
  readonly leaving?: boolean;
}

/** `{ number 1, digest 2, problem 3 }`: what has become of a binding. */
export interface Computed {
  readonly number: number;
  /** Of its tree, a byte a character; undefined while there is none. */
  readonly digest?: string | undefined;
  /** Why it has not been computed by the present version; undefined: it has. */
  readonly problem?: string | undefined;
}

/** `{ version 1, repeated computed 2 }`. */
export interface FromNamerd {
  /** The present version of the namespace; undefined: there is no such namespace. */
  readonly version?: Uint8Array | undefined;
  /** What has changed since the last message. */
  readonly computed: readonly Computed[];
}

const STATES: readonly ReceiptState[] = ['serving', 'idle', 'old'];

function writeFromSignpost(
  writer: ProtoWriter,
  { hello, live = [], ended = [], receipt, leaving }: FromSignpost,
): void {
  if (hello !== undefined) {
    writer.message(1, () => {
      writer.text(1, hello.name);
      writer.text(2, hello.router);
      writer.text(3, hello.namespace);
    });
  }
  for (const { number, path, dtab } of live) {
    writer.message(2, () => {
      writer.int(1, number);
      writer.message(2, () => writePath(writer, path));
      writer.message(3, () => writeDtab(writer, dtab));
    });
  }
  for (const number of ended) writer.int(3, number);
  if (receipt !== undefined) writer.message(4, () => writeReceipt(writer, receipt));
  if (leaving === true) writer.int(5, 1);
}

function writeReceipt(writer: ProtoWriter, { state, version, received, waiting }: ReceiptMessage): void {
  writer.int(1, STATES.indexOf(state));
  if (version !== undefined) writer.bytes(2, version);
  if (received !== undefined) writer.bytes(3, received);
  for (const line of waiting) writer.text(4, line);
}

function readFromSignpost(reader: ProtoReader): FromSignpost {
  let hello: Hello | undefined;
  let receipt: ReceiptMessage | undefined;
  let leaving = false;
  const live: LiveBinding[] = [];
  const ended: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) hello = readHello(reader.message());
    else if (reader.field === 2) live.push(readLiveBinding(reader.message()));
    else if (reader.field === 3) ended.push(reader.int());
    else if (reader.field === 4) receipt = readReceipt(reader.message());
    else if (reader.field === 5) leaving = reader.int() !== 0;
    else reader.skip();
  }
  return { hello, live, ended, receipt, leaving };
}

function readHello(reader: ProtoReader): Hello {
  let name = '';
  let router = '';
  let namespace = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) router = reader.text();
    else if (reader.field === 3) namespace = reader.text();
    else reader.skip();
  }
  return { name, router, namespace };
}

function readLiveBinding(reader: ProtoReader): LiveBinding {
  let number = 0;
  let path = Path.empty;
  let dtab = Dtab.empty;
  while (reader.next()) {
    if (reader.field === 1) number = reader.int();
    else if (reader.field === 2) path = readPath(reader.message());
    else if (reader.field === 3) dtab = readDtab(reader.message());
    else reader.skip();
  }
  return { number, path, dtab };
}

function readReceipt(reader: ProtoReader): ReceiptMessage {
  let state: ReceiptState | undefined;
  let version: Uint8Array | undefined;
  let received: Uint8Array | undefined;
  const waiting: string[] = [];
  while (reader.next()) {
    if (reader.field === 1) state = STATES[reader.int()];
    else if (reader.field === 2) version = reader.bytes();
    else if (reader.field === 3) received = reader.bytes();
    else if (reader.field === 4) waiting.push(reader.text());
    else reader.skip();
  }
  if (state === undefined) throw new ProtoError('a receipt without a state');
  return { state, version, received, waiting };
}

function writeFromNamerd(writer: ProtoWriter, { version, computed }: FromNamerd): void {
  if (version !== undefined) writer.bytes(1, version);
  for (const { number, digest, problem } of computed) {
    writer.message(2, () => {
      writer.int(1, number);
      if (digest !== undefined) writer.latin1(2, digest);
      if (problem !== undefined) writer.text(3, problem);
    });
  }
}

function readFromNamerd(reader: ProtoReader): FromNamerd {
  let version: Uint8Array | undefined;
  const computed: Computed[] = [];
  while (reader.next()) {
    if (reader.field === 1) version = reader.bytes();
    else if (reader.field === 2) computed.push(readComputed(reader.message()));
    else reader.skip();
  }
  return { version, computed };
}

function readComputed(reader: ProtoReader): Computed {
  let number = 0;
  let digest: string | undefined;
  let problem: string | undefined;
  while (reader.next()) {
    if (reader.field === 1) number = reader.int();
    else if (reader.field === 2) digest = reader.latin1();
    else if (reader.field === 3) problem = reader.text();
    else reader.skip();
  }
  return { number, digest, problem };
}

export const exchangeReceipts: Method<FromSignpost, FromNamerd> = {
  path: '/signpost.receipt.v1.Receipts/Exchange',
  requestStream: true,
  responseStream: true,
  request: message(writeFromSignpost, readFromSignpost),
  response: message(writeFromNamerd, readFromNamerd),
};
