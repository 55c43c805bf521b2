import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { z } from 'zod';
import * as scalars from '../../src/config/scalars.ts';

const accepts = (schema: z.ZodType, written: unknown) => {
  const result = schema.safeParse(written);
  return result.success ? result.data : result.error.issues[0]!.message;
};

test('text becomes what the key asks for, as the original reads it', async (t) => {
  const { int, num, bool, string, port, durationMs, ip, headerName, oneOf, path, dtab } = scalars;
  const cases: [z.ZodType, string, unknown][] = [
    [int(z), '5', 5],
    [int(z), '-1', -1],
    [int(z), '+7', 7],
    [int(z), '10_000', 10_000],
    [int(z), '5.0', 5],
    [int(z), '0', 0],
    [num(z), '0.5', 0.5],
    [num(z), '.5', 0.5],
    [num(z), '5', 5],
    [num(z), '1e3', 1000],
    [bool(z), 'true', true],
    [bool(z), 'yes', true],
    [bool(z), 'On', true],
    [bool(z), 'Y', true],
    [bool(z), 'FALSE', false],
    [bool(z), 'off', false],
    [bool(z), 'n', false],
    [string(z), '5', '5'],
    [string(z), '1.10', '1.10'],
    [string(z), 'yes', 'yes'],
    [string(z), '', ''],
    [port(z), '0', 0],
    [port(z), '65535', 65535],
    [durationMs(z), '10000', 10_000],
    [ip(z), '0.0.0.0', '0.0.0.0'],
    [ip(z), '::1', '::1'],
    [ip(z), 'localhost', '127.0.0.1'],
    [headerName(z), 'X-Stamp', 'X-Stamp'],
    [oneOf(z, ['a', 'b']), 'b', 'b'],
    [path(z), '/svc/web', '/svc/web'],
    [path(z), '/', '/'],
    [dtab(z), '', ''],
    [dtab(z), '/svc => /a | /b;', '/svc => /a | /b;'],
  ];
  for (const [schema, written, value] of cases) t.strictSame(accepts(schema, written), value, JSON.stringify(written));
});

test('values that are already typed stay what they are', async (t) => {
  t.equal(accepts(scalars.int(z), 5), 5);
  t.equal(accepts(scalars.bool(z), false), false);
  t.equal(accepts(scalars.string(z), 5), '5');
});

test('what does not fit is refused with what is allowed and what is there', async (t) => {
  const { int, num, bool, string, port, durationMs, ip, headerName, path, dtab } = scalars;
  const cases: [z.ZodType, unknown, string][] = [
    [int(z), 'abc', 'must be a whole number, but is "abc"'],
    [int(z), '5.5', 'must be a whole number, but is "5.5"'],
    [int(z), '5.5', 'must be a whole number, but is "5.5"'],
    [int(z), '010', 'must be a whole number, but is "010"'],
    [int(z), '', 'must be a whole number, but is ""'],
    [int(z), '99999999999', 'must be a whole number, but is 99999999999'],
    [int(z, { min: 1 }), '0', 'must be a whole number, 1 or more, but is 0'],
    [int(z, { min: -1, max: 9 }), '10', 'must be a whole number from -1 to 9, but is 10'],
    [num(z, { min: 0, max: 1 }), '2.0', 'must be a number from 0 to 1, but is 2'],
    [num(z), 'NaN', 'must be a number, but is "NaN"'],
    [bool(z), 'maybe', 'must be true or false, but is "maybe"'],
    [bool(z), '1', 'must be true or false, but is "1"'],
    [string(z), {}, 'must be text, but is a map'],
    [string(z), ['a'], 'must be text, but is a list'],
    [string(z), undefined, 'missing; add it: text'],
    [port(z), '65536', 'must be a port number from 0 to 65535, but is 65536'],
    [durationMs(z), '-5', 'must be a time in milliseconds, 0 or more, but is -5'],
    [ip(z), 'web.example', '"web.example" is not an IP address; write one such as 127.0.0.1 or ::'],
    [headerName(z), 'a b', '"a b" is not a header name'],
    [path(z), 'svc', "not a path: '/' expected but 's' found"],
    [dtab(z), '/a => /b\n/c => /d', '; is a `;` missing at the end of the dentry above?'],
  ];
  for (const [schema, written, message] of cases) {
    t.match(accepts(schema, written), message, JSON.stringify(written));
  }
});

test('files and directories must be there', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'signpost-scalars-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const file = join(root, 'f');
  writeFileSync(file, '');
  t.equal(accepts(scalars.directory(z), root), root);
  t.equal(accepts(scalars.file(z), file), file);
  t.match(accepts(scalars.directory(z), file), 'is not a directory');
  t.match(accepts(scalars.file(z), root), 'is not a file');
  t.match(accepts(scalars.directory(z), join(root, 'no')), 'does not exist; create it or correct the key');
});
