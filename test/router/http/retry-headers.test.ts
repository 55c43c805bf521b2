import { test } from 'tap';
import { isNack, retryAfterMs } from '../../../src/router/http/retry-headers.ts';
import { PlainResponseHead } from '../../../src/wire/head.ts';

const head = (fields: readonly (readonly [string, string])[], status = 503) =>
  new PlainResponseHead(status, '', 0, fields);
const after = (value: string, nowMs: number) => retryAfterMs(head([['Retry-After', value]]), nowMs);

test('Retry-After: seconds, or a date in each of its three forms (RFC 9110 5.6.7)', (t) => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 30);
  t.equal(after('0', now), 0);
  t.equal(after('120', now), 120_000);
  t.equal(after('99999999999', now), 99_999_999_999_000);
  t.equal(after('9'.repeat(400), now), Number.POSITIVE_INFINITY, 'digits have no end');
  for (const date of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994']) {
    t.equal(after(date, now), 7000, date);
    t.equal(after(date, now + 60_000), 0, 'is over');
  }
  t.end();
});

test('a Retry-After that is neither says nothing', (t) => {
  for (const value of ['', '-1', '1.5', 'soon', '+3', '1e3', 'Sun, 06 Foo 1994 08:49:37 GMT', 'Sunday']) {
    t.equal(after(value, 0), 0, value);
  }
  t.equal(retryAfterMs(head([])), 0);
  t.end();
});

test('a nack is a 503 with one of two headers', (t) => {
  t.ok(isNack(head([['finagle-http-nack', 'true']])));
  t.ok(isNack(head([['finagle-http-nack', '']])));
  t.ok(isNack(head([['Retry-After', '0']])));
  t.notOk(isNack(head([['Retry-After', '1']])));
  t.notOk(isNack(head([])));
  t.notOk(isNack(head([['finagle-http-nack', 'true']], 500)));
  t.end();
});
