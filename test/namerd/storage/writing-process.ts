// Started by sqlite.test.ts: 50 writers make 10,000 updates of a database, and each is printed as soon as it is acknowledged.
import { SqliteStorage } from '../../../namerd/storage/sqlite/storage.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { MemoryLog } from '../../support/log.ts';
import { writtenVersion } from './conformance.ts';

const WRITERS = 50;
const UPDATES = 10_000;

const path = process.argv[2] as string;
const storage = new SqliteStorage({ path, createFolder: false, keepVersions: null, log: new MemoryLog() });
await storage.start();
await Promise.all(
  Array.from({ length: WRITERS }, async (_, writer) => {
    let version: Uint8Array | undefined;
    for (let update = 1; update <= UPDATES / WRITERS; update++) {
      const dtab = Dtab.parse(`/version => /${update}`);
      const written =
        version === undefined
          ? await storage.create(`n${writer}`, dtab, {})
          : await storage.update(`n${writer}`, dtab, version, {});
      version = writtenVersion(written);
      process.stdout.write(`n${writer} ${update}\n`);
    }
  }),
);
await storage.close();
