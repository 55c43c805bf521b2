/**
 * Why a request must be refused by a recipient that does not guess about framing, judged by the raw bytes of the first
 * request on a connection. Written from RFC 9112, apart from the codec under test.
 */
import { headerValues, listMembers, parseRequests, requestLine } from '../support/http-message.ts';
import { withoutPauses } from './recordings.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const CHUNK_SIZE = /^[0-9a-fA-F]{1,16}[ \t]*(;|$)/;

/** The reason with its RFC section, or undefined if the request is sound. */
export function faultOf(script: string): string | undefined {
  const bytes = withoutPauses(script);
  const headEnd = bytes.search(/\r?\n\r?\n/);
  const head = headEnd < 0 ? bytes : bytes.slice(0, headEnd);
  if (/(^|[^\r])\n/.test(head) || /\n\n/.test(bytes.slice(0, headEnd + 4))) return 'bare LF (RFC 9112 2.2)';
  if (/\r(?!\n)/.test(head)) return 'bare CR (RFC 9112 2.2)';
  const [start = '', ...lines] = head.replace(/^(\r\n)+/, '').split('\r\n');
  return faultOfStart(start) ?? firstFault(lines, faultOfLine) ?? faultOfFraming(bytes);
}

function faultOfStart(start: string): string | undefined {
  const { method, target, version } = requestLine({ start, headers: [], body: '', trailers: [], complete: true });
  if (!TOKEN.test(method)) return 'method is not a token (RFC 9110 9.1)';
  if (hasControls(target) || target.includes(' ') || hasObsText(target))
    return 'octets outside of a URI (RFC 9112 3.2)';
  if (!/^HTTP\/1\.[01]$/.test(version)) return 'unknown version (RFC 9112 2.3)';
  return undefined;
}

function faultOfLine(line: string): string | undefined {
  if (/^[ \t]/.test(line)) return 'obsolete line folding (RFC 9112 5.2)';
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!TOKEN.test(name)) return 'field name is not a token (RFC 9112 5.1)';
  if (hasControls(line.slice(colon + 1).replaceAll('\t', ''))) return 'control character in a value (RFC 9110 5.5)';
  return undefined;
}

function faultOfFraming(bytes: string): string | undefined {
  const [request] = parseRequests(bytes);
  if (request === undefined) return undefined;
  const lengths = headerValues(request.headers, 'content-length');
  const codings = listMembers(request.headers, 'transfer-encoding');
  const [host = '', ...moreHosts] = headerValues(request.headers, 'host');
  if (moreHosts.length > 0) return 'more than one Host (RFC 9112 3.2)';
  if (/[@ \t]/.test(host)) return 'user info or a blank in Host (RFC 9112 3.2)';
  if (lengths.length > 1) return 'more than one Content-Length (RFC 9112 6.3)';
  if (lengths.some((length) => !/^\d{1,15}$/.test(length))) return 'Content-Length is not a length (RFC 9112 6.3)';
  if (lengths.length > 0 && codings.length > 0) return 'Content-Length beside Transfer-Encoding (RFC 9112 6.1)';
  if (codings.length > 0 && codings.join() !== 'chunked') return 'Transfer-Encoding is not just chunked (RFC 9112 6.1)';
  if (codings.length > 0 && requestLine(request).version === 'HTTP/1.0')
    return 'Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)';
  return codings.length > 0 ? faultOfChunks(bytes.slice(bytes.indexOf('\r\n\r\n') + 4)) : undefined;
}

function faultOfChunks(body: string): string | undefined {
  let at = 0;
  while (at < body.length) {
    const lineEnd = body.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined; // more may come
    const line = body.slice(at, lineEnd);
    if (!CHUNK_SIZE.test(line)) return 'chunk size is not hexadecimal (RFC 9112 7.1)';
    const size = Number.parseInt(line, 16);
    if (size === 0) return undefined;
    const dataEnd = lineEnd + 2 + size;
    if (body.length >= dataEnd + 2 && !body.startsWith('\r\n', dataEnd)) return 'chunk is not its size (RFC 9112 7.1)';
    at = dataEnd + 2;
  }
  return undefined;
}

function firstFault(lines: readonly string[], check: (line: string) => string | undefined): string | undefined {
  for (const line of lines) {
    const fault = check(line);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function hasControls(text: string): boolean {
  return [...text].some((character) => character.charCodeAt(0) < 0x20 || character.charCodeAt(0) === 0x7f);
}

function hasObsText(text: string): boolean {
  return [...text].some((character) => character.charCodeAt(0) > 0x7f);
}
