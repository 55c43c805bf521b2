/** Requests whose length can be read in two ways (RFC 9112 sections 6.1 to 6.3). */
import { test } from 'tap';
import { headerValues } from '../support/http-message.ts';
import { Gate, passes, refused } from './gate.ts';

const post = (fields: string, body = ''): string => `POST /p HTTP/1.1\r\nHost: web\r\n${fields}\r\n${body}`;

const LENGTHS: Readonly<Record<string, string>> = {
  'a plus sign and an underscore': '+1_0',
  'a plus sign': '+3',
  'a C prefix': '0x10',
  'nothing at all': '',
  'only a blank': ' ',
  'a negative number': '-48',
  'minus zero': '-0',
  'a letter behind': '1Z',
  'a list of equal values': '1, 1',
  'a list without a blank': '1,1',
  'a list with an empty member': '1,',
  'two numbers': '1 0',
  'a fraction': '1.0',
  'an exponent': '1e1',
  'more than a double holds exactly': '9007199254740993',
  'more than 64 bits hold': '18446744073709551617',
  'a NUL behind': '1\x00',
  'a vertical tab behind': '1\x0b',
  'a no-break space behind': '1\xa0',
  'superscript digits': '\xb2',
};

test('Content-Length that is no number', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, length] of Object.entries(LENGTHS)) {
    await t.test(what, (t) => refused(t, gate, post(`Content-Length: ${length}\r\n`, 'abc')));
  }
});

test('Content-Length more than once', async (t) => {
  const gate = await Gate.start(t);
  for (const [first, second] of [
    ['', '43'],
    ['43', ''],
    ['1', '2'],
    ['2', '1'],
    ['1', '1'],
    ['0', '36'],
  ]) {
    for (const name of ['Content-Length', 'content-length', 'CONTENT-LENGTH']) {
      await refused(t, gate, post(`Content-Length: ${first}\r\n${name}: ${second}\r\n`, 'x'));
    }
  }
  await refused(t, gate, post('Content-Length: 1\r\nX: y\r\nContent-Length: 2\r\n', 'x'));
});

test('a leading zero means ten, never eight, and is not left for others to guess', async (t) => {
  const gate = await Gate.start(t);
  const [request] = await passes(t, gate, post('Content-Length: 010\r\n', '0123456789'));
  t.strictSame([request?.body, headerValues(request?.headers ?? [], 'content-length')], ['0123456789', ['10']]);
});

const CODINGS: Readonly<Record<string, string>> = {
  'an empty member before': ',chunked',
  'an empty member behind': 'chunked,',
  twice: 'chunked, chunked',
  'no-break spaces around': '\xa0chunked\xa0',
  'a byte above ASCII before': '\xffchunked',
  'a vertical tab behind': 'chunked\x0b',
  'a form feed before': '\x0cchunked',
  'an unknown coding': 'blegh',
  'a parameter': 'chunked;x',
  identity: 'identity',
  'identity before': 'identity, chunked',
  'another coding before': 'gzip, chunked',
  'another coding behind': 'chunked, gzip',
  'in quotes': '"chunked"',
  'a letter too many': 'chunkedx',
  'a letter too few': 'chunke',
  'nothing at all': '',
};

test('Transfer-Encoding that is not just chunked', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, coding] of Object.entries(CODINGS)) {
    await t.test(what, (t) => refused(t, gate, post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n')));
  }
  const table: Readonly<Record<string, string>> = {
    'two lines': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'two lines that differ in case': post('Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n', '0\r\n\r\n'),
    'a folded line': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'in HTTP/1.0': 'POST /p HTTP/1.0\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(table)) await t.test(what, (t) => refused(t, gate, bytes));
});

test('both Content-Length and Transfer-Encoding', async (t) => {
  const gate = await Gate.start(t);
  for (const coding of ['chunked', 'CHUNKED', 'identity', 'unknown', '']) {
    for (const length of ['0', '5', '36']) {
      await refused(t, gate, post(`Content-Length: ${length}\r\nTransfer-Encoding: ${coding}\r\n`, '0\r\n\r\n'));
      await refused(t, gate, post(`Transfer-Encoding: ${coding}\r\nContent-Length: ${length}\r\n`, '0\r\n\r\n'));
    }
  }
});

test('chunked in any case and with blanks around it is chunked, and is sent on as such', async (t) => {
  const gate = await Gate.start(t);
  const [request] = await passes(t, gate, post('tRANSFER-eNCODING: \t cHunked \t\r\n', '2\r\nab\r\n0\r\n\r\n'));
  t.strictSame([request?.body, headerValues(request?.headers ?? [], 'transfer-encoding')], ['ab', ['chunked']]);
  t.strictSame(headerValues(request?.headers ?? [], 'content-length'), []);
});

test('Connection takes away nothing that frames or routes', async (t) => {
  const gate = await Gate.start(t);
  const named = 'Connection: content-length, host, transfer-encoding, via, close-not, x-mine\r\n';
  const [sized] = await passes(t, gate, post(`${named}Content-Length: 3\r\nX-Mine: 1\r\nVia: 1.1 a\r\n`, 'abc'));
  const values = (name: string) => headerValues(sized?.headers ?? [], name);
  t.strictSame([sized?.body, values('content-length'), values('host')], ['abc', ['3'], ['web']]);
  t.strictSame([values('x-mine'), values('connection'), values('via')], [[], [], ['1.1 a, 1.1 linkerd']]);
  const [chunked] = await passes(t, gate, post(`${named}Transfer-Encoding: chunked\r\n`, '3\r\nabc\r\n0\r\n\r\n'));
  t.equal(chunked?.body, 'abc');
});
