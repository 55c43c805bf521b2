// What was known last: through the interpreter, as a file that another process reads, and by itself.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { formatSnapshot, parseSnapshot } from '../../src/interpreters/snapshot/format.ts';
import { LastKnownGood } from '../../src/interpreters/snapshot/last-known-good.ts';
import { type Addr, type BoundId, Dtab, leaf, type NameTree, Path } from '../../src/naming/index.ts';
import { eventually } from '../support/eventually.ts';
import { startTestNamerd } from '../support/mesh-server.ts';
import { freePorts } from '../support/ports.ts';
import { startInterpreter } from '../support/remote-interpreter.ts';
import { tempDir } from '../support/temp-dir.ts';

const HOUR_MS = 3_600_000;
const dtabs = { default: Dtab.parse('/svc => /#/test') };
const FILE = 'test.io.l5d.mesh.json';
const owner = { kind: 'io.l5d.mesh', namespace: 'default' };

/** Leaves behind what a Signpost knew that had bound `/svc/web` (to port 8080), and another name under a local dtab. */
async function leaveSnapshot(t: { teardown(fn: () => unknown): void }, stateDirectory: string): Promise<void> {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  namerd.namer.bind('/v2', 8082);
  const { watch, close } = startInterpreter(t, { ports: [namerd.port], stateDirectory });
  const web = watch('/svc/web');
  await web.addr((addr) => addr.state === 'bound');
  const override = watch('/svc/web', '/svc/web => /#/test/v2');
  await override.addr((addr) => addr.state === 'bound');
  await watch('/svc/nosuch').until('~');
  close();
  await namerd.close();
}

test('a Signpost that starts while namerd is away binds what the one before it had bound', async (t) => {
  const stateDirectory = tempDir(t);
  await leaveSnapshot(t, stateDirectory);
  t.same(readdirSync(stateDirectory), [FILE], 'one file, and no remains');

  const [port = 0] = await freePorts(1);
  const { watch, state, metric } = startInterpreter(t, { ports: [port], stateDirectory });
  const never = watch('/svc/never-seen');
  const web = watch('/svc/web');
  await web.until('/#/test/web');
  t.match(await web.addr((addr) => addr.state === 'bound'), { endpoints: [{ host: '127.0.0.1', port: 8080 }] });
  const override = watch('/svc/web', '/svc/web => /#/test/v2');
  await override.until('/#/test/v2');
  t.match(await override.addr((addr) => addr.state === 'bound'), { endpoints: [{ port: 8082 }] });
  t.equal(web.activity?.phase, 'pending', 'and it is known that this is old');
  t.match(state(), { connected: false, snapshot: { names: 2, writable: true } });
  t.ok(state().bind['/svc/web']?.['']?.state['takenFromSnapshotAt']);
  await eventually(() => (metric('staleness_ms') ?? 0) > 0);
  t.equal(metric('snapshot/used'), 4);
  t.match(never.activity, { phase: 'pending' });
  t.equal(never.shown, undefined);

  // It knows no more than before, so it must not look fresher.
  const before = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as { names: { at: string }[] };
  const again = startInterpreter(t, { ports: [port], stateDirectory });
  await again.watch('/svc/web').until('/#/test/web');
  again.close();
  const after = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as { names: { at: string }[] };
  t.same(
    after.names.map(({ at }) => at),
    before.names.map(({ at }) => at),
  );
});

test('what namerd says counts as soon as it says it, whatever was known', async (t) => {
  const stateDirectory = tempDir(t);
  await leaveSnapshot(t, stateDirectory);
  const namerd = await startTestNamerd(t, { dtabs: { default: Dtab.parse('/svc/web => /#/test/v3') } });
  namerd.namer.bind('/v3', 8083);
  const { watch } = startInterpreter(t, { ports: [namerd.port], stateDirectory });
  const web = watch('/svc/web');
  await web.until('/#/test/v3');
  t.equal(web.changes, 2, 'the old was not shown: only that nothing is known, then the new');

  const [port = 0] = await freePorts(1);
  const waiting = startInterpreter(t, { ports: [port], stateDirectory });
  const late = waiting.watch('/svc/web');
  await late.until('/#/test/web');
  waiting.locate(namerd.port);
  await late.until('/#/test/v3');
});

test('a name that is asked for again while namerd is away is bound to what it was', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  const { watch, state } = startInterpreter(t, { ports: [namerd.port], lingerMs: 0 });
  const web = watch('/svc/web');
  await web.addr((addr) => addr.state === 'bound');
  web.stop();
  await eventually(() => state().bind['/svc/web'] === undefined);
  await namerd.close();
  await eventually(() => !state().connected);
  const again = watch('/svc/web');
  await again.until('/#/test/web');
  t.match(await again.addr((addr) => addr.state === 'bound'), { endpoints: [{ port: 8080 }] });
});

test("a snapshot that is another's, too old, or no snapshot is passed over", async (t) => {
  const stateDirectory = tempDir(t);
  await leaveSnapshot(t, stateDirectory);
  const file = join(stateDirectory, FILE);
  const good = readFileSync(file, 'utf8');
  const [port = 0] = await freePorts(1);
  const start = (config = {}) => {
    const { watch, state, log, close } = startInterpreter(t, { ports: [port], stateDirectory, config });
    watch('/svc/web');
    const { snapshot } = state();
    close();
    return { names: snapshot?.names, warnings: log.lines.filter(({ level }) => level === 'warn') };
  };
  t.equal(start().names, 2);
  writeFileSync(file, good);
  const other = start({ root: '/blue' });
  t.equal(other.names, 0);
  t.match(other.warnings, [{ reason: 'of io.l5d.mesh and namespace default' }]);

  for (const [content, reason] of [
    ['', /JSON/],
    ['{}', /not in the format/],
    ['[1]', /not an object/],
    [good.slice(0, -10), /JSON/],
  ] as const) {
    writeFileSync(file, content);
    const { names, warnings } = start();
    t.equal(names, 0);
    t.match(warnings, [{ reason, file }]);
  }

  const old = JSON.parse(good) as { names: { at: string }[] };
  for (const name of old.names) name.at = new Date(Date.now() - 25 * HOUR_MS).toISOString();
  writeFileSync(file, JSON.stringify(old));
  const { watch } = startInterpreter(t, { ports: [port], stateDirectory });
  const stale = watch('/svc/web');
  writeFileSync(file, JSON.stringify(old));
  const patient = startInterpreter(t, { ports: [port], stateDirectory, config: { snapshot: { maxAgeHours: 30 } } });
  await patient.watch('/svc/web').until('/#/test/web');
  t.equal(stale.shown, undefined, '25 h are too many by default');
});

test('nothing is kept with a maxAgeHours of 0', async (t) => {
  const stateDirectory = tempDir(t);
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  const config = { snapshot: { maxAgeHours: 0 } };
  const { watch, state, close } = startInterpreter(t, { ports: [namerd.port], stateDirectory, config });
  await watch('/svc/web').until('/#/test/web');
  t.equal(state().snapshot, null);
  close();
  t.same(readdirSync(stateDirectory), []);
});

test('a folder that can not be written to is one warning and a metric, and all else works', async (t) => {
  const parent = tempDir(t);
  writeFileSync(join(parent, 'file'), '');
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  // Of the second, mkdir says that there is no such folder above, though there is.
  for (const [dir, reason] of [
    [join(parent, 'file', 'signpost'), /ENOTDIR/],
    ['/proc/none/signpost', /ENOENT/],
  ] as const) {
    const config = { snapshot: { dir } };
    const { watch, state, metric, log, close } = startInterpreter(t, { ports: [namerd.port], config });
    await watch('/svc/web').until('/#/test/web');
    t.match(state(), { snapshot: { writable: false } });
    t.equal(metric('snapshot/unwritable'), 1);
    close();
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    t.match(warnings, [{ reason, advice: /STATE_DIRECTORY/ }]);
    t.equal(warnings.length, 1);
  }
});

test('the file is written while it runs, into a folder that is made, not for everybody to read', async (t) => {
  const dir = join(tempDir(t), 'state', 'signpost');
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  const { watch, metric } = startInterpreter(t, { ports: [namerd.port], config: { snapshot: { dir } } });
  await watch('/svc/web').addr((addr) => addr.state === 'bound');
  const file = join(dir, FILE);
  const saved = await eventually(() => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return text.includes('8080') && text;
  }, 'the file');
  const { names } = parseSnapshot(saved, owner);
  t.equal(names[0]?.path.show(), '/svc/web');
  t.equal(metric('snapshot/written'), 1);
  t.equal(metric('snapshot/bytes'), saved.length);
  t.equal(statSync(file).mode & 0o007, 0, 'others may not read where everything is');
});

const webTree: NameTree<BoundId> = {
  type: 'union',
  trees: [
    { weight: 0.25, tree: leaf({ id: Path.parse('/#/a'), residual: Path.parse('/x/\\x20') }) },
    {
      weight: 0.75,
      tree: { type: 'alt', trees: [leaf({ id: Path.parse('/#/b'), residual: Path.empty }), { type: 'empty' }] },
    },
  ],
};

test('a snapshot as text is read back; entries that can not be read are left out', async (t) => {
  const dtab = Dtab.parse('/svc => /a | /b');
  const at = Date.parse('2026-11-26T08:00:00.123Z');
  const names = [
    { path: Path.parse('/svc/web'), dtab, tree: webTree, at },
    { path: Path.parse('/svc/api'), dtab, tree: leaf({ id: Path.parse('/#/b'), residual: Path.empty }), at },
  ];
  const addr: Addr = {
    state: 'bound',
    endpoints: [{ host: '::1', port: 1, weight: 0.5, meta: { nodeName: 'n' } }],
    meta: { authority: 'x' },
  };
  const text = formatSnapshot(owner, { names, addrs: new Map([['/#/b', addr]]), savedAt: at });
  const snapshot = parseSnapshot(text, owner);
  t.same(snapshot.addrs.get('/#/b'), addr);
  t.equal(snapshot.savedAt, at);
  t.same(
    snapshot.names.map(({ path, dtab: table, tree, at: when }) => [path.show(), table.show(), tree, when]),
    names.map(({ path, tree }) => [path.show(), dtab.show(), tree, at]),
  );
  t.equal((JSON.parse(text) as { dtabs: string[] }).dtabs.length, 1, 'a dtab is written once');

  const broken = text.replace('"/svc/web"', '"svc/web"').replace('"::1"', '"localhost"');
  const rest = parseSnapshot(broken, owner);
  t.same([rest.names.map(({ path }) => path.show()), rest.addrs.size], [['/svc/api'], 0]);
  for (const change of [
    ['"type":"empty"', '"type":"other"'],
    ['"weight":0.25', '"weight":-1'],
    ['"dtab":0', '"dtab":7'],
  ] as const) {
    t.ok(parseSnapshot(text.replace(change[0], change[1]), owner).names.length < 2, change[1]);
  }
});

test('what is known: by what a dtab says, bounded, and as old as its last confirmation', async (t) => {
  let saves = 0;
  const known = new LastKnownGood(HOUR_MS, () => saves++, 2);
  const base = Dtab.parse('/svc => /a');
  const local = Dtab.parse('/b => /c');
  const web = Path.parse('/svc/web');
  const bound: NameTree<BoundId> = leaf({ id: Path.parse('/#/a'), residual: Path.empty });
  known.rememberTree(base.concat(local), web, bound);
  t.equal(saves, 1);
  t.ok(known.tree(Dtab.parse('/svc => /a; /b => /c'), web), 'one that was read back is the same');
  t.equal(known.tree(base, web), undefined);
  known.rememberTree(Dtab.empty, web, { type: 'neg' });
  t.equal(saves, 1, 'a name that leads nowhere is not worth a write');

  known.rememberTree(base, web, bound);
  known.release(base.concat(local), web, true);
  known.rememberTree(local, web, bound);
  t.equal(known.size, 2);
  t.equal(known.tree(base.concat(local), web), undefined, 'the oldest that nobody watches goes first');
  t.ok(known.tree(base, web));

  known.rememberTree(base, web, { type: 'neg' });
  t.equal(known.tree(base, web), undefined, 'what leads nowhere now is not good any more');

  const stale = new LastKnownGood(HOUR_MS);
  stale.restore([{ path: web, dtab: base, tree: bound, at: Date.now() - 2 * HOUR_MS }], new Map());
  t.equal(stale.tree(base, web), undefined);
  t.same(stale.all().names, []);
  t.equal(stale.size, 0, 'and forgotten');
});
