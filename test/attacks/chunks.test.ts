/** Chunked bodies that two readers could take apart differently (RFC 9112 section 7.1). */
import { test } from 'tap';
import { headerValues } from '../support/http-message.ts';
import { brokenOff, Gate, passes } from './gate.ts';

const POST = 'POST /p HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n';

const SIZES: Readonly<Record<string, string>> = {
  'digits with an underscore, as some number parsers take them': '0_2e',
  'a plus sign': '+2',
  'a minus sign': '-2',
  'a C prefix': '0x2',
  'a minus sign and a prefix': '-0x0',
  'letters behind the digits': '1these-bytes',
  'nothing at all': '',
  'a blank before': ' 2',
  'a tab before': '\t2',
  'a blank behind': '2 ',
  'a blank before the extension': '2 ;a=b',
  'no digit': 'INVALID!!!',
  'only an extension': ';a=b',
  '17 digits, which wrap around in 64 bits': '10000000000000002',
  '17 digits of which most are zeros': '00000000000000002',
  'as much as 64 bits hold': 'ffffffffffffffff',
  'a NUL before': '\x002',
  'a NUL behind': '2\x00',
  'a vertical tab behind': '2\x0b',
  'a byte above ASCII': '2\x85',
};

test('chunk sizes', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, size] of Object.entries(SIZES)) {
    await t.test(what, (t) => brokenOff(t, gate, `${POST}${size}\r\nab\r\n0\r\n\r\n`));
    await t.test(`${what}, second chunk`, (t) => brokenOff(t, gate, `${POST}1\r\nx\r\n${size}\r\nab\r\n0\r\n\r\n`));
  }
});

const FRAMING: Readonly<Record<string, string>> = {
  'two other bytes in place of the CRLF after the data': '1\r\nZXX0\r\n\r\n',
  'a CR and another byte after the data': '1\r\nZ\rX0\r\n\r\n',
  'a bare LF after the size': '1\nZ\r\n0\r\n\r\n',
  'a bare LF after the data': '1\r\nZ\n0\r\n\r\n',
  'a bare LF after the last size': '0\n\r\n',
  'a bare LF as the last line': '0\r\n\n',
  'a bare CR after the size, and more': '5\r\r;ABCD\r\n0\r\n\r\n',
  'a bare CR in an extension, and more': '41;a=b\r\rX0\r\n\r\n',
  'a bare CR before an extension': '2\r\r;a\r\n02\r\nabcd\r\n0\r\n\r\n',
  'a bare LF at the end of an extension': '2;a\nab\r\n0\r\n\r\n',
  'a NUL in an extension': '2;a\x00b\r\nab\r\n0\r\n\r\n',
  'a DEL in an extension': '2;\x7f\r\nab\r\n0\r\n\r\n',
  'an empty line before the last chunk': '1\r\nZ\r\n\r\n0\r\n\r\n',
  'an empty line before the first chunk': '\r\n1\r\nZ\r\n0\r\n\r\n',
  'more data than the size says': '1\r\nZZ\r\n0\r\n\r\n',
  'less data than the size says': '3\r\nZ\r\n0\r\n\r\n',
  'a request in the trailers': '0\r\nX:POST / HTTP/1.1\nHost: web\r\n\r\n',
  'a request line as a trailer': '0\r\nGET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n',
  'a folded trailer': '0\r\nX: a\r\n b\r\n\r\n',
  'a blank before the colon of a trailer': '0\r\nX : b\r\n\r\n',
  'a trailer without a name': '0\r\n: b\r\n\r\n',
  'a trailer without a colon': '0\r\nX\r\n\r\n',
  'a NUL in a trailer': '0\r\nX: \x00\r\n\r\n',
  'a bare CR before the end': '0\r\n\rX\r\n\r\n',
};

test('chunk framing', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, body] of Object.entries(FRAMING)) await t.test(what, (t) => brokenOff(t, gate, POST + body));
});

test('what is sound goes on in a form that everybody reads alike', async (t) => {
  const gate = await Gate.start(t);
  const table: readonly [what: string, body: string, read: string][] = [
    ['leading zeros', '0000000000002\r\nab\r\n000\r\n\r\n', 'ab'],
    ['digits in either case', 'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789'],
    ['an extension', '2;name="va;l\\"ue"\r\nab\r\n0;last\r\n\r\n', 'ab'],
    ['line ends and sizes as data', '6\r\n\r\n0\r\n\r\r\n0\r\n\r\n', '\r\n0\r\n\r'],
  ];
  for (const [what, body, read] of table) {
    const [request] = await passes(t, gate, POST + body);
    t.strictSame([request?.body, request?.target], [read, '/p'], what);
  }
});

test('a byte behind the last chunk belongs to the next request', async (t) => {
  const gate = await Gate.start(t);
  const { responses, closed, forwarded } = await gate.send(
    `${POST}1\r\nx\r\n0\r\n\r\nX\x00Y /smuggled HTTP/1.1\r\n\r\n`,
  );
  t.strictSame(
    responses.map(({ start }) => start.slice(0, 12)),
    ['HTTP/1.1 200', 'HTTP/1.1 400'],
    'the first is answered, the second refused',
  );
  t.ok(closed);
  t.notMatch(forwarded, /smuggled/);
});

test('no trailer can frame, route or control', async (t) => {
  const gate = await Gate.start(t);
  const forbidden = [
    ...['Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: evil', 'Connection: close', 'TE: trailers'],
    ...['Trailer: X', 'Upgrade: h2c', 'Expect: 100-continue', 'Proxy-Authorization: x', 'Keep-Alive: x', 'Via: 1.1 x'],
    ...['l5d-dtab: /svc=>/#/other', 'L5D-CTX-DTAB: /svc=>/#/other', 'l5d-anything: x', 'X-Forwarded-Client-Cert: x'],
  ];
  const [request] = await passes(t, gate, `${POST}1\r\nx\r\n0\r\n${forbidden.join('\r\n')}\r\nX-Sum: 7\r\n\r\n`);
  t.strictSame(request?.trailers, [['X-Sum', '7']]);
  t.strictSame(headerValues(request?.headers ?? [], 'trailer'), []);
});
