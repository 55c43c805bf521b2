import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { type Test, test } from 'tap';
import { DtabDatabase } from '../../../namerd/storage/sqlite/database.ts';
import { reasonOf } from '../../../namerd/storage/sqlite/failures.ts';
import { SqliteStorage } from '../../../namerd/storage/sqlite/storage.ts';
import { showVersion } from '../../../namerd/storage/versions.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { Watcher } from '../../support/eventually.ts';
import { MemoryLog } from '../../support/log.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { unprivilegedDir } from '../../support/unprivileged.ts';
import { until } from '../../support/until.ts';
import { names, read, testConformance, writtenVersion } from './conformance.ts';

const WEB = Dtab.parse('/svc => /#/io.l5d.fs');

interface Options {
  readonly keepVersions?: number;
  readonly createFolder?: boolean;
  readonly log?: MemoryLog;
}

function storageIn(path: string, { keepVersions, createFolder = false, log = new MemoryLog() }: Options = {}) {
  return new SqliteStorage({ path, createFolder, keepVersions: keepVersions ?? null, log });
}

async function open(t: Test, path: string, options?: Options): Promise<SqliteStorage> {
  const storage = storageIn(path, options);
  t.teardown(() => storage.close());
  await storage.start();
  return storage;
}

const fileIn = (t: Test): string => join(tempDir(t), 'dtabs.sqlite');

test('io.l5d.sqlite', async (t) => {
  await testConformance(t, {
    backend: async (t) => {
      const path = fileIn(t);
      return { open: () => open(t, path) };
    },
    isDurable: true,
    isShared: true,
    hasHistory: true,
    hasNotices: true,
  });
});

test('what is answered is in a write-ahead log that every commit brings to the disk', async (t) => {
  const path = fileIn(t);
  const storage = await open(t, path);
  writtenVersion(await storage.create('default', WEB, {}));
  const reader = new DatabaseSync(path, { readOnly: true });
  t.teardown(() => reader.close());
  t.equal(reader.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
  t.match(reader.prepare('SELECT name, version, dtab FROM namespace').all(), [
    { name: 'default', version: 1, dtab: WEB.show() },
  ]);
});

test('old versions go where the config bounds them, and versions go on counting', async (t) => {
  const storage = await open(t, fileIn(t), { keepVersions: 3 });
  for (let i = 1; i <= 10; i++) writtenVersion(await storage.put('default', WEB, { message: `${i}` }));
  writtenVersion(await storage.put('other', WEB, {}));
  t.same(
    (await storage.history('default', 100)).map(({ change }) => change.message),
    ['10', '9', '8'],
  );
  t.equal((await storage.history('other', 100)).length, 1);
  writtenVersion(await storage.delete('default', {}));
  const created = writtenVersion(await storage.create('default', WEB, {}));
  t.equal(showVersion(created), 'AAAAAAAAAAw=');
});

test('a dtab that somebody spoiled in the file hurts no other namespace', async (t) => {
  const path = fileIn(t);
  const log = new MemoryLog();
  const storage = await open(t, path, { log });
  const kept = writtenVersion(await storage.create('spoiled', WEB, {}));
  writtenVersion(await storage.create('other', WEB, {}));
  const watcher = new Watcher(storage.observe('spoiled'));
  t.teardown(() => watcher.stop());
  await watcher.until(({ phase }) => phase === 'ok');

  const editor = new DatabaseSync(path);
  t.teardown(() => editor.close());
  editor.exec("UPDATE namespace SET dtab = 'nonsense', version = 2 WHERE name = 'spoiled'");
  const failed = await watcher.until(({ phase }) => phase === 'failed');
  t.equal(failed.value?.dtab.show(), WEB.show(), 'the last good one stays');
  t.equal(showVersion(failed.value?.version ?? kept), showVersion(kept));
  t.match(log.lines.at(-1), { level: 'error', namespace: 'spoiled', message: /can not be read/ });
  t.same(await names(storage), ['other', 'spoiled']);
  t.equal((await read(storage, 'other'))?.dtab.show(), WEB.show());

  t.same((await storage.update('spoiled', WEB, kept, {})).type, 'stale', 'what is there is not what was read');
  writtenVersion(await storage.put('spoiled', Dtab.parse('/a => /b'), {}));
  await watcher.until(({ phase, value }) => phase === 'ok' && value?.dtab.show() === '/a=>/b');
});

test('a file that is taken away under a running namerd takes no writes', async (t) => {
  const path = fileIn(t);
  const storage = await open(t, path);
  writtenVersion(await storage.create('default', WEB, {}));
  renameSync(path, `${path}.old`);
  t.match(await storage.put('default', Dtab.empty, {}), { type: 'unavailable', reason: /removed or replaced/ });
  await until(() => storage.list().value.phase === 'failed');
  t.equal(storage.observe('default').value.value?.dtab.show(), WEB.show(), 'what was known is served on');
  renameSync(`${path}.old`, path);
  await until(() => storage.list().value.phase === 'ok');
  writtenVersion(await storage.put('default', Dtab.empty, {}));
});

test('writes fail while another process holds the file, and in a bounded time', async (t) => {
  const path = fileIn(t);
  const storage = await open(t, path);
  const holder = new DatabaseSync(path);
  t.teardown(() => holder.close());
  holder.exec('BEGIN IMMEDIATE');
  t.match(await storage.create('default', WEB, {}), { type: 'unavailable', reason: /another process holds/ });
  t.match(storage.state(), { lastWriteFailure: { reason: /another process holds/ } });
  holder.exec('ROLLBACK');
  writtenVersion(await storage.create('default', WEB, {}));
});

test('a disk that takes no more fails writes and nothing else', async (t) => {
  const path = fileIn(t);
  // Files of the process may have so many KiB, and the signal that says so is ignored: then writing fails, as on a full disk.
  const script = `trap '' XFSZ; ulimit -f 256; exec env -u NODE_OPTIONS '${process.execPath}' '${join(import.meta.dirname, 'filling-process.ts')}' '${path}'`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  const { acknowledged, written, readable } = JSON.parse(stdout);
  t.match(written, { type: 'unavailable', reason: /^the database failed: the disk / });
  t.ok(acknowledged > 5, `${acknowledged} fitted`);
  t.equal(readable, `/n=>/${acknowledged}`, 'reads go on');

  const storage = await open(t, path);
  const found = await read(storage, 'filling');
  t.equal(found?.dtab.entries[0]?.show(), `/n=>/${acknowledged}`, 'what was acknowledged is there');
  t.equal((await storage.history('filling', 1_000)).length, acknowledged);
  writtenVersion(await storage.put('filling', WEB, {}));
});

test('a file that may not be written to is refused at the start', async (t) => {
  // Not on its thread: nobody may be kept from reading the file that the thread is started from.
  const options = { path: join(unprivilegedDir(t), 'dtabs.sqlite'), keepVersions: null, mustExist: false };
  new DtabDatabase(options).close();
  chmodSync(options.path, 0o400);
  try {
    new DtabDatabase(options);
    t.fail('it was opened');
  } catch (error) {
    t.equal(reasonOf(error), 'the file or its folder can not be written to');
  }
});

test('files that can not be used are told apart', async (t) => {
  const dir = tempDir(t);
  const start = async (path: string, options?: Options) => {
    const storage = storageIn(path, options);
    try {
      await storage.start();
      return 'started';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await storage.close();
    }
  };
  const foreign = join(dir, 'foreign.sqlite');
  const other = new DatabaseSync(foreign);
  other.exec('CREATE TABLE bookmarks (url TEXT)');
  other.close();
  t.match(await start(foreign), /foreign\.sqlite: it is a SQLite database of another program; name another file$/);

  const later = join(dir, 'later.sqlite');
  t.equal(await start(later), 'started');
  const upgrade = new DatabaseSync(later);
  upgrade.exec('PRAGMA user_version = 2');
  upgrade.close();
  t.match(await start(later), /a later release of namerd has written it/);

  const text = join(dir, 'text.sqlite');
  writeFileSync(
    text,
    'This is a text of more than a hundred bytes, which every database has in its first page. '.repeat(20),
  );
  t.match(await start(text), /the file is not a SQLite database/);
  t.match(await start(dir), /can not be opened/);
  t.match(await start(join(dir, 'no', 'dtabs.sqlite')), `the folder ${join(dir, 'no')} is not there; create it`);
  t.equal(await start(join(dir, 'new', 'dtabs.sqlite'), { createFolder: true }), 'started');
});

test('a folder that may not be written to is told with what to do', async (t) => {
  const dir = unprivilegedDir(t);
  chmodSync(dir, 0o500);
  await t.rejects(
    storageIn(join(dir, 'dtabs.sqlite')).start(),
    /the user \S+ can not write to the folder \S+ \(EACCES\); give it to that user \(install -d -o \S+ \S+\), or name a file/,
  );
});

test('a thread that dies is replaced, and nothing that was known is lost', async (t) => {
  const thread = new Promise<Worker>((resolve) => process.once('worker', resolve));
  const log = new MemoryLog();
  const storage = await open(t, fileIn(t), { log });
  writtenVersion(await storage.create('default', WEB, {}));
  const watcher = new Watcher(storage.observe('default'));
  t.teardown(() => watcher.stop());
  const lost = storage.put('other', WEB, {});
  await (await thread).terminate();
  t.match(await lost, { type: 'unavailable', reason: /thread has ended/ });
  const meanwhile = await watcher.until(({ phase }) => phase === 'failed');
  t.equal(meanwhile.value?.dtab.show(), WEB.show(), 'it is served on');
  await watcher.until(({ phase }) => phase === 'ok');
  writtenVersion(await storage.put('default', Dtab.empty, {}));
  await watcher.until(({ value }) => value?.dtab.show() === '');
  t.match(
    log.lines.map(({ message }) => message),
    ['created the database', 'the database fails', 'the database works again'],
  );
});

test('writes in flight when it is closed are made', async (t) => {
  const path = fileIn(t);
  const storage = await open(t, path);
  const writes = Array.from({ length: 50 }, (_, index) => storage.create(`n${index}`, WEB, {}));
  await storage.close();
  for (const written of await Promise.all(writes)) writtenVersion(written);
  t.equal((await names(await open(t, path))).length, 50);
});

test('kill -9 during 10,000 updates loses none that was acknowledged', async (t) => {
  const path = fileIn(t);
  const program = join(import.meta.dirname, 'writing-process.ts');
  // Without the preloads of the test runner, which would have it wait for them to write.
  const writer = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged = new Map<string, number>();
  let rest = '';
  let count = 0;
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [namespace = '', version = ''] = line.split(' ');
      acknowledged.set(namespace, Number(version));
      count++;
    }
    // In the midst of it, wherever that is.
    if (count >= 5_000) writer.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    writer.once('close', (...exit) => resolve(exit)),
  );
  t.same([code, signal], [null, 'SIGKILL'], 'it was killed before it was done');
  t.ok(count >= 5_000 && count < 10_000, `${count} were acknowledged`);

  const storage = await open(t, path);
  t.equal((await names(storage)).length, acknowledged.size);
  for (const [namespace, version] of acknowledged) {
    const found = await read(storage, namespace);
    const kept = Number(Buffer.from(found?.version ?? []).readBigUInt64BE());
    if (kept < version) t.fail(`${namespace} is at ${kept}, but ${version} was acknowledged`);
    t.equal(found?.dtab.show(), `/version=>/${kept}`, 'nothing half-written');
    const history = await storage.history(namespace, 10_000);
    t.same(
      history.map((entry) => Number(Buffer.from(entry.version).readBigUInt64BE())),
      Array.from({ length: kept }, (_, index) => kept - index),
      'every version is there once',
    );
  }
  rmSync(path);
});
