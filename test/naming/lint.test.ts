import fc from 'fast-check';
import { test } from 'tap';
import { Dtab, type LintFinding, lintDtab, Path, parseEntries, placeOf, showFinding } from '../../src/naming/index.ts';
import { leaves } from '../../src/naming/name-tree.ts';

const namers = ['/io.l5d.fs', '/io.l5d.k8s'].map(Path.parse);
const lint = (dtab: string) => lintDtab(Dtab.parse(dtab), { namers });
const told = (findings: LintFinding[]) => findings.map(({ kind, severity, entry }) => `${severity} ${kind} ${entry}`);

test('a dtab of the guides is fine', async (t) => {
  const dtab = `
    /srv => /#/io.l5d.k8s/default/http;
    /domain/world => /srv/world;
    /host => /$/io.buoyant.http.domainToPathPfx/domain;
    /svc => /host;
    /svc/world => 0.9 * /srv/world-v1 & 0.1 * /srv/world-v2;
    /fallback => /$/inet/127.0.0.1/80 | /#/io.l5d.fs/x | $ | !;
    /none => ~`;
  t.strictSame(lint(dtab), []);
  t.strictSame(lint(''), []);
});

test('loops are found whatever their length, and told once', async (t) => {
  t.strictSame(told(lint('/a => /b; /b => /a')), ['warning loop 0']);
  t.equal(
    showFinding(lint('/a => /b; /b => /a')[0]!),
    'entry 1 (/a => /b): names go round in circles and fail: /b => /a => /b',
  );
  t.strictSame(told(lint('/x => /x')), ['warning loop 0']);
  t.strictSame(told(lint('/x => /x/y')), ['warning loop 0']);
  t.strictSame(told(lint('/ => /x')), ['warning loop 0']);
  t.strictSame(told(lint('/ok => /#/io.l5d.fs; /b/c => /a/c; /a => /b')), ['warning loop 1']);
  t.strictSame(told(lint('/a/* => /b/x; /b/* => /a/y')), ['warning loop 0']);
  t.strictSame(told(lint('/a => /#/io.l5d.fs | /a')), ['warning loop 0']);
  t.strictSame(told(lint('/a => 1 * /#/io.l5d.fs & 1 * (/b | $); /b => /a')), ['warning loop 0']);
  const two = lint('/a => /a; /b => /c; /c => /b');
  t.strictSame(told(two), ['warning loop 0', 'warning loop 1']);
});

test('what only looks like a loop is none', async (t) => {
  t.strictSame(lint('/svc/a => /svc/b; /svc => /#/io.l5d.fs'), []);
  t.strictSame(lint('/svc => /srv; /srv => /#/io.l5d.fs; /srv/x => /svc/y'), []);
  t.strictSame(lint('/a/* => /b; /b/* => /a; /b => /#/io.l5d.fs; /a => /#/io.l5d.fs'), []);
});

test('a loop is found if and only if some name goes round in circles', async () => {
  const segment = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
  const prefix = fc
    .array(fc.oneof(segment, fc.constant('*')), { maxLength: 2 })
    .map((elements) => `/${elements.join('/')}`);
  const dtab = fc
    .array(fc.tuple(prefix, fc.array(path, { minLength: 1, maxLength: 2 })), { maxLength: 4 })
    .map((entries) => Dtab.parse(entries.map(([from, to]) => `${from} => ${to.join(' | ')}`).join('; ')));
  const names = ['', ...'abcq'].flatMap((first) =>
    ['', ...'abcq'].map((second) => Path.of([first, second].filter(Boolean))),
  );
  fc.assert(
    fc.property(dtab, (table) => {
      const found = lintDtab(table).some(({ kind }) => kind === 'loop');
      return found === names.some((name) => circles(table, name));
    }),
    { numRuns: 2000 },
  );
});

/** Whether rewriting a name, in any alternative, comes back to a name that it came from or makes it longer without end. */
function circles(table: Dtab, name: Path, before: ReadonlySet<string> = new Set(), done = new Set<string>()): boolean {
  const key = name.show();
  if (before.has(key) || name.length > 40) return true;
  if (done.has(key)) return false;
  const way = new Set(before).add(key);
  const found = table
    .matching(name)
    .some((dentry) => [...leaves(dentry.apply(name))].some((target) => circles(table, target, way, done)));
  if (!found) done.add(key);
  return found;
}

test('namers that are not there', async (t) => {
  t.strictSame(told(lint('/svc => /#/io.l5d.consul/dc/x | /#/io.l5d.fs')), ['warning unknownNamer 0']);
  t.match(lint('/svc => /#/io.l5d.consul/dc1')[0]?.message, 'there is no namer /#/io.l5d.consul');
  t.strictSame(told(lint('/svc => /$/net/1.2.3.4/80')), ['warning unknownNamer 0']);
  t.strictSame(lint('/svc => /#; /x => /$; /y => /#/io.l5d.fs'), []);
  const nested = { namers: [Path.parse('/my/fs')] };
  t.strictSame(lintDtab(Dtab.parse('/a => /#/my; /b => /#/my/fs/x'), nested), []);
  t.strictSame(told(lintDtab(Dtab.parse('/a => /#/my/other'), nested)), ['warning unknownNamer 0']);
  t.strictSame(lintDtab(Dtab.parse('/a => /#/anything')), [], 'no namer is missed where none is known');
});

test('entries that lead nowhere, are never used, or only after another', async (t) => {
  t.strictSame(told(lint('/svc => /hots; /host => /#/io.l5d.fs')), ['warning dead 0']);
  t.strictSame(lint('/svc => /host; /host/web => /#/io.l5d.fs/web'), [], 'the rest of the name may match');
  t.strictSame(told(lint('/svc => /#/io.l5d.fs; /svc => !')), ['warning shadowed 0']);
  t.strictSame(told(lint('/svc/web => /#/io.l5d.fs; /svc/* => /$/inet/1.2.3.4/80')), ['warning shadowed 0']);
  t.strictSame(told(lint('/svc/* => /#/io.l5d.fs; /svc/web => !')), []);
  t.strictSame(told(lint('/svc => /#/io.l5d.fs/a; /svc => /#/io.l5d.fs/b')), ['note shadowed 0']);
  t.strictSame(told(lint('/svc => /#/io.l5d.fs; /svc => /#/io.l5d.fs')), ['warning shadowed 0']);
});

test('weights of zero', async (t) => {
  t.strictSame(told(lint('/a => 0 * /#/io.l5d.fs/a & 1 * /#/io.l5d.fs/b')), ['note zeroWeight 0']);
  t.match(lint('/a => 0 * /#/io.l5d.fs/a & 0.0 * /#/io.l5d.fs/b')[0]?.message, 'all weights');
  t.strictSame(told(lint('/a => $ | (1 * /#/io.l5d.fs/a & 1 * (0 * $ & 1 * !))')), ['note zeroWeight 0']);
});

test('a dtab that doubles at every step ends the search, not the process', async (t) => {
  const lines = Array.from({ length: 60 }, (_, i) => `/n${i} => /n${i + 1}/a & /n${i + 1}/b`);
  t.strictSame(told(lint(lines.join(';'))), ['warning dead 59']);
});

test('entries know where they stand in their text', async (t) => {
  const text = '# first\n/a => /b ;\n  /c => /d';
  const places = parseEntries(text).map(({ dentry, offset }) => [dentry.show(), placeOf(text, offset)]);
  t.strictSame(places, [
    ['/a=>/b', { line: 2, column: 1 }],
    ['/c=>/d', { line: 3, column: 3 }],
  ]);
});
