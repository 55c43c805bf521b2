// Paths, trees, dtabs and path patterns as Linkerd 1.7.5 parsed, showed and simplified them.
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import {
  ANY,
  Dentry,
  Dtab,
  evaluate,
  type NameTree,
  ParseError,
  Path,
  PathMatcher,
  parseTree,
  showTree,
  simplify,
} from '../../src/naming/index.ts';

interface Vector {
  readonly kind: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly [key: string]: unknown;
}

const vectors: Vector[] = JSON.parse(readFileSync(new URL('../fixtures/dtabs.json', import.meta.url), 'utf8'));

/** What the original does by mistake, and what we do instead. */
const DIFFERENCES: readonly { readonly applies: (vector: Vector) => boolean; readonly ours: string }[] = [
  {
    // original-faults.md 18: it throws inside.
    applies: (v) => v.kind === 'pathmatch' && (v.error === 'tail of empty list' || v.error === 'empty.tail'),
    ours: 'no match',
  },
];

const checks: Record<string, (vector: Vector) => unknown> = {
  'path-parse': ({ input }) => {
    const path = Path.parse(input as string);
    return { shown: path.show(), elems: path.segments.map(elementOf) };
  },
  'tree-parse': ({ input }) => {
    const tree = parseTree(input as string);
    const simplified = simplify(tree);
    const reached = evaluate(tree);
    return {
      shown: showTree(tree),
      tree: structure(tree),
      simplified: showTree(simplified),
      simplifiedTree: structure(simplified),
      eval: reached === undefined ? null : [...new Set([...reached].map((path) => path.show()))].sort(),
    };
  },
  'dentry-parse': ({ input }) => {
    const dentry = Dentry.parse(input as string);
    return { shown: dentry.show(), prefix: dentry.prefix.show(), dst: showTree(dentry.tree) };
  },
  'dtab-parse': ({ input }) => {
    const dtab = Dtab.parse(input as string);
    const entries = dtab.entries.map(({ prefix, tree }) => {
      return { prefix: prefix.show(), dst: showTree(tree), tree: structure(tree) };
    });
    return { shown: dtab.show(), length: dtab.entries.length, entries };
  },
  concat: ({ a, b }) => ({
    shown: Dtab.parse(a as string)
      .concat(Dtab.parse(b as string))
      .show(),
  }),
  lookup: ({ dtab, path }) => {
    const tree = Dtab.parse(dtab as string).lookup(Path.parse(path as string));
    return { shown: showTree(tree), result: structure(tree) };
  },
  pathmatch: ({ pattern, path, template }) => {
    const vars = new PathMatcher(pattern as string).match(Path.parse(path as string));
    if (vars === undefined) return { matched: false };
    const substituted = PathMatcher.substitute(template as string, vars);
    return { matched: true, vars: Object.fromEntries(vars), substituted, ...parsed(substituted) };
  },
};

for (const [kind, check] of Object.entries(checks)) {
  const ofKind = vectors.filter((vector) => vector.kind === kind);
  test(`${kind}: ${ofKind.length} vectors`, async (t) => {
    t.ok(ofKind.length > 0);
    for (const vector of ofKind) {
      const { ok, error } = vector;
      const name = JSON.stringify(vector).slice(0, 120);
      const difference = DIFFERENCES.find(({ applies }) => applies(vector));
      if (difference !== undefined) {
        t.strictSame(check(vector), { matched: false }, `${name}: ${difference.ours}`);
      } else if (ok) {
        t.strictSame(check(vector), expected(vector), name);
      } else {
        t.equal(
          failure(() => check(vector)),
          error,
          name,
        );
      }
    }
  });
}

test('blanks are what Java takes for white space', async (t) => {
  t.equal(Dtab.parse('\u2003/a\u3000=>\u2028/b\v;\u001c').show(), '/a=>/b');
  for (const other of ['\u00a0', '\u2007', '\ufeff', '\u0085']) {
    t.equal(
      failure(() => Path.parse(`${other}/a`)),
      `'/' expected but '${other}' found at '[${other}]/a'`,
    );
  }
});

test('weights that are no numbers are refused where Finagle refuses them, and in its words', async (t) => {
  for (const [text, message] of [
    ['. * /a', "weight expected but '.' found at '.[ ]* /a'"],
    ['.', "weight expected but '.' found at '.[]'"],
    ['.. * /a', "number char expected but '.' found at '.[.] * /a'"],
    ['1.2.3 * /a', "number char expected but '.' found at '1.2[.]3 * /a'"],
    ['/b & 1..5*/a', "number char expected but '.' found at '/b & 1.[.]5*/a'"],
  ] as const) {
    t.equal(
      failure(() => parseTree(text)),
      message,
      text,
    );
  }
});

test('an error says line, column, what was expected and what was found', async (t) => {
  try {
    Dtab.parse('/a => /b ;\n/c = /d');
    t.fail('it parsed');
  } catch (error) {
    t.ok(error instanceof ParseError);
    const { line, column, offset, expected, found, located } = error as ParseError;
    t.strictSame(
      { line, column, offset, expected, found },
      { line: 2, column: 5, offset: 15, expected: "'>'", found: "' '" },
    );
    t.equal(located, "line 2, column 5: '>' expected but ' ' found");
  }
});

test('the message of an error in a long text is bounded', async (t) => {
  const entry = '/svc/a => /b;\n';
  try {
    Dtab.parse(`${entry.repeat(50_000)}/x = /y;${entry.repeat(50_000)}`);
    t.fail('it parsed');
  } catch (error) {
    t.ok((error as Error).message.length < 3000);
    t.equal((error as ParseError).line, 50_001);
    t.match((error as Error).message, '/x =[ ]/y;');
  }
});

/** Without what the check is given. */
function expected(vector: Vector): object {
  const given = ['kind', 'ok', 'input', 'a', 'b', 'dtab', 'path', 'pattern', 'template'];
  return Object.fromEntries(Object.entries(vector).filter(([key]) => !given.includes(key)));
}

function failure(action: () => unknown): string {
  try {
    return `no error, but ${JSON.stringify(action())}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function parsed(text: string): object {
  try {
    return { substitutedPath: Path.parse(text).show() };
  } catch (error) {
    return { substitutedPathError: (error as Error).message };
  }
}

/** As the recordings write an element: as text if it is UTF-8, as hex otherwise. */
function elementOf(segment: string): unknown {
  const bytes = Buffer.from(segment, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : { hex: bytes.toString('hex') };
}

function structure(tree: NameTree<Path>): unknown {
  switch (tree.type) {
    case 'leaf':
      return { type: 'leaf', value: tree.value.show() };
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(structure) };
    case 'union':
      return {
        type: 'union',
        trees: tree.trees.map((child) => ({ weight: child.weight, tree: structure(child.tree) })),
      };
    default:
      return { type: tree.type };
  }
}

test('a literal * in a prefix is not the wildcard', async (t) => {
  t.strictSame(Dtab.parse('/* => /b').entries[0]?.prefix.elements, [ANY]);
  t.strictSame(Dtab.parse('/\\x2a => /b').entries[0]?.prefix.elements, ['*']);
});
