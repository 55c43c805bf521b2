import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { type DirectoryListing, watchDirectory, watchedDirectories } from '../../src/files/index.ts';
import type { Activity } from '../../src/live/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';

/** `name` of a file, `name/` of a directory, `name?` of anything else. */
function shown(now: Activity<DirectoryListing>): string {
  if (now.phase !== 'ok') return now.phase;
  if (now.value === undefined) return 'no directory';
  const marks = { file: '', directory: '/', other: '?' };
  return now.value.map((each) => each.name + marks[each.kind]).join(' ');
}

test('entries come, go and change their kind', async (t) => {
  const dir = t.testdir({ web: 'x', sub: {} });
  const watcher = new Watcher(watchDirectory(dir, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'sub/ web');
  writeFileSync(join(dir, 'api'), 'x');
  await watcher.until((now) => shown(now) === 'api sub/ web');
  rmSync(join(dir, 'web'));
  await watcher.until((now) => shown(now) === 'api sub/');
  renameSync(join(dir, 'api'), join(dir, 'zebra'));
  await watcher.until((now) => shown(now) === 'sub/ zebra');
  symlinkSync('zebra', join(dir, 'link'));
  symlinkSync('sub', join(dir, 'linked'));
  symlinkSync('nowhere', join(dir, 'broken'));
  await watcher.until((now) => shown(now) === 'broken? link linked/ sub/ zebra');
  rmSync(join(dir, 'zebra'));
  mkdirSync(join(dir, 'zebra'));
  await watcher.until((now) => shown(now) === 'broken? link/ linked/ sub/ zebra/');
  t.ok(watcher.seen.every((each) => each.phase !== 'failed'));
  watcher.stop();
});

test('what is written into entries is no change', async (t) => {
  const dir = t.testdir({ web: 'x' });
  const watcher = new Watcher(watchDirectory(dir, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'web');
  const before = watcher.seen.length;
  writeFileSync(join(dir, 'web'), 'y');
  writeFileSync(join(dir, 'web'), 'z');
  writeFileSync(join(dir, 'api'), 'x');
  await watcher.until((now) => shown(now) === 'api web');
  t.equal(watcher.seen.length, before + 1);
  watcher.stop();
});

test('the directory is missing, comes, is replaced, becomes a file, and goes', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'disco');
  const watcher = new Watcher(watchDirectory(path, { lingerMs: 0 }));
  await watcher.until((now) => shown(now) === 'no directory');
  mkdirSync(path);
  writeFileSync(join(path, 'web'), 'x');
  await watcher.until((now) => shown(now) === 'web');
  mkdirSync(join(dir, 'next'));
  writeFileSync(join(dir, 'next', 'api'), 'x');
  renameSync(path, join(dir, 'old'));
  renameSync(join(dir, 'next'), path);
  await watcher.until((now) => shown(now) === 'api');
  writeFileSync(join(path, 'web'), 'x');
  await watcher.until((now) => shown(now) === 'api web');
  rmSync(path, { recursive: true });
  writeFileSync(path, 'a file');
  await watcher.until((now) => shown(now) === 'no directory');
  rmSync(path);
  mkdirSync(path);
  await watcher.until((now) => shown(now) === '');
  watcher.stop();
  await eventually(() => watchedDirectories().directories === 0);
  t.same(watchedDirectories(), { directories: 0, withoutEvents: 0 });
});
