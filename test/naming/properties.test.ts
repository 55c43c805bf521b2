import fc from 'fast-check';
import { test } from 'tap';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { type Activity, failed, pending } from '../../src/live/index.ts';
import {
  ANY,
  type BoundName,
  Dentry,
  Dtab,
  evaluate,
  type NamerTree,
  type NameTree,
  Path,
  PathMatcher,
  Prefix,
  parseTree,
  sameTree,
  showTree,
  simplify,
} from '../../src/naming/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { dtab, path, prefix, tree, treeOf } from '../support/names.ts';
import { noHosts } from '../support/no-hosts.ts';

const samePaths = (a: NameTree<Path>, b: NameTree<Path>) => sameTree(a, b, (x, y) => x.equals(y));

test('parse(show(x)) = x', async () => {
  fc.assert(fc.property(path, (x) => Path.parse(x.show()).equals(x)));
  fc.assert(
    fc.property(tree, (x) => samePaths(parseTree(showTree(x)), x)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(dtab, (x) => {
      const back = Dtab.parse(x.show());
      return (
        back.show() === x.show() &&
        back.entries.length === x.entries.length &&
        back.entries.every((entry, i) => samePaths(entry.tree, x.entries[i]!.tree))
      );
    }),
    { numRuns: 300 },
  );
});

test('simplify keeps the meaning, and does all at once', async () => {
  const names = treeOf(fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(names, (x) => {
      const simplified = simplify(x);
      const [before, after] = [evaluate(x), evaluate(simplified)];
      const same = before === undefined || after === undefined ? before === after : sameSet(before, after);
      return same && sameTree(simplify(simplified), simplified, Object.is);
    }),
    { numRuns: 2000 },
  );
});

test('later dentries win', async () => {
  fc.assert(
    fc.property(dtab, prefix, path, path, (base, before, target, rest) => {
      const path = Path.of([
        ...before.elements.map((element) => (element === ANY ? 'any' : element)),
        ...rest.segments,
      ]);
      const added = base.concat(new Dtab([new Dentry(before, { type: 'leaf', value: target })]));
      const found = added.lookup(path);
      const first = found.type === 'alt' ? found.trees[0]! : found;
      return first.type === 'leaf' && first.value.equals(target.concat(rest));
    }),
  );
});

test('a dtab put together looks up as if it were one', async () => {
  fc.assert(
    fc.property(dtab, dtab, path, (base, local, x) => {
      const whole = new Dtab([...base.entries, ...local.entries]);
      const together = base.concat(local);
      return samePaths(together.lookup(x), whole.lookup(x)) && together.show() === whole.show();
    }),
  );
});

test('the index finds what looking at every entry finds', async () => {
  const letter = fc.constantFrom('a', 'b');
  const few = fc
    .array(fc.array(fc.oneof(letter, fc.constant(ANY)), { maxLength: 3 }), { maxLength: 12 })
    .map((prefixes) => new Dtab(prefixes.map((elements) => new Dentry(new Prefix(elements), { type: 'empty' }))));
  fc.assert(
    fc.property(few, fc.array(letter, { maxLength: 4 }), (table, segments) => {
      const matches = table.entries.filter(({ prefix: { elements } }) => {
        return elements.length <= segments.length && elements.every((e, i) => e === ANY || e === segments[i]);
      });
      const found = table.matching(Path.of(segments));
      return found.length === matches.length && found.every((entry, i) => entry === matches.at(-1 - i));
    }),
    { numRuns: 500 },
  );
});

test('captures take what greedy ones of an anchored regular expression take', async () => {
  const piece = fc.oneof(
    fc.constantFrom('{x}', '{y}', '{z}'),
    fc.string({ unit: fc.constantFrom(...'ab-.'), maxLength: 2 }),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 5 }).filter((pieces) => pieces.join('') !== ''),
      fc.string({ unit: fc.constantFrom(...'ab-.'), minLength: 1, maxLength: 10 }),
      (pieces, text) => {
        const names = pieces.filter((each) => each.startsWith('{')).map((each) => each.slice(1, -1));
        const source = pieces.map((each) => (each.startsWith('{') ? '(.*)' : RegExp.escape(each))).join('');
        const groups = new RegExp(`^${source}$`).exec(text)?.slice(1);
        const wanted = groups && new Map(groups.map((group, i) => [names[i]!, group]));
        const found = new PathMatcher(`/${pieces.join('')}`).match(Path.of([text]));
        return JSON.stringify([...(found ?? ['no'])]) === JSON.stringify([...(wanted ?? ['no'])]);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a binding that saw any sequence of updates is what a fresh one is', async (t) => {
  const name = fc.constantFrom('/a', '/b', '/c');
  const target = fc.constantFrom('/#/n/a', '/#/n/b', '/#/n/c', '/x', '/y').map((text) => Path.parse(text));
  const table = fc
    .tuple(treeOf(target), treeOf(target), treeOf(target))
    .map((trees) => new Dtab(trees.map((to, i) => new Dentry(new Prefix([['svc', 'x', 'y'][i]!]), to))));
  const update = fc.oneof(
    fc.record({ name, to: fc.constantFrom('bound', 'moved', 'neg', 'empty', 'fail', 'other') }),
    fc.record({ name, to: fc.constantFrom('pending', 'failed') }),
  );
  await fc.assert(
    fc.asyncProperty(table, fc.array(update, { maxLength: 12 }), async (rules, updates) => {
      const namer = new MapNamer();
      const make = () => {
        const namers = [{ prefix: Path.utf8('n'), namer }];
        return new DefaultInterpreter({
          namers,
          resolver: noHosts,
          limits: { maxDepth: 10, maxLookups: 200, maxNesting: 100 },
        });
      };
      const svc = Path.parse('/svc');
      const old = make();
      const live = old.bind(rules, svc);
      const watcher = new Watcher(live);
      for (const each of updates) {
        apply(namer, each.name, each.to);
        if (each.name === '/b') await new Promise((resolve) => setImmediate(resolve));
      }
      const fresh = make();
      const reader = new Watcher(fresh.bind(rules, svc));
      await eventually(() => reader.last);
      const [kept, made] = [live.value, fresh.bind(rules, svc).value];
      for (const each of [watcher, reader]) each.stop();
      old.close();
      fresh.close();
      if (kept.phase !== made.phase) return false;
      // What was bound before may be kept while there is nothing new.
      return made.phase === 'ok' ? sameBound(kept, made) : true;
    }),
    { numRuns: 150 },
  );
  t.pass('held');
});

function apply(namer: MapNamer, name: string, to: string): void {
  const answers: Record<string, () => Activity<NamerTree> | NamerTree> = {
    neg: () => ({ type: 'neg' }),
    empty: () => ({ type: 'empty' }),
    fail: () => ({ type: 'fail' }),
    other: () => ({ type: 'leaf', value: Path.parse('/#/n/c') }),
    pending: () => pending(),
    failed: () => failed(new Error('down')),
  };
  if (to === 'bound' || to === 'moved') namer.bind(name, to === 'bound' ? 1 : 2);
  else namer.answer(name, answers[to]!());
}

function sameBound(a: Activity<NameTree<BoundName>>, b: Activity<NameTree<BoundName>>): boolean {
  const same = (x: BoundName, y: BoundName) =>
    x.id.equals(y.id) && JSON.stringify(x.addr.value) === JSON.stringify(y.addr.value);
  return a.value !== undefined && b.value !== undefined && sameTree(a.value, b.value, same);
}

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
