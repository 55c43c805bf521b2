/**
 * Trace ids in Linkerd's own form, `l5d-ctx-trace` (reference/http-semantics.md section 5): base64 of big-endian
 *
 *     span id 8 | parent id 8 | trace id 8 | flags 8 | trace id, high half 8 (only in the 40-byte form)
 *
 * Each hop adds two spans, a server span and a client span for each attempt; what is sent on is the client span.
 */
import crypto from 'node:crypto';

const SHORT_BYTES = 32;
const LONG_BYTES = 40;
const SPAN_WORD = 0;
const PARENT_WORD = 2;
const TRACE_WORD = 4;
const FLAGS_WORD = 6;
const FLAGS_LOW_BYTE = 31;

const DEBUG = 1;
const SAMPLING_KNOWN = 2;
const SAMPLED = 4;

/** Random words are drawn in bulk: asking for 8 bytes at a time costs more than the rest of a trace id. */
const random = new Uint32Array(2048);
let drawn = random.length;

/** The index in `random` of two fresh words, one span id. */
function nextSpan(): number {
  if (drawn === random.length) {
    crypto.randomFillSync(random);
    drawn = 0;
  }
  drawn += 2;
  return drawn - 2;
}

/** Varies between processes, so that hops do not all sample the same traces. */
const SALT = crypto.randomInt(2 ** 31);

/** What is sent on of a trace. */
export interface TraceHeaders {
  /** `l5d-ctx-trace`: a new client span, child of this hop's server span. */
  readonly context: string;
  /** `l5d-reqid`: the trace id's low 64 bits as 16 hexadecimal digits. */
  readonly requestId: string;
}

/** Work space, as words and as bytes: a trace is encoded before the next one begins. */
const words = new Uint32Array(LONG_BYTES / 4);
const bytes = Buffer.from(words.buffer);

/** Copies a span id to the field that begins at this word. */
function setSpan(word: number, span: number): void {
  words[word] = random[span] as number;
  words[word + 1] = random[span + 1] as number;
}

/** Begins a trace, or continues the one of `received`, an `l5d-ctx-trace` value. `sample` is an `l5d-sample` value. */
export function startTrace(received: string | undefined, sample: string | undefined): TraceHeaders {
  const server = nextSpan();
  let length = received === undefined ? 0 : decode(received);
  if (length === 0) {
    // A new trace is named by its root, which is this hop's server span.
    length = SHORT_BYTES;
    setSpan(TRACE_WORD, server);
    words[FLAGS_WORD] = 0;
    words[FLAGS_WORD + 1] = 0;
  } else if (((bytes[FLAGS_LOW_BYTE] as number) & DEBUG) !== 0) {
    bytes[FLAGS_LOW_BYTE]! |= SAMPLING_KNOWN | SAMPLED;
  }
  setSpan(PARENT_WORD, server);
  setSpan(SPAN_WORD, nextSpan());
  if (sample !== undefined) applySample(sample);
  return { context: bytes.toString('base64', 0, length), requestId: bytes.toString('hex', 16, 24) };
}

/** The `l5d-ctx-trace` of a further attempt: another client span of the same server span. */
export function nextClientSpan(context: string): string {
  const length = decode(context);
  setSpan(SPAN_WORD, nextSpan());
  return bytes.toString('base64', 0, length);
}

/** `<trace id>.<span id><:<parent id>`, as the original shows a context in its errors; empty for what is none. */
export function showTrace(context: string): string {
  if (decode(context) === 0) return '';
  const id = (word: number): string => bytes.toString('hex', word * 4, word * 4 + 8);
  return `${id(TRACE_WORD)}.${id(SPAN_WORD)}<:${id(PARENT_WORD)}`;
}

/** Reads a context into the work space; 0 when it isn't one (its length is wrong). */
function decode(context: string): number {
  const decoded = Buffer.from(context, 'base64');
  if (decoded.length !== SHORT_BYTES && decoded.length !== LONG_BYTES) return 0;
  return decoded.copy(bytes);
}

/** Decides by the trace id, so that all hops that share a salt decide alike. */
function applySample(sample: string): void {
  const rate = Number(sample);
  if (sample === '' || !Number.isFinite(rate)) return;
  const sampled = Math.abs(bytes.readInt32BE(20) ^ SALT) % 10_000 < Math.min(1, Math.max(0, rate)) * 10_000;
  bytes[FLAGS_LOW_BYTE] = ((bytes[FLAGS_LOW_BYTE] as number) & ~SAMPLED) | SAMPLING_KNOWN | (sampled ? SAMPLED : 0);
}
