import { test } from 'tap';
import { InMemoryStorage } from '../../../namerd/storage/in-memory.ts';
import { showVersion } from '../../../namerd/storage/versions.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { names, testConformance, writtenVersion } from './conformance.ts';

const WEB = Dtab.parse('/svc => /#/io.l5d.fs');

test('io.l5d.inMemory', async (t) => {
  await testConformance(t, {
    backend: async () => ({ open: async () => new InMemoryStorage() }),
    isDurable: false,
    isShared: false,
    hasHistory: true,
    hasNotices: false,
  });
});

test('it begins with the namespaces of the config, at the first version', async (t) => {
  const storage = new InMemoryStorage({ default: WEB, other: Dtab.empty });
  t.same(await names(storage), ['default', 'other']);
  t.equal(showVersion(storage.observe('default').value.value?.version ?? new Uint8Array()), 'AAAAAAAAAAE=');
});

test('the past is bounded, of each namespace and of those that are gone', async (t) => {
  const storage = new InMemoryStorage();
  for (let i = 0; i < 250; i++) writtenVersion(await storage.put('busy', WEB, { message: `${i}` }));
  const history = (await storage.history('busy', 1_000)) ?? [];
  t.equal(history.length, 100);
  t.equal(history[0]?.change.message, '249');

  writtenVersion(await storage.delete('busy', {}));
  t.equal((await storage.history('busy', 1_000)).length, 100, 'what was deleted lately can be looked at');
  for (let i = 0; i < 1_000; i++) {
    writtenVersion(await storage.create(`passing-${i}`, WEB, {}));
    writtenVersion(await storage.delete(`passing-${i}`, {}));
  }
  t.same(await storage.history('busy', 1_000), [], 'the first that was deleted is forgotten');
  t.equal((await storage.history('passing-0', 1_000)).length, 2);
  const again = writtenVersion(await storage.create('busy', WEB, {}));
  t.equal(Buffer.from(again).readBigUInt64BE(), 252n, 'but not that its versions went up to 251');
});
