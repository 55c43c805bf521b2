// Started by sqlite.test.ts under a limit of file sizes: writes until the storage says no, and prints how that went.
import { SqliteStorage } from '../../../namerd/storage/sqlite/storage.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { MemoryLog } from '../../support/log.ts';

const path = process.argv[2] as string;
const storage = new SqliteStorage({ path, createFolder: false, keepVersions: null, log: new MemoryLog() });
await storage.start();
const filler = `/svc => /#/${'x'.repeat(10_000)}`;
for (let acknowledged = 0; ; acknowledged++) {
  const written = await storage.put('filling', Dtab.parse(`/n => /${acknowledged + 1}; ${filler}`), {});
  if (written.type === 'written') continue;
  const readable = storage.observe('filling').value.value?.dtab.entries[0]?.show();
  process.stdout.write(JSON.stringify({ acknowledged, written, readable }));
  break;
}
await storage.close();
