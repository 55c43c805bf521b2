// What is read off an explanation's JSON is what binding gives.
import fc from 'fast-check';
import { test } from 'tap';
import { hasValue } from '../../src/live/index.ts';
import type { BoundJson } from '../../src/naming/delegate-json.ts';
import { outcomeOf } from '../../src/naming/delegate-outcome.ts';
import {
  type BoundName,
  bind,
  Dentry,
  Dtab,
  explain,
  map,
  type NameTree,
  Path,
  Prefix,
  Scope,
  sameTree,
  toJson,
  utilityNamers,
} from '../../src/naming/index.ts';
import { MapNamer } from '../support/map-namer.ts';
import { treeOf } from '../support/names.ts';
import { noHosts } from '../support/no-hosts.ts';

/** Names lead on to names of a higher rank, so that nothing goes round in circles; the last to the namer, or nowhere. */
const RANKS = 4;

const target = (rank: number): fc.Arbitrary<Path> =>
  fc.oneof(
    fc.constantFrom('/#/m/a', '/#/m/b', '/#/m/none', '/$/nil', '/$/fail', '/$/nope', '/nowhere').map(Path.parse),
    ...Array.from({ length: RANKS - rank - 1 }, (_, ahead) => fc.constant(Path.parse(`/${rank + ahead + 1}`))),
  );

const entry = fc
  .integer({ min: 0, max: RANKS - 1 })
  .chain((rank) => treeOf(target(rank)).map((tree) => new Dentry(Prefix.parse(`/${rank}`), tree)));

const dtab = fc.array(entry, { maxLength: 8 }).map((entries) => new Dtab(entries));

test('an outcome is what binding gives', (t) => {
  const namer = new MapNamer();
  for (const name of ['/a', '/b']) namer.bind(name);
  const utility = utilityNamers(noHosts);
  t.teardown(() => utility.close());
  const scope = new Scope([{ prefix: Path.utf8('m'), namer }], utility);
  const idOfName = ({ id }: BoundName): string => id.show();
  const idOfJson = ({ id }: BoundJson): string => id;
  const seen = new Set<string>();
  fc.assert(
    fc.property(dtab, (x) => {
      const path = Path.parse('/0');
      const bound = bind(scope, x, path);
      const outcome = outcomeOf(toJson(explain(scope, x, path).value!));
      seen.add(hasValue(bound) ? bound.value.type : bound.phase);
      if (!hasValue(bound)) return outcome.type === 'failed';
      const wanted: NameTree<string> = map(bound.value, idOfName);
      return outcome.type === 'tree' && sameTree(map(outcome.tree, idOfJson), wanted, Object.is);
    }),
    { numRuns: 3000 },
  );
  for (const type of ['empty', 'fail', 'failed', 'leaf', 'neg', 'union']) t.ok(seen.has(type), `${type} came up`);
  t.end();
});
