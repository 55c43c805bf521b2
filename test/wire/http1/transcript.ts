/** What a decoder made of some bytes, in a form that doesn't depend on how they were cut. */
import { Body, type Head } from '../../../src/wire/head.ts';
import { type DecoderEvents, type DecoderLimits, MessageDecoder } from '../../../src/wire/http1/decoder.ts';
import type { Http1Head } from '../../../src/wire/http1/head.ts';
import type { WireError } from '../../../src/wire/http1/syntax.ts';

export const LIMITS: DecoderLimits = {
  startLineBytes: 8192,
  headerBytes: 61_440,
  fields: 200,
  chunkExtensionBytes: 4096,
};

export interface DecodedMessage {
  /** Start line without its version's major number: `GET /a 1`, or `200 OK 1`. */
  readonly start: string;
  readonly fields: [string, string][];
  readonly bodyKind: number;
  body: string;
  trailers: [string, string][] | null;
  complete: boolean;
}

/** The messages in order; the status of the error that ended them, or null. */
export interface Transcript {
  readonly messages: DecodedMessage[];
  error: number | null;
  why: string | null;
}

function fieldsOf(head: Head): [string, string][] {
  const fields: [string, string][] = [];
  head.forEach((name, value) => {
    fields.push([name, value]);
  });
  return fields;
}

class Recorder implements DecoderEvents {
  readonly transcript: Transcript = { messages: [], error: null, why: null };
  readonly #role: 'request' | 'response';

  constructor(role: 'request' | 'response') {
    this.#role = role;
  }

  onHead(head: Http1Head, chunk: Buffer, start: number, end: number, fin: boolean): void {
    this.#add(head, chunk.toString('latin1', start, end), fin);
  }

  onInterimHead(head: Http1Head): void {
    this.#add(head, '', true);
  }

  onBody(chunk: Buffer, start: number, end: number): void {
    this.#last.body += chunk.toString('latin1', start, end);
  }

  onComplete(trailers: Http1Head | null): void {
    if (this.#last.complete) throw new Error('completed twice');
    this.#last.complete = true;
    if (trailers !== null) this.#last.trailers = fieldsOf(trailers);
  }

  onMalformed(error: WireError): void {
    if (this.transcript.error !== null) throw new Error('failed twice');
    this.transcript.error = error.status;
    this.transcript.why = error.message;
  }

  get #last(): DecodedMessage {
    return this.transcript.messages.at(-1) as DecodedMessage;
  }

  #add(head: Http1Head, body: string, complete: boolean): void {
    const start =
      this.#role === 'request'
        ? `${head.method} ${head.target} ${head.minorVersion}`
        : `${head.status} ${head.reason} ${head.minorVersion}`;
    this.transcript.messages.push({
      start,
      fields: fieldsOf(head),
      bodyKind: head.bodyKind,
      body,
      trailers: null,
      complete,
    });
  }
}

/**
 * Feeds the pieces to a new decoder, as a connection does: what a complete message leaves over is offered again after
 * `next()`. `methods`: for responses, what was asked; one message is taken for each.
 */
export function decode(
  role: 'request' | 'response',
  pieces: readonly string[],
  {
    limits = LIMITS,
    methods = [],
    upgradable = true,
    end = false,
  }: { limits?: DecoderLimits; methods?: readonly string[]; upgradable?: boolean; end?: boolean } = {},
): Transcript {
  const recorder = new Recorder(role);
  const decoder = new MessageDecoder(role, limits, recorder);
  let answered = 0;
  const expect = () => decoder.expectResponseTo(methods[answered++] ?? 'GET', upgradable);
  if (role === 'response') expect();
  for (const [i, piece] of pieces.entries()) {
    // As in a buffer that is used again: behind what was read there are other bytes, which nobody may look at. The most
    // misleading ones are those that come next.
    const chunk = Buffer.from(piece + pieces.slice(i + 1).join(''), 'latin1');
    let at = decoder.push(chunk, 0, piece.length);
    while (at < piece.length && decoder.isComplete) {
      if (role === 'response') expect();
      else decoder.next();
      at = decoder.push(chunk, at, piece.length);
    }
    if (at !== piece.length && recorder.transcript.error === null) throw new Error(`took ${at} of ${piece.length}`);
    // Bytes are lent: nobody may still look at them.
    chunk.fill('!');
  }
  if (end) decoder.finish();
  return recorder.transcript;
}

/** The bytes in two pieces, for every place where they can be cut. */
export function* cuts(bytes: string): Generator<string[]> {
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
}

export { Body };
