// `namerd backup`, as its own process, beside a storage that is written to.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { SqliteStorage } from '../../namerd/storage/sqlite/storage.ts';
import { Dtab } from '../../src/naming/index.ts';
import { MemoryLog } from '../support/log.ts';
import { runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { names, read, writtenVersion } from './storage/conformance.ts';

async function open(t: Test, path: string): Promise<SqliteStorage> {
  const storage = new SqliteStorage({ path, createFolder: false, keepVersions: null, log: new MemoryLog() });
  t.teardown(() => storage.close());
  await storage.start();
  return storage;
}

function backup(t: Test, ...args: string[]) {
  return runProgram(t, 'namerd/main.ts', ['backup', ...args]).exited;
}

test('a backup is made while the storage is written to, and has every version', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'dtabs.sqlite');
  const config = join(dir, 'namerd.yaml');
  writeFileSync(config, `storage: {kind: io.l5d.sqlite, path: ${path}}\ninterfaces: [{kind: io.l5d.httpController}]\n`);
  const storage = await open(t, path);
  for (let i = 1; i <= 20; i++) {
    writtenVersion(await storage.put('default', Dtab.parse(`/n => /${i}`), { message: `${i}` }));
  }
  writtenVersion(await storage.create('gone', Dtab.empty, {}));
  writtenVersion(await storage.delete('gone', {}));
  let isDone = false;
  const writing = (async () => {
    for (let i = 21; !isDone; i++) writtenVersion(await storage.put('default', Dtab.parse(`/n => /${i}`), {}));
  })();
  const target = join(dir, 'backup.sqlite');
  const { code, stdout, stderr } = await backup(t, config, target);
  isDone = true;
  await writing;
  t.equal(code, 0, stderr);
  const versions = Number(/^\S+backup\.sqlite: 1 namespaces, (\d+) versions\n$/.exec(stdout)?.[1]);
  t.ok(versions >= 22, stdout);
  t.notOk(existsSync(`${target}-wal`), 'it is one file');

  const restored = await open(t, target);
  t.same(await names(restored), ['default']);
  const history = await restored.history('default', 1_000_000);
  t.equal(history.length, versions - 2);
  t.equal(history.at(-1)?.change.message, '1');
  t.equal((await read(restored, 'default'))?.dtab.show(), `/n=>/${history.length}`);

  t.match(await backup(t, config, target), { code: 1, stdout: '', stderr: `${target} is there already` });
});

test('what can not be backed up so is told', async (t) => {
  const dir = tempDir(t);
  const config = (name: string, storage: string) => {
    writeFileSync(join(dir, name), `storage: ${storage}\ninterfaces: [{kind: io.l5d.httpController}]\n`);
    return join(dir, name);
  };
  const target = join(dir, 'backup.sqlite');
  const cases: [string, RegExp][] = [
    [config('m.yaml', '{kind: io.l5d.inMemory}'), /storage: io\.l5d\.inMemory has no file; save each dtab/],
    [config('a.yaml', '{kind: io.l5d.consul}'), /storage: io\.l5d\.consul is backed up with the tools of its server/],
    [config('b.yaml', `{kind: io.l5d.sqlite, path: ${dir}/none.sqlite}`), /the database \S+none\.sqlite is not there/],
    [config('c.yaml', `{kind: io.l5d.sqlite, path: ${config('x', 'text')}}`), /the file is not a SQLite database/],
    [config('d.yaml', '{kind: io.l5d.sqlit}'), /^\S+d\.yaml:1:17: storage\.kind: unknown kind/],
  ];
  for (const [file, expected] of cases) {
    t.match(await backup(t, file, target), { code: 1, stdout: '', stderr: expected });
    t.notOk(existsSync(target));
  }
});
