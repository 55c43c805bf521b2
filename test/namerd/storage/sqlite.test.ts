import { join } from 'node:path';
import { test } from 'tap';
import { SqliteStorage } from '../../../namerd/storage/sqlite/storage.ts';
import { MemoryLog } from '../../support/log.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { testConformance } from './conformance.ts';

test('io.l5d.sqlite', async (t) => {
  await testConformance(t, {
    backend: async (t) => {
      const path = join(tempDir(t), 'dtabs.sqlite');
      return {
        open: async () => {
          const storage = new SqliteStorage({ path, createFolder: false, keepVersions: null, log: new MemoryLog() });
          await storage.start();
          t.teardown(() => storage.close());
          return storage;
        },
      };
    },
    isDurable: true,
    isShared: true,
    hasHistory: true,
  });
});
