/** Heads over one string with offsets: what is left out, added and taken back, and that a pooled head keeps nothing. */
import { test } from 'tap';
import { Body, headerBlock, PlainResponseHead } from '../../../src/wire/head.ts';
import { type Http1Head, takeHead } from '../../../src/wire/http1/head.ts';
import { parseRequest } from '../../../src/wire/http1/head-parser.ts';
import { bit, HOP_BY_HOP, Known, knownHeader, L5D_HEADERS } from '../../../src/wire/known-headers.ts';
import { LIMITS } from './transcript.ts';

/** Parses a head that stands between other bytes, as in a buffer that is used again. */
function parse(head: Http1Head, text: string): ReturnType<typeof parseRequest> {
  const bytes = Buffer.from(`\r\n\r\n${text}\r\n\r\n`, 'latin1');
  const parsed = parseRequest(head, bytes, 4, 4 + text.length, LIMITS);
  return typeof parsed === 'number' && parsed >= 0 ? parsed - 4 : parsed;
}

function parsed(lines: string): Http1Head {
  const head = takeHead();
  const text = `GET /a HTTP/1.1\r\n${lines}\r\n`;
  const result = parse(head, text);
  if (result !== text.length) throw new Error(`not a head: ${JSON.stringify(result)}`);
  return head;
}

function visited(head: Http1Head): string[] {
  const seen: string[] = [];
  head.forEach((name, value) => {
    seen.push(`${name}=${value}`);
  });
  return seen;
}

test('untouched lines are written as they came', async (t) => {
  const lines = 'HOST: a\r\nX-One:1\r\nx-one:  2 \t\r\nEmpty:\r\nAccept: x\r\n';
  const head = parsed(lines);
  t.equal(head.http1Fields(), lines);
  t.strictSame(visited(head), ['HOST=a', 'X-One=1', 'x-one=2', 'Empty=', 'Accept=x']);
  t.equal(head.get('x-one'), '1');
  t.equal(head.get('empty'), '');
  t.equal(head.get('x-on'), undefined);
  t.strictSame(head.values(Known.host), ['a']);
  t.strictSame(head.values(Known.via), []);
});

test('known headers are left out by a mask, wherever they stand', async (t) => {
  const head = parsed('TE: t\r\nA: 1\r\nB: 2\r\nConnection: x\r\nVia: 1.1 a\r\nC: 3\r\nvia: 1.0 b\r\nUpgrade: u\r\n');
  head.drop(HOP_BY_HOP);
  t.equal(head.http1Fields(), 'A: 1\r\nB: 2\r\nVia: 1.1 a\r\nC: 3\r\nvia: 1.0 b\r\n');
  t.strictSame(head.values(Known.via), ['1.1 a', '1.0 b']);
  head.drop(bit(Known.via));
  t.equal(head.http1Fields(), 'A: 1\r\nB: 2\r\nC: 3\r\n');
  t.equal(head.get('via'), undefined);
  t.equal(head.get('te'), undefined);
  head.append('Via', 'all of them');
  t.equal(head.get('via'), 'all of them');
  t.strictSame(visited(head), ['A=1', 'B=2', 'C=3', 'Via=all of them']);
});

test('any header is removed by its name, in any case', async (t) => {
  const head = parsed('A: 1\r\nX-Gone: 2\r\nx_gone: 3\r\nx-GONE: 4\r\nX^Y: 5\r\nX~Y: 6\r\nB: 7\r\n');
  head.remove('x-gone');
  t.equal(head.http1Fields(), 'A: 1\r\nx_gone: 3\r\nX^Y: 5\r\nX~Y: 6\r\nB: 7\r\n');
  head.remove('x_gone');
  head.remove('x~y');
  t.equal(head.http1Fields(), 'A: 1\r\nX^Y: 5\r\nB: 7\r\n', 'names that differ in one bit are other names');
  t.equal(head.get('x^y'), '5');
  head.remove('nothing');
  t.equal(head.get('b'), '7');
});

test('what is appended can be taken back', async (t) => {
  const head = parsed('A: 1\r\n');
  head.append('B', '2');
  const mark = head.mark();
  head.appendBlock(
    headerBlock([
      ['C', '3'],
      ['D', 'x: y'],
    ]),
  );
  head.append('E', '5');
  t.equal(head.http1Fields(), 'A: 1\r\nB: 2\r\nC: 3\r\nD: x: y\r\nE: 5\r\n');
  t.equal(head.get('d'), 'x: y');
  head.rewind(mark);
  t.equal(head.http1Fields(), 'A: 1\r\nB: 2\r\n');
  t.equal(head.get('d'), undefined);
  head.rewind(mark);
  t.equal(head.http1Fields(), 'A: 1\r\nB: 2\r\n');
});

test('names of Object.prototype are names like any other', async (t) => {
  const head = parsed('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\nhasOwnProperty: 4\r\n');
  t.equal(head.get('__proto__'), '1');
  t.equal(head.get('constructor'), '2');
  t.equal(head.get('tostring'), '3');
  head.remove('__proto__');
  t.equal(head.get('__proto__'), undefined);
  t.strictSame(visited(head), ['constructor=2', 'toString=3', 'hasOwnProperty=4']);
  t.equal(parsed('A: 1\r\n').get('constructor'), undefined);
});

test('a head has room for as many fields as the limit allows', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `X-${index}`);
  const head = parsed(names.map((name) => `${name}: v${name}\r\n`).join(''));
  t.equal(head.count, 200);
  for (const name of ['X-0', 'X-31', 'X-32', 'X-33', 'X-64', 'X-199'])
    t.equal(head.get(name.toLowerCase()), `v${name}`);
  head.remove('x-150');
  t.equal(visited(head).length, 199);
});

test('context headers are known by their prefix, however they are written', async (t) => {
  const known = (name: string) => knownHeader(Buffer.from(name, 'latin1'), 0, name.length);
  t.equal(known('L5D-Ctx-Dtab'), Known.l5dCtxDtab);
  t.equal(known('l5d-anything'), Known.l5dOther);
  t.equal(known('l5d-'), Known.l5dOther);
  t.equal(known('l5dx'), Known.other);
  for (const name of ['l5d_dtab', 'L5D_CTX_DTAB', 'l5d_'])
    t.equal(known(name), Known.l5dOther, `${name} looks like context, and is not acted on`);
  t.equal(known('Content-Length'), Known.contentLength);
  t.equal(known('Content_Length'), Known.other);
  for (const name of ['Dtab-Local', 'dtab-', 'X-DTAB-01-A', 'Baggage', 'dtab_local', 'X_Dtab-00_A'])
    t.equal(known(name), Known.foreignContext);
  for (const name of ['x-forwarded-client-cert', 'X_Forwarded-Client_CERT', 'X_FORWARDED_CLIENT_CERT'])
    t.equal(known(name), Known.forwardedClientCert);
  for (const name of [
    'dtab',
    'x-dtab',
    'baggages',
    'x-forwarded-client-cerT2',
    'x~forwarded-client-cert',
    'xdtab-',
    'l5d~',
  ])
    t.equal(known(name), Known.other, name);
  const head = parsed('L5D-DTAB: a\r\nA: 1\r\nl5d-What: b\r\nL5d-sample: c\r\n');
  head.drop(L5D_HEADERS);
  t.equal(head.http1Fields(), 'A: 1\r\n');
});

test('a body that is sent on otherwise than it came has one length, or none', async (t) => {
  const received = parsed('Content-Length: 007\r\nA: 1\r\n');
  received.drop(bit(Known.contentLength));
  received.append('Content-Length', '7');
  received.append('B', '2');
  for (const head of [received, new PlainResponseHead(200, 'OK', 7, [['A', '1']])]) {
    head.reframe(Body.length, 12);
    t.match(head.http1Fields(), /^A: 1\r\n(B: 2\r\n)?Content-Length: 12\r\n$/);
    t.strictSame([head.bodyKind, head.contentLength], [Body.length, 12]);
    head.reframe(Body.chunked, 0);
    t.match(head.http1Fields(), /^A: 1\r\n(B: 2\r\n)?$/);
    t.strictSame([head.bodyKind, head.contentLength], [Body.chunked, 0]);
  }
});

test('a pooled head keeps nothing of its last message', async (t) => {
  const head = parsed('Secret: s\r\nl5d-dtab: /a=>/b\r\n');
  head.append('More', 'm');
  head.drop(bit(Known.host));
  head.remove('secret');
  head.release();
  t.strictSame([head.method, head.target, head.count, head.present, head.http1Fields()], ['', '', 0, 0, '']);
  t.equal(head.get('secret'), undefined);
  const again = takeHead();
  t.equal(again, head, 'the pool gave it out again');
  parse(again, 'GET /b HTTP/1.1\r\nHost: h\r\nSecret: mine\r\n\r\n');
  t.equal(again.http1Fields(), 'Host: h\r\nSecret: mine\r\n');
});

test('a head goes back to the pool once, after its last holder', async (t) => {
  const head = parsed('A: 1\r\n');
  head.retain();
  head.release();
  t.equal(head.get('a'), '1', 'still held');
  head.release();
  const one = takeHead();
  const two = takeHead();
  t.not(one, two);
});
