/** Header lines that two readers could take for different ones (RFC 9112 sections 2.2 and 5). */
import { test } from 'tap';
import { Gate, passes, refused } from './gate.ts';

const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: web\r\n${lines}\r\n`;

const NAMES: Readonly<Record<string, string>> = {
  'a blank before the colon': 'Content-Length : 3',
  'a tab before the colon': 'Transfer-Encoding\t: chunked',
  'a byte above ASCII behind the name': 'Content-Length\x85: 1',
  'a byte above ASCII before the name': '\xefoo: a',
  'no name': ': a',
  'a colon alone': ':',
  'no colon': 'Content-Length 10',
  'only a name': 'Content-Length',
  'a line end within the name': 'Transfer-\r\nEncoding: chunked',
  'a NUL': 'Content-Length\x00: 1',
  'a control character': 'Content\x01Length: 1',
  'a DEL': 'Content-Length\x7f: 1',
  'a vertical tab before the name': '\x0bContent-Length: 1',
  'two words': 'Content Length: 1',
};

test('names', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, line] of Object.entries(NAMES)) await t.test(what, (t) => refused(t, gate, get(`${line}\r\n`)));
  for (const separator of '"(),/;<=>?@[\\]{}') await refused(t, gate, get(`Content${separator}Length: 1\r\n`));
  for (const blank of [' ', '\t']) {
    const first = `POST / HTTP/1.1\r\n${blank}Content-Length: 1\r\nHost: web\r\n\r\nx`;
    await t.test('a blank before the first name', (t) => refused(t, gate, first));
  }
});

const VALUES: Readonly<Record<string, string>> = {
  'a NUL alone': '\x00',
  'a NUL within': 'test\x00rest',
  'a NUL behind': 'evil\x00',
  'a bare CR alone': '\r',
  'a bare CR within': 'a\rContent-Length: 36',
  'a bare LF alone': '\n',
  'a bare LF within': 'a\nContent-Length: 36',
  'a line that goes on after a blank': 'a\r\n b',
  'a line that goes on after a tab': 'a\r\n\tb',
  'a line that goes on and frames': 'a\r\n Content-Length: 36',
  'an escape': '\x1b[31m',
  'a DEL': '\x7f',
  'a form feed': 'a\x0cb',
};

test('values', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, value] of Object.entries(VALUES)) {
    await t.test(what, (t) => refused(t, gate, get(`X: ${value}\r\n`)));
  }
});

test('bytes above ASCII in a value are nobody else’s blanks', async (t) => {
  const gate = await Gate.start(t);
  const [request] = await passes(t, gate, get('X-Role: \x85admin\xa0\r\nY: \t b\tc \t\r\nZ:\r\n'));
  const own = request?.headers.filter(([name]) => /^(x-role|y|z)$/i.test(name));
  // The reader of the test trims them; what was sent on is looked at byte by byte.
  t.equal(own?.length, 3);
  t.match(gate.backend.raw, /\r\nX-Role: \x85admin\xa0\r\nY: \t b\tc \t\r\nZ:\r\n/);
});

const ENDS: Readonly<Record<string, string>> = {
  'a CR before the CR': 'GET / HTTP/1.1\r\nHost: web\r\n\r\rX',
  'a CR and a byte': 'GET / HTTP/1.1\r\nHost: web\r\n\rX\r\n\r\n',
  'line feeds alone': 'GET / HTTP/1.1\nHost: web\n\n',
  'a line feed as the last line': 'GET / HTTP/1.1\r\nHost: web\r\n\n',
  'a line feed after the last field': 'GET / HTTP/1.1\r\nHost: web\n\r\n',
  'a line feed after the request line': 'GET / HTTP/1.1\nHost: web\r\n\r\n',
  'an end within a value': 'GET / HTTP/1.1\r\nHost: web\r\nUseless:\n\nGET /smuggled HTTP/1.1\r\n\r\n',
};

test('the end of the header section', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, bytes] of Object.entries(ENDS)) await t.test(what, (t) => refused(t, gate, bytes));
});

test('Host more than once', async (t) => {
  const gate = await Gate.start(t);
  for (const second of ['Host: web', 'host: other', 'HOST:']) await refused(t, gate, get(`${second}\r\n`));
});

test('names of Object.prototype are names like any other', async (t) => {
  const gate = await Gate.start(t);
  const lines = ['__proto__: a', 'constructor: b', 'toString: c', 'hasOwnProperty: d', 'prototype: e', 'valueOf: f'];
  const [request] = await passes(t, gate, get(`${lines.join('\r\n')}\r\n`));
  t.strictSame(
    request?.headers.slice(1, 7).map(([name, value]) => `${name}: ${value}`),
    lines,
  );
  t.equal(({} as { a?: unknown }).a, undefined);
  const proto = await passes(
    t,
    gate,
    'GET / HTTP/1.1\r\nHost: web\r\nConnection: __proto__, constructor\r\n__proto__: a\r\n\r\n',
  );
  t.notOk(
    proto[0]?.headers.some(([name]) => name === '__proto__'),
    'Connection takes it away as any other',
  );
});
