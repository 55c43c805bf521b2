/** What every storage does, whatever is behind it: one suite, run over each kind. */
import type { Test } from 'tap';
import type { DtabStorage, Version, VersionedDtab, Written } from '../../../namerd/storage/storage.ts';
import { showVersion } from '../../../namerd/storage/versions.ts';
import { hasValue, until } from '../../../src/live/index.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { Watcher } from '../../support/eventually.ts';

/** A backend of its own for one test, empty at first. */
export interface Backend {
  /** A started storage on it, closed when the test is over. */
  open(): Promise<DtabStorage>;
}

export interface Conformance {
  readonly backend: (t: Test) => Promise<Backend>;
  /** What was written is there for a storage that is opened later. */
  readonly isDurable: boolean;
  /** Two storages may be open on one backend at a time. */
  readonly isShared: boolean;
  readonly hasHistory: boolean;
  readonly hasNotices: boolean;
  /** A write that changes nothing is no version of its own. */
  readonly keepsVersionOfEqualDtab?: boolean;
}

const WEB = Dtab.parse('/svc => /#/io.l5d.fs');
const SPLIT = Dtab.parse('/svc/web => 0.001 * /svc/v2 & 0.999 * /svc/v1 ; /svc/* => !');

const ODD_NAMES = [
  'a',
  'A',
  'a b',
  'a%20b',
  'a/b',
  '.a',
  '...',
  'default.json',
  "it's",
  '"quoted"',
  'a=>b;c',
  '*',
  '?watch=true#x&y',
  '__proto__',
  'constructor',
  'naïve-naı̈ve',
  '名前',
  '🙂',
  'x'.repeat(253),
];
const IMPOSSIBLE_NAMES = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  'a\nb',
  'a\0b',
  'tab\t',
  'x'.repeat(254),
  '\ud800',
  '\u2028',
];

/** The state of a namespace as soon as there is one that is sure. */
export async function read(storage: DtabStorage, namespace: string): Promise<VersionedDtab | null> {
  const activity = await until(storage.observe(namespace), ({ phase }) => phase === 'ok');
  return hasValue(activity) ? activity.value : null;
}

export async function names(storage: DtabStorage): Promise<readonly string[]> {
  const activity = await until(storage.list(), ({ phase }) => phase === 'ok');
  return hasValue(activity) ? activity.value : [];
}

/** The version of a write that must have succeeded. */
export function writtenVersion(written: Written): Version {
  if (written.type !== 'written') throw new Error(`not written: ${JSON.stringify(written)}`);
  return written.version;
}

const shown = (found: VersionedDtab | null): unknown =>
  found === null ? null : [found.dtab.show(), showVersion(found.version)];

export async function testConformance(t: Test, kind: Conformance): Promise<void> {
  const open = async (t: Test): Promise<DtabStorage> => (await kind.backend(t)).open();

  await t.test('an empty storage', async (t) => {
    const storage = await open(t);
    t.same(await names(storage), []);
    t.equal(await read(storage, 'nope'), null);
    t.same(await storage.update('nope', WEB, new Uint8Array([1]), {}), { type: 'missing' });
    t.same(await storage.delete('nope', {}), { type: 'missing' });
    t.same(await names(storage), [], 'nothing came of it');
  });

  await t.test('create, read, update, put and delete', async (t) => {
    const storage = await open(t);
    const created = writtenVersion(await storage.create('default', WEB, {}));
    t.same(shown(await read(storage, 'default')), [WEB.show(), showVersion(created)], 'at once');
    t.same(await names(storage), ['default']);
    t.same(await storage.create('default', SPLIT, {}), { type: 'exists', current: created });
    t.same(shown(await read(storage, 'default')), [WEB.show(), showVersion(created)], 'it was not touched');

    const updated = writtenVersion(await storage.update('default', SPLIT, created, {}));
    t.not(showVersion(updated), showVersion(created));
    t.same(shown(await read(storage, 'default')), [SPLIT.show(), showVersion(updated)], 'small weights too');
    t.same(await storage.update('default', WEB, created, {}), { type: 'stale', current: updated });
    for (const odd of [new Uint8Array(), new Uint8Array(8), new Uint8Array([1, 2, 3]), Buffer.from('x'.repeat(99))]) {
      t.same(await storage.update('default', WEB, odd, {}), { type: 'stale', current: updated });
    }

    const put = writtenVersion(await storage.put('default', WEB, {}));
    t.same(shown(await read(storage, 'default')), [WEB.show(), showVersion(put)]);
    const same = writtenVersion(await storage.put('default', WEB, {}));
    t.equal(
      showVersion(same) === showVersion(put),
      kind.keepsVersionOfEqualDtab ?? false,
      'whether a write that changes nothing is a version',
    );
    writtenVersion(await storage.put('other', Dtab.empty, {}));
    t.same(await names(storage), ['default', 'other']);
    t.equal((await read(storage, 'other'))?.dtab.show(), '', 'an empty dtab is not a missing one');

    writtenVersion(await storage.delete('default', {}));
    t.equal(await read(storage, 'default'), null);
    t.same(await names(storage), ['other']);
    t.same(await storage.delete('default', {}), { type: 'missing' });
    t.same(await storage.update('default', WEB, same, {}), { type: 'missing' });
  });

  await t.test('a version never comes back, also after a deletion', async (t) => {
    const backend = await kind.backend(t);
    const storage = await backend.open();
    const seen: string[] = [];
    for (let round = 0; round < 3; round++) {
      seen.push(showVersion(writtenVersion(await storage.create('again', WEB, {}))));
      seen.push(showVersion(writtenVersion(await storage.put('again', SPLIT, {}))));
      writtenVersion(await storage.delete('again', {}));
    }
    t.equal(new Set(seen).size, seen.length, seen.join(' '));
  });

  await t.test(
    'watchers see the newest state, and every deletion and re-creation that they have time for',
    async (t) => {
      const storage = await open(t);
      const watcher = new Watcher(storage.observe('watched'));
      const list = new Watcher(storage.list());
      t.teardown(() => {
        watcher.stop();
        list.stop();
      });
      t.equal(storage.observe('watched'), storage.observe('watched'), 'one live value for all');
      await watcher.until(({ phase, value }) => phase === 'ok' && value === null, 'missing at first');
      await list.until(({ value }) => value?.length === 0);
      for (const dtab of [WEB, SPLIT]) {
        writtenVersion(await storage.put('watched', dtab, {}));
        await watcher.until(({ value }) => value?.dtab.show() === dtab.show());
      }
      await list.until(({ value }) => value?.[0] === 'watched');
      writtenVersion(await storage.delete('watched', {}));
      await watcher.until(({ value }) => value === null, 'the deletion');
      await list.until(({ value }) => value?.length === 0);
      writtenVersion(await storage.create('watched', WEB, {}));
      await watcher.until(({ value }) => value?.dtab.show() === WEB.show(), 'the re-creation');
    },
  );

  await t.test('writers that compare versions lose nothing', async (t) => {
    const storage = await open(t);
    writtenVersion(await storage.create('counter', Dtab.parse('/n => /0'), {}));
    const writers = 8;
    const increments = 5;
    const increment = async (): Promise<void> => {
      for (;;) {
        const found = (await read(storage, 'counter')) as VersionedDtab;
        const next = Number(found.dtab.show().replace('/n=>/', '')) + 1;
        const written = await storage.update('counter', Dtab.parse(`/n => /${next}`), found.version, {});
        if (written.type === 'written') return;
        if (written.type !== 'stale') throw new Error(JSON.stringify(written));
      }
    };
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (let i = 0; i < increments; i++) await increment();
      }),
    );
    t.equal((await read(storage, 'counter'))?.dtab.show(), `/n=>/${writers * increments}`);
  });

  await t.test('of many that create, one does', async (t) => {
    const storage = await open(t);
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, index) => storage.create('one', Dtab.parse(`/a => /${index}`), {})),
    );
    const winners = written.flatMap(({ type }, index) => (type === 'written' ? [index] : []));
    t.equal(winners.length, 1);
    t.equal((await read(storage, 'one'))?.dtab.show(), `/a=>/${winners[0]}`);
    t.ok(written.every(({ type }) => type === 'written' || type === 'exists'));
  });

  await t.test('names with odd characters', async (t) => {
    const storage = await open(t);
    for (const [index, name] of ODD_NAMES.entries()) {
      writtenVersion(await storage.create(name, Dtab.parse(`/n => /${index}`), {}));
    }
    t.same(await names(storage), [...ODD_NAMES].sort());
    for (const [index, name] of ODD_NAMES.entries()) {
      t.equal((await read(storage, name))?.dtab.show(), `/n=>/${index}`, encodeURIComponent(name));
    }
    for (const name of ODD_NAMES) writtenVersion(await storage.delete(name, {}));
    t.same(await names(storage), []);
    for (const name of IMPOSSIBLE_NAMES) {
      const written = await storage.put(name, WEB, {});
      t.equal(written.type, 'badName', encodeURIComponent(name.toWellFormed()));
    }
    t.same(await names(storage), []);
  });

  await t.test('a large dtab and many namespaces', async (t) => {
    const storage = await open(t);
    const entries = Array.from({ length: 5_000 }, (_, index) => `/svc/service-${index} => /#/io.l5d.fs/web-${index}`);
    const large = Dtab.parse(entries.join(';'));
    writtenVersion(await storage.create('large', large, {}));
    t.equal((await read(storage, 'large'))?.dtab.show(), large.show());
    const many = Array.from({ length: 100 }, (_, index) => `n-${String(index).padStart(3, '0')}`);
    await Promise.all(many.map((name) => storage.create(name, WEB, {})));
    t.same(await names(storage), ['large', ...many]);
  });

  if (kind.hasHistory) await t.test('history', (t) => testHistory(t, kind));
  else {
    await t.test('keeps no history, and says so', async (t) => {
      t.equal((await open(t)).history, undefined);
    });
  }
  if (kind.hasNotices) await t.test('notices', (t) => testNotices(t, kind));
  else {
    await t.test('has no notices, and says so', async (t) => {
      t.equal((await open(t)).notices, undefined);
    });
  }
  if (kind.isDurable) await t.test('what was written is there after a restart', (t) => testRestart(t, kind));
  if (kind.isShared) await t.test('two on one backend see what the other writes', (t) => testSharing(t, kind));
}

async function testHistory(t: Test, kind: Conformance): Promise<void> {
  const storage = await (await kind.backend(t)).open();
  const history = async (limit = 100) => (await storage.history?.('kept', limit)) ?? [];
  t.same(await history(), []);
  const before = Date.now();
  const first = writtenVersion(
    await storage.create('kept', WEB, { author: { name: 'alice', verified: true }, message: 'begin' }),
  );
  const second = writtenVersion(
    await storage.update('kept', SPLIT, first, { author: { name: 'bob', verified: false }, message: 'shift\n1 %' }),
  );
  await storage.update('kept', WEB, first, { message: 'stale' });
  writtenVersion(await storage.delete('kept', {}));
  const last = writtenVersion(await storage.create('kept', WEB, {}));
  const entries = await history();
  t.same(
    entries.map(({ dtab, change }) => [dtab?.show() ?? null, change]),
    [
      [WEB.show(), {}],
      [null, {}],
      [SPLIT.show(), { author: { name: 'bob', verified: false }, message: 'shift\n1 %' }],
      [WEB.show(), { author: { name: 'alice', verified: true }, message: 'begin' }],
    ],
    'newest first; a write that failed is none',
  );
  const versions = entries.map(({ version }) => showVersion(version));
  t.equal(versions[0], showVersion(last));
  t.same(versions.slice(2), [showVersion(second), showVersion(first)]);
  t.ok(entries.every(({ at }) => at >= before && at <= Date.now()));
  t.same(
    (await history(2)).map(({ version }) => showVersion(version)),
    versions.slice(0, 2),
  );
  t.same(await storage.history?.('other', 10), []);
}

async function testRestart(t: Test, kind: Conformance): Promise<void> {
  const backend = await kind.backend(t);
  const first = await backend.open();
  const kept = writtenVersion(await first.create('kept', SPLIT, { message: 'before' }));
  const gone = writtenVersion(await first.create('gone', WEB, {}));
  writtenVersion(await first.delete('gone', {}));
  await first.close();
  const written = await first.put('kept', WEB, {});
  t.equal(written.type, 'unavailable', 'one that is closed writes nothing');

  const second = await backend.open();
  t.same(await names(second), ['kept']);
  t.same(shown(await read(second, 'kept')), [SPLIT.show(), showVersion(kept)]);
  t.equal(await read(second, 'gone'), null);
  const again = writtenVersion(await second.create('gone', WEB, {}));
  t.not(showVersion(again), showVersion(gone), 'versions go on where they were');
  writtenVersion(await second.update('kept', WEB, kept, {}));
  if (kind.hasHistory) t.equal((await second.history?.('kept', 10))?.at(-1)?.change.message, 'before');
}

async function testSharing(t: Test, kind: Conformance): Promise<void> {
  const backend = await kind.backend(t);
  const [one, other] = [await backend.open(), await backend.open()];
  const watcher = new Watcher(other.observe('shared'));
  t.teardown(() => watcher.stop());
  const first = writtenVersion(await one.create('shared', WEB, {}));
  await watcher.until(({ value }) => value != null && showVersion(value.version) === showVersion(first));
  const second = writtenVersion(await other.update('shared', SPLIT, first, {}));
  t.same(await one.update('shared', WEB, first, {}), { type: 'stale', current: second });
  t.same(await one.create('shared', WEB, {}), { type: 'exists', current: second });
  writtenVersion(await one.delete('shared', {}));
  await watcher.until(({ value }) => value === null, 'the deletion');
  const newest = writtenVersion(await one.put('shared', WEB, {}));
  await watcher.until(({ value }) => value != null && showVersion(value.version) === showVersion(newest));
  t.same(await names(other), ['shared']);
}

async function testNotices(t: Test, kind: Conformance): Promise<void> {
  const backend = await kind.backend(t);
  const [one, other] = [await backend.open(), await backend.open()];
  t.same(await one.notices?.read(), new Map());
  await one.notices?.write('namerd-1', '{"at":1}');
  await one.notices?.write('namerd-1', '{"at":2}');
  await other.notices?.write('namerd-2', 'ü\n');
  t.same(
    await other.notices?.read(),
    new Map([
      ['namerd-1', '{"at":2}'],
      ['namerd-2', 'ü\n'],
    ]),
  );
  await other.notices?.remove('namerd-1');
  await other.notices?.remove('nobody');
  t.same([...((await one.notices?.read()) ?? []).keys()], ['namerd-2']);
  t.same(await names(one), [], 'they are no namespaces');
}
