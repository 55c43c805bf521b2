/** The h1 vectors of the threat model's appendix, every limit, and every cut of sound bytes. */
import fc from 'fast-check';
import { type Test, test } from 'tap';
import { Body, cuts, decode, type Transcript } from './transcript.ts';

const small = { startLineBytes: 64, headerBytes: 128, fields: 4, chunkExtensionBytes: 16 };

function post(fields: string, body = ''): string {
  return `POST /p HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
}

function chunks(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

/** The same outcome for the bytes at once, in two pieces cut at every place, and byte by byte. */
function decodesTo(
  t: Test,
  role: 'request' | 'response',
  bytes: string,
  check: (transcript: Transcript) => boolean,
  what: string,
  options: Parameters<typeof decode>[2] = {},
): void {
  const whole = decode(role, [bytes], options);
  t.ok(check(whole), `${what}: ${JSON.stringify(whole).slice(0, 300)}`);
  const expected = JSON.stringify(whole);
  let differing: string | undefined;
  for (const pieces of [...cuts(bytes), [...bytes]]) {
    const got = JSON.stringify(decode(role, pieces, options));
    if (got !== expected) differing ??= `${JSON.stringify(pieces.slice(0, 2))} gave ${got}, not ${expected}`;
  }
  t.equal(differing, undefined, `${what}: cut anywhere`);
}

function refused(t: Test, bytes: string, status = 400): void {
  decodesTo(t, 'request', bytes, ({ error }) => error === status, `${JSON.stringify(bytes)} is ${status}`);
}

test('malformed chunk sizes', async (t) => {
  for (const size of [
    ...['0_2e', '+2', '-2', '0x2', '1these-bytes', '-0x0', '', ' 2', '  2', '2 ', 'INVALID!!!', 'g', '\t2'],
    ...['11111111111111111', '00000000000000002', 'fffffffffffffff0', '\x002', '2\x00', '2\x0b'],
  ]) {
    refused(t, chunks(`${size}\r\nab\r\n0\r\n\r\n`));
  }
});

test('malformed chunk framing', async (t) => {
  for (const body of [
    '1\r\nZXX0\r\n\r\n',
    '1\r\nZ\r0\r\n\r\n',
    '1\r\nZ\n0\r\n\r\n',
    '1\nZ\r\n0\r\n\r\n',
    '5\r\r;ABCD\r\n0\r\n\r\n',
    '41;a=b\r\rX0\r\n\r\n',
    '2\r\r;a\r\n02\r\nabcd\r\n0\r\n\r\n',
    '2;a\nab\r\n0\r\n\r\n',
    '2;a\x00b\r\nab\r\n0\r\n\r\n',
    '2;\x7f\r\nab\r\n0\r\n\r\n',
    '1\r\nZ\r\n\r\n0\r\n\r\n',
    '\r\n0\r\n\r\n',
    '0\r\nX:POST / HTTP/1.1\nHost: a\r\n\r\n',
    '0\r\nX : b\r\n\r\n',
    '0\r\n: b\r\n\r\n',
    '0\r\nX\r\n\r\n',
    '0\r\n folded\r\n\r\n',
    '0\r\n\rX',
    '0\r\n\n',
    '0\n\r\n',
    '0\r\nX: \x00\r\n\r\n',
  ]) {
    refused(t, chunks(body));
  }
});

test('malformed and repeated Content-Length', async (t) => {
  for (const lines of [
    ...[
      '+1_0',
      '0x10',
      '',
      '-48',
      '1Z',
      '1, 1',
      '1,1',
      '9007199254740993',
      '1000000000000000',
      '1 0',
      '1.0',
      '1e1',
    ].map((value) => `Content-Length: ${value}\r\n`),
    'Content-Length:\r\nContent-Length: 43\r\n',
    'Content-Length: 43\r\nContent-Length:\r\n',
    'Content-Length: 1\r\nContent-Length: 2\r\n',
    'Content-Length: 2\r\nContent-Length: 1\r\n',
    'Content-Length: 1\r\ncontent-length: 1\r\n',
  ]) {
    refused(t, post(lines, 'body'));
  }
});

test('a leading zero of Content-Length is no octal, and is not passed on', async (t) => {
  decodesTo(
    t,
    'request',
    post('Content-Length: 010\r\nX: y\r\n', '0123456789'),
    ({ messages: [message], error }) =>
      error === null &&
      message?.body === '0123456789' &&
      message.complete &&
      message.fields.join(' ') === 'Host,a X,y Content-Length,10',
    '010 is 10',
  );
});

test('unacceptable Transfer-Encoding', async (t) => {
  for (const value of [
    ...[',chunked', 'chunked, chunked', '\xa0chunked\xa0', '\xffchunked', 'blegh', 'chunked;x', 'identity', ''],
    ...['gzip, chunked', 'chunked,', '"chunked"', 'chunked\x0b'],
  ]) {
    refused(t, post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n'));
  }
  refused(t, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'));
  refused(t, post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'));
  refused(t, 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
  decodesTo(
    t,
    'request',
    post('transfer-encoding: \t Chunked \t\r\n', '2\r\nab\r\n0\r\n\r\n'),
    ({ messages: [message], error }) => error === null && message?.body === 'ab' && message.complete,
    'its name and value are case-insensitive',
  );
});

test('both Content-Length and Transfer-Encoding', async (t) => {
  for (const coding of ['chunked', 'unknown']) {
    refused(t, post(`Content-Length: 5\r\nTransfer-Encoding: ${coding}\r\n`, '0\r\n\r\n'));
    refused(t, post(`Transfer-Encoding: ${coding}\r\nContent-Length: 5\r\n`, '0\r\n\r\n'));
  }
});

test('malformed header names', async (t) => {
  for (const line of [
    ...['Content-Length : 3', 'Content-Length\x85: 1', '\xefoo: a', ': a', ':', 'Content-Length 10', 'NoColon'],
    ...['Transfer-\r\nEncoding: chunked', 'X\x00: a', 'X\x01: a', 'X\x7f: a', 'X Y: a', '\x0b: a'],
    ...[...'"(),/;<=>?@[\\]{}'].map((separator) => `X${separator}Y: a`),
  ]) {
    refused(t, `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`);
  }
  refused(t, 'POST / HTTP/1.1\r\n\tContent-Length: 1\r\nHost: a\r\n\r\nx');
});

test('malformed header values', async (t) => {
  for (const value of [
    '\x00',
    '\r',
    '\n',
    'a\rb',
    'a\nb',
    'test\x00rest',
    'evil\x00',
    'a\r\n folded',
    'a\r\n\tfolded',
    '\x1b',
    '\x7f',
  ]) {
    refused(t, `GET / HTTP/1.1\r\nHost: a\r\nX: ${value}\r\n\r\n`);
  }
  decodesTo(
    t,
    'request',
    'GET / HTTP/1.1\r\nHost: a\r\nX: \x85admin\xa0\r\nY: \t b\tc \t\r\nZ:\r\n\r\n',
    ({ messages: [message], error }) =>
      error === null &&
      JSON.stringify(message?.fields) ===
        JSON.stringify([
          ['Host', 'a'],
          ['X', '\x85admin\xa0'],
          ['Y', 'b\tc'],
          ['Z', ''],
        ]),
    'only blanks and tabs are trimmed',
  );
});

test('malformed ends of the header section', async (t) => {
  refused(t, 'GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n');
  refused(t, 'GET / HTTP/1.1\nHost: a\n\n');
  refused(t, 'GET / HTTP/1.1\r\nHost: a\r\n\n');
  refused(t, 'GET / HTTP/1.1\r\nHost: a\n\r\n');
  refused(t, 'GET / HTTP/1.1\r\nUseless:\n\nGET /b HTTP/1.1\r\n\r\n');
});

test('malformed request lines', async (t) => {
  for (const line of [
    ...['GET /test HTTP/1.32', 'GET / HTTP/4294967295.255', 'GET / HTTP/', 'GET / HTTP/\r\r1.1', 'GET /\nHTTP/1.1'],
    ...['G=":<>(e),[T];?" / HTTP/1.1', '\x00 / HTTP/1.1', 'GET /', 'GET', ' GET / HTTP/1.1', 'GET  / HTTP/1.1'],
    ...['GET /  HTTP/1.1', 'GET / HTTP/1.1 ', 'GET /\x00 HTTP/1.1', 'GET /\x7f HTTP/1.1', 'GET /\xe9 HTTP/1.1'],
    ...['GET /a b HTTP/1.1', 'GET\t/ HTTP/1.1', 'GET / http/1.1', 'GET / HTTP/1', 'GET / HTTP/1.', 'GET / HTTP/1.1x'],
    ...['GET / HTTPS/1.1', 'GET / HTTP/1.1\rX', 'PRI * HTTP/2.00', '\r'],
  ]) {
    refused(t, `${line}\r\nHost: a\r\n\r\n`);
  }
  refused(t, '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
  refused(t, '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
  for (const version of ['HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/3.0'])
    refused(t, `GET / ${version}\r\nHost: a\r\n\r\n`, 505);
});

test('requests that are refused for their Host or method', async (t) => {
  refused(t, 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n');
  refused(t, 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n');
  for (const host of ['a b', 'a\tb', 'a, b', 'u@a', '@a', 'u:p@a', 'a@'])
    refused(t, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  refused(t, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
  refused(t, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
});

test('sound requests, cut anywhere', async (t) => {
  const sound: [string, string, Partial<Transcript['messages'][number]>[]][] = [
    [
      'any token is a method, its case kept',
      "m!#$%&'*+-.^_`|~9 /x?y#z HTTP/1.1\r\n\r\n",
      [{ start: "m!#$%&'*+-.^_`|~9 /x?y#z 1", complete: true }],
    ],
    ['one empty line before', '\r\nGET / HTTP/1.0\r\n\r\n', [{ start: 'GET / 0', bodyKind: Body.none }]],
    [
      'a body on GET',
      'GET / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789',
      [{ body: '0123456789', complete: true }],
    ],
    [
      'an empty body',
      post('Content-Length: 0\r\n', 'GET /2 HTTP/1.1\r\n\r\n'),
      [{ body: '', complete: true }, { start: 'GET /2 1' }],
    ],
    [
      'an empty line between',
      post('Content-Length: 1\r\n', 'x\r\nGET /2 HTTP/1.1\r\n\r\n'),
      [{ body: 'x' }, { start: 'GET /2 1' }],
    ],
    [
      'extensions are dropped and trailers kept',
      chunks('3;a="b;c"\r\nabc\r\nA;\r\n0123456789\r\n000;x\r\nT: u\r\nV:\r\n\r\n'),
      [
        {
          body: 'abc0123456789',
          trailers: [
            ['T', 'u'],
            ['V', ''],
          ],
          complete: true,
        },
      ],
    ],
    ['an incomplete body', post('Content-Length: 5\r\n', 'abc'), [{ body: 'abc', complete: false }]],
    ['incomplete chunks', chunks('5\r\nabc'), [{ body: 'abc', complete: false }]],
  ];
  for (const [what, bytes, expected] of sound) {
    const check = ({ messages, error }: Transcript) =>
      error === null &&
      messages.length === expected.length &&
      expected.every((wanted, index) =>
        Object.entries(wanted).every(
          ([key, value]) => JSON.stringify(messages[index]?.[key as 'start']) === JSON.stringify(value),
        ),
      );
    decodesTo(t, 'request', bytes, check, what);
  }
});

test('what is malformed after a sound request does not spoil it', async (t) => {
  const first = ({ messages, error }: Transcript) =>
    error === 400 && messages.length === 1 && messages[0]?.complete === true;
  decodesTo(t, 'request', post('Content-Length: 0\r\n', 'Zeros: 1\r\n\r\n'), first, 'after no body');
  decodesTo(t, 'request', chunks('1\r\nx\r\n0\r\n\r\n!\x00 / HTTP/1.1\r\n\r\n'), first, 'after the last chunk');
});

test('malformed responses', async (t) => {
  const bad = ({ error }: Transcript) => error === 400;
  for (const bytes of [
    'this is not HTTP at all\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 200X\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 099 No\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\n\n',
    'HTTP/1.1 200 O\x00K\r\n\r\n',
    'HTTP/1.1\r\n\r\n',
    'HTTP/1.11 200 OK\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX : y\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 204 No\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n',
    'HTTP/1.1 103 Hints\r\n\r\n'.repeat(17),
  ]) {
    decodesTo(t, 'response', bytes, bad, JSON.stringify(bytes.slice(0, 80)));
  }
  decodesTo(t, 'response', 'HTTP/2.0 200 OK\r\n\r\n', ({ error }) => error === 505, 'another version');
});

test('sound responses, cut anywhere', async (t) => {
  const sound: [string, string, string, string][] = [
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab', '200 OK 1 ab', 'a length'],
    ['GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', '200  1 ', 'no reason and no blank'],
    ['GET', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', '200  1 ', 'no reason'],
    ['GET', 'HTTP/1.1 599 a b\xe9\tc\r\nContent-Length: 0\r\n\r\n', '599 a b\xe9\tc 1 ', 'a reason'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', '200 OK 1 ', 'HEAD'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '200 OK 1 ', 'HEAD of chunks'],
    ['GET', 'HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n', '304 Same 1 ', '304'],
    ['GET', 'HTTP/1.1 204 No\r\n\r\n', '204 No 1 ', '204'],
    [
      'GET',
      `${'HTTP/1.1 102 Wait\r\n\r\n'.repeat(2)}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx`,
      '102 Wait 1 |102 Wait 1 |200 OK 1 x',
      '1xx',
    ],
    ['GET', 'HTTP/1.0 200 OK\r\n\r\nuntil the end', '200 OK 0 until the end', 'until the close'],
    ['GET', 'HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\nbytes \r\n', '101 Go 1 bytes \r\n', '101'],
    ['CONNECT', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbytes', '200 OK 1 bytes', 'CONNECT'],
    [
      'GET',
      `${'HTTP/1.1 103 Hints\r\n\r\n'.repeat(16)}HTTP/1.1 204 No\r\n\r\n`,
      `${'103 Hints 1 |'.repeat(16)}204 No 1 `,
      'as many 1xx as may be',
    ],
  ];
  for (const [method, bytes, expected, what] of sound) {
    const check = ({ messages, error }: Transcript) =>
      error === null &&
      messages.map(({ start, body }) => `${start} ${body}`).join('|') === expected &&
      messages.every(({ complete }) => complete);
    decodesTo(t, 'response', bytes, check, what, { methods: [method], end: true });
  }
});

test('204 says no length, however it was written', async (t) => {
  for (const length of ['0', '5', '05']) {
    const { messages } = decode('response', [`HTTP/1.1 204 No\r\nContent-Length: ${length}\r\n\r\n`]);
    t.strictSame(messages[0]?.fields, []);
  }
});

test('limits hold exactly', async (t) => {
  const outcome = (bytes: string, role: 'request' | 'response' = 'request') => {
    const whole = decode(role, [bytes], { limits: small }).error;
    t.equal(decode(role, [...bytes], { limits: small }).error, whole, 'byte by byte');
    return whole;
  };
  const line = (length: number) => `GET /${'x'.repeat(length - 14)} HTTP/1.1`;
  const status = (length: number) => `HTTP/1.1 200 ${'x'.repeat(length - 13)}`;
  const header = (length: number) => `X: ${'y'.repeat(length - 5)}\r\n`;
  const extension = (length: number) => chunks(`1;${'x'.repeat(length - 1)}\r\nz\r\n0;y\r\n\r\n`);
  for (const [what, limit, above, make] of [
    ['request line', 64, 414, (n: number) => `${line(n)}\r\n\r\n`],
    ['method', 64, 414, (n: number) => `${'M'.repeat(n - 11)} / HTTP/1.1\r\n\r\n`],
    ['header bytes', 128, 431, (n: number) => `GET / HTTP/1.1\r\n${header(64)}${header(n - 64)}\r\n`],
    ['fields', 4, 431, (n: number) => `GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(n)}\r\n`],
    ['trailer bytes', 128, 431, (n: number) => chunks(`0\r\n${header(64)}${header(n - 64)}\r\n`)],
    ['trailer fields', 4, 431, (n: number) => chunks(`0\r\n${'a:b\r\n'.repeat(n)}\r\n`)],
    ['chunk extensions', 16, 400, extension],
  ] as const) {
    t.strictSame(
      [limit - 1, limit, limit + 1].map((n) => outcome(make(n))),
      [null, null, above],
      what,
    );
  }
  t.strictSame(
    [63, 64, 65].map((n) => outcome(`${status(n)}\r\nContent-Length: 0\r\n\r\n`, 'response')),
    [null, null, 400],
    'status line',
  );
});

test('what has no end is refused before it grows beyond the limits', async (t) => {
  const piece = 'x'.repeat(1000);
  for (const [start, expected] of [
    ['', 414],
    ['GET /', 414],
    ['GET / HTTP/1.1\r\n', 431],
    ['GET / HTTP/1.1\r\nX: ', 431],
  ] as const) {
    const bytes = start + piece.repeat(80);
    t.equal(decode('request', [bytes]).error, expected, `${JSON.stringify(start)} and no end`);
    const pieces = [start, ...Array.from({ length: 80 }, () => piece)];
    t.equal(
      decode(
        'request',
        pieces.filter((one) => one !== ''),
      ).error,
      expected,
      'in pieces',
    );
  }
});

test('a large head that comes with much else', async (t) => {
  const head = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(5000)}\r\nContent-Length: 3000\r\n\r\n`;
  const body = 'z'.repeat(3000);
  const bytes = (head + body).repeat(3);
  const whole = JSON.stringify(decode('request', [bytes]));
  t.match(decode('request', [bytes]), { error: null, messages: [{ body }, { body }, { body }] });
  for (const size of [1, 7, 2047, 2048, 2049, 5054, 8192]) {
    const pieces: string[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
    t.equal(JSON.stringify(decode('request', pieces)), whole, `${size} bytes at a time`);
  }
});

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
/** A field that frames nothing. */
const field = fc
  .tuple(token, fc.stringMatching(/^([!-~\x80-\xff]([\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/))
  .filter(([name]) => !/^(content-length|transfer-encoding|host)$/i.test(name));
const fields = fc.array(field, { maxLength: 6 });
const data = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  maxLength: 60,
});
const chunk = fc.tuple(
  data.filter((text) => text !== ''),
  fc.stringMatching(/^(;[a-z]{0,5}(="[ -!#-~]{0,9}")?)?$/),
);

const lines = (list: readonly (readonly [string, string])[]) =>
  list.map(([name, value]) => `${name}: ${value}\r\n`).join('');

interface Message {
  readonly bytes: string;
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
}

const message: fc.Arbitrary<Message> = fc
  .tuple(
    token,
    fc.stringMatching(/^\/[!-~]{0,30}$/),
    fields,
    fc.option(data),
    fc.array(chunk, { maxLength: 4 }),
    fields,
    fc.boolean(),
  )
  .map(([method, target, own, sized, parts, trailers, emptyLine]) => {
    const start = `${emptyLine ? '\r\n' : ''}${method === 'CONNECT' ? 'GET' : method} ${target} HTTP/1.1\r\n${lines(own)}`;
    if (sized !== null)
      return { bytes: `${start}Content-Length: ${sized.length}\r\n\r\n${sized}`, body: sized, trailers: [] };
    const body = parts.map(([text]) => text).join('');
    const coded = parts.map(([text, extension]) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`).join('');
    return { bytes: `${start}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n${lines(trailers)}\r\n`, body, trailers };
  });

test('any sequence of requests gives the same events, however it is cut', async (t) => {
  const property = fc.property(
    fc.array(message, { minLength: 1, maxLength: 5 }),
    fc.array(fc.nat(), { maxLength: 12 }),
    (sequence, places) => {
      const bytes = sequence.map((one) => one.bytes).join('');
      const sorted = [0, ...places.map((place) => place % bytes.length), bytes.length].sort((a, b) => a - b);
      const pieces = sorted.slice(1).map((place, index) => bytes.slice(sorted[index], place));
      const got = decode(
        'request',
        pieces.filter((piece) => piece !== ''),
      );
      return (
        got.error === null &&
        JSON.stringify(got.messages.map(({ body }) => body)) === JSON.stringify(sequence.map(({ body }) => body)) &&
        JSON.stringify(got.messages.map((one) => one.trailers ?? [])) ===
          JSON.stringify(sequence.map((one) => one.trailers)) &&
        JSON.stringify(got) === JSON.stringify(decode('request', [bytes]))
      );
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400 }));
});
