/** Which responses may be compressed, and how a client wants them (RFC 9110 sections 8.4 and 12.5.3). */
import { Body, type Head, type ResponseHead } from '../../wire/head.ts';

export type ContentCoding = 'gzip' | 'deflate';

/** The coding that a client likes best; null where it wants none of ours. `accepted` is its Accept-Encoding. */
export function chooseCoding(accepted: string | undefined): ContentCoding | null {
  if (accepted === undefined) return null;
  const weights = new Map<string, number>();
  for (const member of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
    const weight = q === undefined ? 1 : Number(q);
    weights.set(name.replace(/^x-/, ''), weight >= 0 && weight <= 1 ? weight : 0);
  }
  const any = weights.get('*') ?? 0;
  const gzip = weights.get('gzip') ?? any;
  const deflate = weights.get('deflate') ?? any;
  const best = Math.max(gzip, deflate);
  if (best === 0 || best < (weights.get('identity') ?? 0)) return null;
  return gzip === best ? 'gzip' : 'deflate';
}

/** Fields that say something of the bytes as they are, which would be wrong of others. */
const TIED_TO_BYTES = [
  'content-encoding',
  'content-range',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'signature',
];

const TEXT =
  /^(text\/|application\/(json|javascript|x-javascript|ecmascript|xml|x-ndjson|graphql)\b|[^;]*\+(json|xml)\b)/i;

/** Whether a response has a body that may be sent in another coding; `textOnly`: and one that is worth it, by its type. */
export function isCompressible(head: ResponseHead, textOnly: boolean): boolean {
  const { bodyKind, status } = head;
  if (bodyKind === Body.none || bodyKind === Body.tunnel || (bodyKind === Body.length && head.contentLength === 0))
    return false;
  if (status === 206 || TIED_TO_BYTES.some((name) => head.get(name) !== undefined)) return false;
  if (forbidsTransforming(head)) return false;
  return !textOnly || TEXT.test(head.get('content-type') ?? '');
}

/** `Cache-Control: no-transform` (RFC 9111 sections 5.2.1.6 and 5.2.2.6). */
export function forbidsTransforming(head: Head): boolean {
  return listHas(head, 'cache-control', 'no-transform');
}

/** Makes the head that of the same response in another coding. */
export function markCoded(head: ResponseHead, coding: ContentCoding): void {
  const tag = head.get('etag');
  if (tag !== undefined && !tag.startsWith('W/')) {
    head.remove('etag');
    // The same in meaning, no longer byte by byte (RFC 9110 8.8.1).
    head.append('ETag', `W/${tag}`);
  }
  head.remove('accept-ranges');
  head.append('Content-Encoding', coding);
  head.reframe(Body.chunked, 0);
}

/** Tells caches that the answer depends on what the client accepts, whether or not this one accepts anything. */
export function markVarying(head: ResponseHead): void {
  if (!listHas(head, 'vary', 'accept-encoding') && !listHas(head, 'vary', '*')) head.append('Vary', 'Accept-Encoding');
}

/** Whether a member of a list field, of all its lines, is this lower-case word. */
function listHas(head: Head, name: string, word: string): boolean {
  let found = false;
  head.forEach((key, value) => {
    if (key.toLowerCase() !== name) return;
    found ||= value.split(',').some((member) => member.trim().toLowerCase() === word);
  });
  return found;
}
