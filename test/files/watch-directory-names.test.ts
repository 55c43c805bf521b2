import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { type DirectoryNames, watchDirectoryNames, watchedDirectories } from '../../src/files/index.ts';
import type { Activity } from '../../src/live/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { unprivilegedDir } from '../support/unprivileged.ts';

function shown(now: Activity<DirectoryNames>): string {
  if (now.phase !== 'ok') return now.phase;
  return now.value.state === 'listed' ? [...now.value.names].sort().join(' ') : now.value.state;
}

test('names come and go, of whatever kind; what is written into them is no change', async (t) => {
  const dir = t.testdir({ web: 'x', sub: {} });
  symlinkSync('nowhere', join(dir, 'broken'));
  const watcher = new Watcher(watchDirectoryNames(dir, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'broken sub web');
  writeFileSync(join(dir, 'web'), 'y');
  writeFileSync(join(dir, 'api'), 'x');
  await watcher.until((now) => shown(now) === 'api broken sub web');
  renameSync(join(dir, 'api'), join(dir, 'zebra'));
  await watcher.until((now) => shown(now) === 'broken sub web zebra');
  const seen = watcher.seen.length;
  writeFileSync(join(dir, 'new'), 'y');
  renameSync(join(dir, 'new'), join(dir, 'web'));
  rmSync(join(dir, 'zebra'));
  await watcher.until((now) => shown(now) === 'broken sub web');
  t.ok(watcher.seen.slice(seen).every((now) => shown(now).includes('web')));
  watcher.stop();
});

test('the directory is missing, comes, is replaced, becomes a file, and goes', async (t) => {
  const dir = t.testdir({ next: { api: 'x' } });
  const path = join(dir, 'disco');
  const watcher = new Watcher(watchDirectoryNames(path, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'missing');
  mkdirSync(path);
  writeFileSync(join(path, 'web'), 'x');
  await watcher.until((now) => shown(now) === 'web');
  renameSync(path, join(dir, 'old'));
  renameSync(join(dir, 'next'), path);
  await watcher.until((now) => shown(now) === 'api');
  rmSync(path, { recursive: true });
  writeFileSync(path, 'a file');
  await watcher.until((now) => shown(now) === 'missing');
  watcher.stop();
  await eventually(() => watchedDirectories().directories === 0);
  t.same(watchedDirectories(), { directories: 0, withoutEvents: 0 });
});

test('a directory of ten thousand files, and one with more than are kept', async (t) => {
  const dir = t.testdir({});
  for (let i = 0; i < 10_000; i++) writeFileSync(join(dir, `svc-${i}`), '');
  const all = new Watcher(watchDirectoryNames(dir, { lingerMs: 0 }));
  const few = new Watcher(watchDirectoryNames(dir, { lingerMs: 0, maxNames: 9_999 }));
  const sizeIs = (size: number) => (now: Activity<DirectoryNames>) =>
    now.phase === 'ok' && now.value.state === 'listed' && now.value.names.size === size;
  await all.until(sizeIs(10_000));
  await few.until((now) => shown(now) === 'unlisted');
  writeFileSync(join(dir, 'one-more'), '');
  await all.until(sizeIs(10_001));
  for (const name of ['one-more', 'svc-0']) rmSync(join(dir, name));
  await all.until(sizeIs(9_999));
  await few.until(sizeIs(9_999));
  t.equal(shown(few.seen.find((now) => now.phase === 'ok')!), 'unlisted');
  for (const watcher of [all, few]) watcher.stop();
});

test('a directory that may not be listed', async (t) => {
  const dir = unprivilegedDir(t);
  writeFileSync(join(dir, 'web'), 'x');
  chmodSync(dir, 0o300);
  const watcher = new Watcher(watchDirectoryNames(dir, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'unlisted');
  chmodSync(dir, 0o700);
  await watcher.until((now) => shown(now) === 'web');
  t.pass();
  watcher.stop();
});
