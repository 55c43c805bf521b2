import { test } from 'tap';
import {
  chooseCoding,
  forbidsTransforming,
  isCompressible,
  markCoded,
  markVarying,
} from '../../../src/router/http/content-coding.ts';
import { Body, PlainResponseHead } from '../../../src/wire/head.ts';

test('what a client likes best', (t) => {
  const cases: [string | undefined, string | null][] = [
    [undefined, null],
    ['', null],
    ['gzip', 'gzip'],
    ['GZip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['deflate, gzip', 'gzip'],
    ['gzip;q=0.5, deflate;q=0.6', 'deflate'],
    ['gzip;q=0, deflate', 'deflate'],
    ['gzip;q=0', null],
    ['gzip; Q=0.000', null],
    ['br', null],
    ['br, *', 'gzip'],
    ['*;q=0', null],
    ['*, gzip;q=0', 'deflate'],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity;q=0', null],
    ['gzip;q=often', null],
    ['gzip;q=7', null],
    [' gzip ;q=1 , deflate', 'gzip'],
  ];
  for (const [accepted, coding] of cases) t.equal(chooseCoding(accepted), coding, `${accepted}`);
  t.end();
});

const response = (fields: readonly (readonly [string, string])[] = [], status = 200, length: number | null = 9) =>
  new PlainResponseHead(status, 'OK', length, fields);

test('what may be compressed', (t) => {
  t.ok(isCompressible(response(), false));
  t.notOk(isCompressible(response([], 200, 0), false), 'nothing to compress');
  t.notOk(isCompressible(response([], 200, null), false), 'no body');
  t.notOk(isCompressible(PlainResponseHead.tunnel('OK'), false));
  t.notOk(isCompressible(response([], 206), false), 'a range');
  for (const name of ['Content-Encoding', 'Content-Range', 'Repr-Digest', 'Content-MD5']) {
    t.notOk(isCompressible(response([[name, 'x']]), false), name);
  }
  t.notOk(isCompressible(response([['Cache-Control', 'public, No-Transform']]), false));
  t.ok(isCompressible(response([['Cache-Control', 'no-transformers']]), false));
  t.ok(
    forbidsTransforming(
      response([
        ['Cache-Control', 'public'],
        ['Cache-Control', 'no-transform'],
      ]),
    ),
  );
  const text = [
    'text/plain',
    'TEXT/html; charset=utf-8',
    'application/json',
    'image/svg+xml',
    'application/hal+json;v=1',
  ];
  for (const type of text) t.ok(isCompressible(response([['Content-Type', type]]), true), type);
  for (const type of ['image/png', 'application/octet-stream', 'application/jsonish', 'x; a=application/json']) {
    t.notOk(isCompressible(response([['Content-Type', type]]), true), type);
    t.ok(isCompressible(response([['Content-Type', type]]), false), type);
  }
  t.notOk(isCompressible(response(), true), 'no type');
  t.end();
});

test('how a compressed response is marked', (t) => {
  const head = response([
    ['ETag', '"a"'],
    ['Accept-Ranges', 'bytes'],
    ['Vary', 'Cookie'],
  ]);
  markVarying(head);
  markVarying(head);
  markCoded(head, 'gzip');
  t.equal(head.bodyKind, Body.chunked);
  t.equal(head.http1Fields(), 'Vary: Cookie\r\nVary: Accept-Encoding\r\nETag: W/"a"\r\nContent-Encoding: gzip\r\n');
  const weak = response([
    ['ETag', 'W/"a"'],
    ['Vary', 'Cookie, accept-encoding'],
  ]);
  markVarying(weak);
  markCoded(weak, 'deflate');
  t.equal(weak.http1Fields(), 'ETag: W/"a"\r\nVary: Cookie, accept-encoding\r\nContent-Encoding: deflate\r\n');
  const any = response([['Vary', '*']]);
  markVarying(any);
  t.equal(any.http1Fields(), 'Vary: *\r\nContent-Length: 9\r\n');
  t.end();
});
