import { test } from 'tap';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { pending } from '../../src/live/index.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { noHosts } from '../support/no-hosts.ts';

function setUp() {
  const namer = new MapNamer();
  const interpreter = new DefaultInterpreter({
    namers: [{ prefix: Path.utf8('n'), namer }],
    resolver: noHosts,
    lingerMs: 20,
  });
  return { namer, interpreter };
}

const base = () => Dtab.parse('/svc => /#/n');

test('equal dtabs and paths share a binding, which is forgotten when nobody reads it', async (t) => {
  const { interpreter, namer } = setUp();
  namer.bind('/a');
  const live = interpreter.bind(base(), Path.parse('/svc/a'));
  t.equal(interpreter.bind(base(), Path.parse('/svc/a')), live);
  t.not(interpreter.bind(base().concat(Dtab.parse('/x => /y')), Path.parse('/svc/a')), live);
  const watcher = new Watcher(live);
  t.match(await eventually(() => watcher.last), { phase: 'ok', value: { type: 'leaf' } });
  await eventually(() => interpreter.size === 1);
  t.equal(interpreter.bind(base(), Path.parse('/svc/a')), live, 'the one that is read stays');
  watcher.stop();
  await eventually(() => interpreter.size === 0);
  t.equal(interpreter.size, 0);
  interpreter.close();
});

test('the last good tree stays while a new one is not known', async (t) => {
  const { interpreter, namer } = setUp();
  namer.bind('/a');
  const watcher = new Watcher(interpreter.bind(base(), Path.parse('/svc/a')));
  await eventually(() => watcher.last?.phase === 'ok');
  namer.answer('/a', pending());
  const kept = await eventually(() => watcher.last?.phase === 'pending' && watcher.last);
  t.match(kept, { value: { type: 'leaf' } });
  namer.answer('/a', { type: 'neg' });
  await eventually(() => watcher.last?.phase === 'ok');
  t.match(watcher.last, { value: { type: 'neg' } }, 'an authoritative answer replaces it');
  watcher.stop();
  interpreter.close();
});

test('an address change does not change the tree', async (t) => {
  const { interpreter, namer } = setUp();
  namer.bind('/a', 1);
  const dtab = Dtab.parse('/svc/a => 1 * /#/n/a & 2 * /#/n/a');
  const watcher = new Watcher(interpreter.bind(dtab, Path.parse('/svc/a')));
  await eventually(() => watcher.last);
  const before = watcher.last;
  namer.bind('/a', 2);
  namer.bind('/other', 2);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(watcher.seen.length, 1);
  t.equal(watcher.last, before);
  watcher.stop();
  interpreter.close();
});

test('ten thousand names are forgotten when they were released', async (t) => {
  const { interpreter, namer } = setUp();
  const dtab = base();
  const watchers = Array.from({ length: 10_000 }, (_, i) => {
    namer.bind(`/${i}`);
    return new Watcher(interpreter.bind(dtab, Path.utf8('svc', String(i))));
  });
  await eventually(() => watchers.every((watcher) => watcher.last?.phase === 'ok'));
  t.equal(interpreter.size, 10_000);
  for (const watcher of watchers) watcher.stop();
  await eventually(() => interpreter.size === 0);
  t.equal(interpreter.size, 0);
  interpreter.close();
});
