import { test } from 'tap';
import * as defaults from '../../src/config/defaults.ts';
import { ConfigDocument, parseDocument } from '../../src/config/document.ts';

async function parsed(text: string): Promise<ConfigDocument> {
  const document = await parseDocument(text, 'routers');
  if (!(document instanceof ConfigDocument)) throw new Error(JSON.stringify(document));
  return document;
}

async function problems(text: string): Promise<string[]> {
  const document = await parseDocument(text, 'routers');
  if (document instanceof ConfigDocument) return [];
  return document.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('scalars stay the text that was written, and null keys are left out', async (t) => {
  const { root } = await parsed('a: 1.10\nb: yes\nc: ~\nd:\ne: null\nf: ""\ng: [1, ~, "null"]\n');
  t.strictSame(plain(root), { a: '1.10', b: 'yes', f: '', g: ['1', null, 'null'] });
});

test('JSON is read when the first character is {, tabs and all', async (t) => {
  const { root } = await parsed('\uFEFF \n{"a": 1,\n\t"b": [true, null],\r\n\t"c": "x\\ty"}');
  t.strictSame(plain(root), { a: '1', b: ['true', null], c: 'x\ty' });
  t.match(await problems('{"a": 1,\n b: 2}'), [/^2:2 not JSON: .*read as JSON/]);
  t.match(await problems('{"a": 1'), [/^1:8 not JSON/]);
});

test('aliases are expanded, with bounds', async (t) => {
  const { root } = await parsed('a: &x {b: 1}\nc: *x\nd: [*x, &x 2, *x]\n');
  t.strictSame(plain(root), { a: { b: '1' }, c: { b: '1' }, d: [{ b: '1' }, '2', '2'] });
  t.strictSame(await problems('a: *nope'), ['1:4 *nope names no anchor above it']);
  let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 12; i++)
    bomb += `a${i}: &a${i} [${Array(10)
      .fill(`*a${i - 1}`)
      .join(',')}]\n`;
  t.match(await problems(bomb), [/more than 100000 values/]);
  t.match(await problems('a: &x [*x]'), [/nested more than 64 deep/], 'a list that contains itself');
  t.match(await problems('['.repeat(50_000)), [/nested more than 64 deep/]);
  t.match(await problems(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), [/nested|not JSON/]);
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  t.strictSame(await problems(deep(defaults.maxConfigDepth)), []);
});

test('what is no tree is told with its place', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /^1:1 the config is empty/],
    ['# only a comment\n', /^1:1 the config is empty/],
    ['~', /^1:1 the config is empty/],
    ['a:\n\t- b\n', /^2:1 not YAML: a tab indents this line; indent with spaces/],
    ['a: 1\n---\nb: 2\n', /^2:1 not YAML: a second document begins here/],
    ['a: [\n  b: {c\n', /^3:1 not YAML/],
    ['? {a: b}\n: c\n', /^1:3 a key must be a plain word/],
    ['a: b: c', /^1:4 not YAML/],
  ];
  for (const [text, expected] of cases) t.match((await problems(text))[0], expected, JSON.stringify(text));
});

test('a key that is there twice is told with its place, and the tree has the first', async (t) => {
  const yaml = await parsed('a: 1\nb:\n  c: 2\n  c: 3\n');
  const [message, line, column] = ['duplicate key, first at line 3; keep one', 4, 3];
  t.strictSame(yaml.duplicates, [{ message, path: ['b', 'c'], line, column }]);
  t.strictSame(JSON.parse(JSON.stringify(yaml.root)), { a: '1', b: { c: '2' } });
  t.match((await parsed('{"a": 1, "a": 2}')).duplicates, [{ line: 1, column: 10 }]);
});

test('every key and value has a place, also inside texts of several lines', async (t) => {
  const document = await parsed(
    [
      'r:', // 1
      '- dtab: |', // 2
      '', // 3
      '    /a => /b;', // 4
      '    /c', // 5
      '  plain: /foo', // 6
      '  quoted: "/foo"', // 7
      '  folded: >', // 8
      '    /foo', // 9
    ].join('\n'),
  );
  t.strictSame(document.keyAt(['r', 0, 'plain']), { line: 6, column: 3 });
  t.strictSame(document.valueAt(['r', 0, 'plain']), { line: 6, column: 10 });
  t.strictSame(document.valueAt(['r', 0, 'not', 'there']), { line: 2, column: 3 }, 'the nearest value around it');
  t.strictSame(document.insideText(['r', 0, 'dtab'], 3, 2), { line: 5, column: 6 });
  t.strictSame(document.insideText(['r', 0, 'plain'], 1, 2), { line: 6, column: 11 });
  t.strictSame(document.insideText(['r', 0, 'quoted'], 1, 2), { line: 7, column: 13 });
  t.equal(document.insideText(['r', 0, 'folded'], 1, 2), undefined, 'lines of a folded text are not those of the file');
});

test('a key called __proto__ is a key like any other', async (t) => {
  const { root } = await parsed('__proto__: {x: 1}\n');
  t.strictSame(Object.keys(root as object), ['__proto__']);
  t.equal(({} as Record<string, unknown>)['x'], undefined);
});
