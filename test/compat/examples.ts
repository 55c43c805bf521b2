/**
 * Exchanges beside the recorded ones, for what no recorded case shows. What the original answers to them is not known:
 * the oracle says what is expected, and the differences after it.
 */
import { parseRequests } from '../support/http-message.ts';
import type { RecordedCase, Recordings } from './recordings.ts';

const EXAMPLES: readonly (readonly [name: string, sent: string, label?: string])[] = [
  ['host in upper case', 'GET /hi HTTP/1.1\r\nHost: WEB\r\n\r\n'],
  ['host in upper case, with a port', 'GET /hi HTTP/1.1\r\nHost: Web:8080\r\n\r\n'],
  ['odd characters in a target', 'GET /a%20b/%zz/"<>|\\^`{}?q=a+b&c=[1] HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['user info in Host', 'GET /hi HTTP/1.1\r\nHost: user@web\r\n\r\n'],
  ['a blank in Host', 'GET /hi HTTP/1.1\r\nHost: web, other\r\n\r\n'],
  ['absolute-form, another Host', 'GET http://api/abs?q HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['absolute-form without a path', 'GET http://web HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['absolute-form chooses a reply', 'GET http://web/be/s404 HTTP/1.1\r\n\r\n'],
  ['CONNECT to an unbound authority', 'CONNECT web:443 HTTP/1.1\r\nHost: web:443\r\n\r\n'],
  [
    'length beside chunks',
    `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['chunked is not last', 'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
  ['unknown coding', 'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: blegh\r\n\r\n'],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['length with a sign', 'POST / HTTP/1.1\r\nHost: web\r\nContent-Length: +5\r\n\r\nhello'],
  ['bare CR in a value', 'GET / HTTP/1.1\r\nHost: web\r\nX-A: a\rb\r\n\r\n'],
  ['cut chunked reply', 'GET /be/chunkcut HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['reply until close', 'GET /be/eof HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['reply that is not HTTP', 'GET /be/garbage HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['reply with two lengths', 'GET /be/cl2 HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['chunked reply', 'GET /be/chunked HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['reply without a body', 'GET /be/s304 HTTP/1.1\r\nHost: web\r\n\r\n'],
  ['chunked reply to HTTP/1.0', 'GET /be/chunked HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n'],
  ['context of a backend', 'GET /be/hdrs HTTP/1.1\r\nHost: web\r\n\r\n', 'clear'],
  ['error of a hop behind the edge', 'GET /be/s500~err HTTP/1.1\r\nHost: web\r\n\r\n', 'clear'],
  ['absolute-form at the edge', 'GET http://web/abs HTTP/1.1\r\nHost: api\r\nl5d-foo: bar\r\n\r\n', 'clear'],
  ['unidentified at the edge', 'GET /hi HTTP/1.1\r\n\r\n', 'clear'],
];

export function examples(recordings: Recordings): RecordedCase[] {
  const routers = new Map(recordings.cases.map(({ router }) => [router.label, router]));
  return EXAMPLES.map(([name, sent, label = 'dflt']) => {
    const router = routers.get(label);
    if (router === undefined) throw new Error(`no recorded router is called ${label}`);
    return {
      name,
      isRecorded: false,
      router,
      sent,
      sentRequests: parseRequests(sent),
      responses: [],
      closed: false,
      requests: [],
      files: recordings.files,
    };
  });
}
