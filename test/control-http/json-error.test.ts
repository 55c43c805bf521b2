import fc from 'fast-check';
import { test } from 'tap';
import { jsonError } from '../../src/control-http/index.ts';

test('it is JSON if and only if JSON.parse takes it', async () => {
  const piece = fc.constantFrom(
    ...'[]{},:"\\ \n1-.eE0 ',
    'true',
    'null',
    '"a"',
    '"b":',
    '1.5',
    '[1,2]',
    '{"a":1}',
    '\\u00e9',
    '\u0001',
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc.json(),
    fc.tuple(fc.json(), fc.nat(20), piece).map(([json, at, more]) => json.slice(0, at) + more + json.slice(at)),
  );
  fc.assert(
    fc.property(text, (candidate) => (jsonError(candidate) === undefined) === parses(candidate)),
    { numRuns: 20_000 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('the place of the error and what could stand there', async (t) => {
  const errors: [string, number, string][] = [
    ['', 0, 'a value'],
    ['[1 2]', 3, "',' or ']'"],
    ['[1,]', 3, 'a value'],
    ['[', 1, "a value or ']'"],
    ['{x', 1, "a name in quotes or '}'"],
    ['{"a" 1}', 5, "':'"],
    ['{"a":1', 6, "',' or '}'"],
    ['{"a":1,}', 7, 'a name in quotes'],
    ['{} {}', 3, 'the end'],
    ['["a\nb"]', 1, "a value or ']'"],
  ];
  for (const [text, offset, expected] of errors) t.strictSame(jsonError(text), { offset, expected }, text);
});
