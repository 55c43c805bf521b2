/**
 * Trace ids in Linkerd's own form, `l5d-ctx-trace` (reference/http-semantics.md section 5): base64 of big-endian
 *
 *     span id 8 | parent id 8 | trace id 8 | flags 8 | trace id, high half 8 (only in the 40-byte form)
 *
 * Each hop adds two spans, a server span and a client span for each attempt; what is sent on is the client span.
 */
import crypto from 'node:crypto';
import type { HeaderBlock } from '../../wire/head.ts';

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

/** Work space, as words and as bytes: a trace is encoded before the next one begins. */
const words = new Uint32Array(LONG_BYTES / 4);
const bytes = Buffer.from(words.buffer);

/** Copies a span id to the field that begins at this word. */
function setSpan(word: number, span: number): void {
  words[word] = random[span] as number;
  words[word + 1] = random[span + 1] as number;
}

/**
 * Begins a trace, or continues the one of `received`, an `l5d-ctx-trace` value. `sample` is an `l5d-sample` value. Returns what
 * is sent on: `l5d-ctx-trace`, a new client span, child of this hop's server span; and `l5d-reqid`, the trace id's low 64
 * bits as 16 hexadecimal digits.
 */
export function startTrace(received: string | undefined, sample: string | undefined): HeaderBlock {
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
  return writeHeaders(length);
}

/** The headers of a further attempt: another client span of the same server span. */
export function nextClientSpan(headers: HeaderBlock): HeaderBlock {
  const length = decode(contextOf(headers));
  setSpan(SPAN_WORD, nextSpan());
  return writeHeaders(length);
}

/** `<trace id>.<span id><:<parent id>`, as the original shows a context in its errors. */
export function showTrace(headers: HeaderBlock): string {
  if (decode(contextOf(headers)) === 0) return '';
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

const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const HEX = Buffer.from('0123456789abcdef');
const BEFORE_CONTEXT = 'l5d-ctx-trace: ';
const BEFORE_ID = '\r\nl5d-reqid: ';

/** Both lines as bytes, of which only the ids change; padding stands where it does for contexts of this length. */
function linesFor(contextBytes: number): Buffer {
  const context = Buffer.alloc(contextBytes).toString('base64');
  return Buffer.from(`${BEFORE_CONTEXT}${context}${BEFORE_ID}${'0'.repeat(16)}\r\n`);
}

const SHORT_LINES = linesFor(SHORT_BYTES);
const LONG_LINES = linesFor(LONG_BYTES);

/**
 * The headers of what is in the work space. Nearly every request gets them: to write the ids into bytes and make one string of
 * all costs a third of encoding each by itself and joining the pieces.
 */
function writeHeaders(length: number): HeaderBlock {
  const lines = length === SHORT_BYTES ? SHORT_LINES : LONG_LINES;
  let to = BEFORE_CONTEXT.length;
  let from = 0;
  for (; from + 2 < length; from += 3) {
    const [a, b, c] = [bytes[from] as number, bytes[from + 1] as number, bytes[from + 2] as number];
    lines[to++] = BASE64[a >> 2] as number;
    lines[to++] = BASE64[((a & 3) << 4) | (b >> 4)] as number;
    lines[to++] = BASE64[((b & 15) << 2) | (c >> 6)] as number;
    lines[to++] = BASE64[c & 63] as number;
  }
  // One byte or two are left over.
  const [a, b] = [bytes[from] as number, from + 1 < length ? (bytes[from + 1] as number) : 0];
  lines[to++] = BASE64[a >> 2] as number;
  lines[to++] = BASE64[((a & 3) << 4) | (b >> 4)] as number;
  if (from + 1 < length) lines[to] = BASE64[(b & 15) << 2] as number;
  to = lines.length - 2 - 16;
  for (let at = 4 * TRACE_WORD; at < 4 * TRACE_WORD + 8; at++) {
    const byte = bytes[at] as number;
    lines[to++] = HEX[byte >> 4] as number;
    lines[to++] = HEX[byte & 15] as number;
  }
  return { http1: lines.toString('latin1') };
}

function contextOf({ http1 }: HeaderBlock): string {
  return http1.slice(BEFORE_CONTEXT.length, http1.indexOf('\r'));
}
