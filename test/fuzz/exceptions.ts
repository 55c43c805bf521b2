/**
 * Where Signpost and llhttp read bytes differently, and why that is meant. `stricter`: we refuse what llhttp takes, by our
 * own words for it. `laxer`: we take what llhttp refuses; each says what makes that safe. Anything else that differs fails.
 */
import { METHODS } from 'node:http';
import type { Difference } from './compare.ts';
import type { ReadMessage } from './reading.ts';

export interface Exception {
  readonly name: string;
  readonly reason: string;
  applies(difference: Difference, ours: ReadMessage | undefined, bytes: string): boolean;
}

function stricter(name: string, why: RegExp, reason: string): Exception {
  return { name, reason, applies: (difference) => difference.kind === 'only theirs' && why.test(difference.why) };
}

function laxer(
  name: string,
  code: RegExp,
  reason: string,
  isMeant: (ours: ReadMessage, bytes: string) => boolean,
): Exception {
  return {
    name,
    reason,
    applies: (difference, ours, bytes) =>
      difference.kind === 'only ours' && code.test(difference.why) && ours !== undefined && isMeant(ours, bytes),
  };
}

function theyWait(name: string, reason: string, isMeant: (ours: ReadMessage) => boolean): Exception {
  return {
    name,
    reason,
    applies: ({ kind, why }, ours) =>
      kind === 'differently' && why.startsWith('they wait') && ours !== undefined && isMeant(ours),
  };
}

const known = new Set(METHODS);

export const exceptions: readonly Exception[] = [
  stricter(
    'bytes before a request',
    /^400 the request line has no method$/,
    'llhttp skips any CR and LF; RFC 9112 2.2 asks for CRLF, and a bare one is how two readers come to count differently',
  ),
  stricter(
    'HTTP/0.9',
    /^400 the request target has an invalid character$/,
    'llhttp takes a line without a version for a request; nobody speaks that any more, and any garbage can look like it',
  ),
  stricter(
    'other versions and protocols',
    /^(505 |400 the HTTP version is malformed$)/,
    'llhttp takes HTTP/0.9, HTTP/2.0, RTSP and empty lines before a response; what a proxy passes on must be what it says',
  ),
  stricter(
    'targets without a form',
    /^400 (CONNECT wants host:port|the target \* is for OPTIONS alone|the target is neither a path nor a URI with a host)$/,
    'RFC 9112 3.2 gives each method its forms; llhttp looks at bytes only',
  ),
  stricter('user info or blanks in Host', /^400 Host is no host$/, 'RFC 9112 3.2; llhttp does not look at Host'),
  stricter('Host more than once', /^400 Host is given more than once$/, 'RFC 9112 3.2; llhttp does not look at Host'),
  stricter(
    'codings beside chunked',
    /^400 the only Transfer-Encoding that is accepted is one "chunked"$/,
    'llhttp takes lists that end in chunked, empty members, and unknown codings of responses; a proxy would have to guess',
  ),
  stricter('chunks in HTTP/1.0', /^400 HTTP\/1\.0 has no Transfer-Encoding$/, 'RFC 9112 6.1'),
  stricter('a body of CONNECT', /^400 CONNECT has no body$/, 'RFC 9110 9.3.6 gives it no meaning'),
  stricter(
    'lengths beyond a double',
    /^400 (Content-Length is not a number of bytes|the chunk size is malformed)$/,
    'llhttp counts in 64 bits and takes leading zeros without end; we take 15 digits of length and 13 of a chunk size',
  ),
  stricter(
    'control characters in a reason phrase',
    /^400 the status line does not end with CRLF$/,
    'RFC 9112 4; llhttp lets them pass',
  ),
  stricter(
    'statuses below 100',
    /^400 the status line has no valid status code$/,
    'RFC 9110 15; llhttp takes 000 to 999',
  ),
  stricter(
    'a protocol that was not asked for',
    /^400 101 answers a request that asked for no other protocol$/,
    'RFC 9110 7.8; for llhttp it is an interim response',
  ),
  stricter(
    'a flood of interim responses',
    /^400 there is no end of interim responses$/,
    'more than 16 before a final one serve nothing but to keep a client busy; llhttp counts nothing',
  ),
  laxer(
    'methods that llhttp does not list',
    /^HPE_INVALID_(METHOD|VERSION|CONSTANT)$/,
    'RFC 9110 9.1: any token is a method; it is passed on as it came, and frames nothing',
    ({ start }) => !known.has(start.split(' ')[0] as string),
  ),
  laxer(
    'visible bytes in chunk extensions',
    /^HPE_(STRICT|INVALID_CHUNK_SIZE)$/,
    'they are read over and never passed on; what matters is that no control character stands in them',
    ({ fields }, bytes) => /chunked/i.test(fields.join()) && /[0-9a-f];[^\r\n]*\r\n/i.test(bytes),
  ),
  laxer(
    'a tab behind a coding',
    /^HPE_INVALID_TRANSFER_ENCODING$/,
    'RFC 9110 5.6.3: blanks and tabs around a value are no part of it; the coding is written anew when it is passed on',
    (_, bytes) => /chunked[ \t]*\t[ \t]*\r\n/i.test(bytes),
  ),
  {
    name: 'a tab behind the coding of a response',
    reason:
      'RFC 9110 5.6.3, as above: llhttp takes it for another coding, and the body for what comes until the end; what is passed on is chunked anew',
    applies: ({ kind }, ours, bytes) =>
      kind !== 'only ours' &&
      ours !== undefined &&
      /^\d{3} /.test(ours.start) &&
      ours.fields.some(([name, value]) => /^transfer-encoding$/i.test(name) && /^chunked$/i.test(value)) &&
      /chunked[ \t]*\t[ \t]*\r\n/i.test(bytes),
  },
  laxer(
    'digits and signs in a scheme',
    /^HPE_INVALID_URL$/,
    'RFC 3986 3.1 allows them; a target in absolute-form is passed on as a path',
    ({ start }) => /^\S+ [a-z]+[0-9+.-][a-z0-9+.-]*:\/\//i.test(start),
  ),
  laxer(
    'interim responses that end the connection',
    /^HPE_CLOSED_CONNECTION$/,
    'llhttp takes one of HTTP/1.0, or with Connection: close, for the last; RFC 9110 15.2: a final response follows',
    (_, bytes) => /HTTP\/1\.0 1\d\d|HTTP\/1\.1 1\d\d[\s\S]*?connection *:[^\r\n]*close/i.test(bytes),
  ),
  laxer(
    'what frames, in trailers',
    /^HPE_(INVALID|UNEXPECTED)_(CONTENT_LENGTH|TRANSFER_ENCODING)$/,
    'RFC 9110 6.5.1: it means nothing there; it is left out when the trailers are passed on',
    ({ trailers }) => trailers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name)),
  ),
  theyWait(
    'PRI',
    'llhttp waits for the rest of the preface of HTTP/2, which nobody speaks here: it is a method like any other',
    ({ start }) => start.startsWith('PRI '),
  ),
  theyWait(
    'bodies of requests with Upgrade',
    "Node's server does not tell when llhttp refuses one, so it seems to wait; chunk extensions are the case, as above",
    ({ fields }) => fields.some(([name]) => name.toLowerCase() === 'upgrade'),
  ),
];

/** The exception that explains a difference. */
export function explain(difference: Difference, ours: ReadMessage | undefined, bytes: string): Exception | undefined {
  return exceptions.find((exception) => exception.applies(difference, ours, bytes));
}
