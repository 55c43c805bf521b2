// Pathological input costs a bounded amount of work, and says what was too much.
import { test } from 'tap';
import { constant, ok } from '../../src/live/index.ts';
import {
  bind,
  Dtab,
  explain,
  ParseError,
  Path,
  PathMatcher,
  parseTree,
  Scope,
  toJson,
  utilityNamers,
} from '../../src/naming/index.ts';
import { noHosts } from '../support/no-hosts.ts';

const scope = new Scope([], utilityNamers(noHosts));

function failure(dtab: string, path: string): string | undefined {
  const bound = bind(scope, Dtab.parse(dtab), Path.parse(path));
  return bound.phase === 'failed' ? bound.error.message : undefined;
}

test('an entry that leads to itself ends at the depth limit', async (t) => {
  for (const dtab of ['/svc/loop => /svc/loop', '/svc => /svc/x', '/svc => /a ; /a => /svc']) {
    t.equal(failure(dtab, '/svc/loop'), 'Max recursion level: 100 reached in Namer lookup', dtab);
  }
});

test('what doubles at every step ends at the lookup budget', async (t) => {
  const chain = (sign: string) =>
    Array.from({ length: 90 }, (_, i) => `/a${i} => /a${i + 1} ${sign} /a${i + 1}`).join(';');
  for (const [dtab, path] of [
    ['/a => /a/b & /a/c', '/a'],
    ['/a => /a & /a & /a', '/a'],
    [chain('|'), '/a0'],
    [chain('&'), '/a0'],
  ] as const) {
    t.match(failure(dtab, path), /^More than 10000 lookups to bind one name, at \/a/, dtab.slice(0, 40));
    const explained = explain(scope, Dtab.parse(dtab), Path.parse(path));
    t.equal(explained.phase, 'ok');
    const json = JSON.stringify(toJson(explained.value!));
    t.match(json, 'More than 10000 lookups.');
    t.ok(json.length < 20e6);
  }
  t.equal(failure('/a => /a/b | /a/c', '/a'), 'Max recursion level: 100 reached in Namer lookup');
});

test('a path that an entry makes longer and longer uses the budget up sooner', async (t) => {
  const long = '/b'.repeat(4000);
  const dtab = `/a => /a${long} & /a${long}`;
  t.match(failure(dtab, '/a'), /^More than 10000 lookups to bind one name, at \/a(\/b){19}\/\.\.\.$/);
  const explained = explain(scope, Dtab.parse(dtab), Path.parse('/a'));
  t.ok(JSON.stringify(toJson(explained.value!)).length < 200e6);
});

test('a budget of ones own', async (t) => {
  const limits = { maxDepth: 3, maxLookups: 8, maxNesting: 5 };
  const bound = (dtab: string) => bind(scope, Dtab.parse(dtab), Path.parse('/a'), limits);
  // One for /a, one for each branch, one for what each branch leads to.
  t.match(bound('/a => /b & /c & /d'), { phase: 'ok' });
  const message = 'More than 8 lookups to bind one name, at /e';
  t.match(bound('/a => /b & /c & /d & /e'), { phase: 'failed', error: { message } });
});

test('a tree that is wide at every step uses the budget up sooner', async (t) => {
  const wide = (sign: string, target: string) => Array.from({ length: 150 }, () => target).join(sign);
  const asked = new Map<string, number>();
  const counting = new Scope([], {
    lookup: (path) => {
      asked.set('lookups', (asked.get('lookups') ?? 0) + 1);
      return constant(
        ok({ type: 'leaf', value: { id: path, residual: Path.empty, addr: constant({ state: 'neg' }) } }),
      );
    },
    close: () => {},
  });
  for (const dtab of [`/a => ${wide('&', '/a')}`, `/a => ${wide('&', '/b')}; /b => ${wide('&', '/$/n')}`]) {
    asked.clear();
    t.match(bind(counting, Dtab.parse(dtab), Path.parse('/a')), {
      phase: 'failed',
      error: { message: /^More than 10000/ },
    });
    t.ok((asked.get('lookups') ?? 0) <= 2000, `${asked.get('lookups')} namers were asked`);
  }
});

test('parentheses nest to a limit, in one tree and over all lookups', async (t) => {
  const nested = (depth: number, inner: string) => `${'(~ | '.repeat(depth)}${inner}${')'.repeat(depth)}`;
  t.equal(parseTree(nested(100, '/a')).type, 'alt');
  try {
    parseTree(nested(100_000, '/a'));
    t.fail('it parsed');
  } catch (error) {
    t.ok(error instanceof ParseError);
    t.equal((error as ParseError).expected, 'at most 100 nested parentheses');
  }
  // Every lookup goes a hundred trees deeper: the depth limit alone would overflow the stack.
  const deep = `/a => ${nested(99, '/a')}`;
  t.equal(failure(deep, '/a'), 'More than 1000 trees within trees');
  const explained = explain(scope, Dtab.parse(deep), Path.parse('/a'));
  t.match(JSON.stringify(toJson(explained.value!)), 'More than 1000 trees within trees');
});

test('a large table is parsed once and looked up without walking it', async (t) => {
  const text = Array.from({ length: 50_000 }, (_, i) => `/svc/n${i} => /x/${i}`).join(';\n');
  const dtab = Dtab.parse(text);
  t.equal(dtab.entries.length, 50_000);
  let found = 0;
  for (let i = 0; i < 50_000; i++) if (dtab.lookup(Path.utf8('svc', `n${i}`)).type === 'leaf') found++;
  t.equal(found, 50_000, 'which takes minutes if every lookup walks the table');
  t.ok(dtab.concat(Dtab.parse('/svc => /y')).key.length < 200, 'the key of its bindings is short');
});

test('a hundred thousand entries for one path', async (t) => {
  const dtab = Dtab.parse('/a=>/b;'.repeat(100_000));
  t.match(dtab.lookup(Path.utf8('a')), { type: 'alt', trees: { length: 100_000 } });
});

test('matching a pattern does not backtrack', async (t) => {
  const matcher = new PathMatcher(`/${'{x}a'.repeat(30)}b`);
  t.equal(matcher.match(Path.of(['a'.repeat(20_000)])), undefined, 'which takes for ever by regular expression');
});

test('a weight must be a number that can be shown again', async (t) => {
  t.throws(() => parseTree(`${'9'.repeat(400)} * /a & /b`), { name: 'ParseError', expected: 'a weight below 1.8e308' });
  t.throws(() => parseTree('. * /a & /b'), { name: 'ParseError', expected: 'weight' });
});
