import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { type FileContent, watchedDirectories, watchFile } from '../../src/files/index.ts';
import type { Activity } from '../../src/live/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';

const text = (wanted: string) => (now: Activity<FileContent>) =>
  now.phase === 'ok' && now.value.state === 'file' && now.value.text === wanted;
const state = (wanted: FileContent['state']) => (now: Activity<FileContent>) =>
  now.phase === 'ok' && now.value.state === wanted;
/** What was seen, one word a value. */
const story = (watcher: Watcher<Activity<FileContent>>) =>
  watcher.seen.map((each) =>
    each.phase !== 'ok' ? each.phase : each.value.state === 'file' ? `file:${each.value.text}` : each.value.state,
  );

function watching(path: string, options = {}): Watcher<Activity<FileContent>> {
  return new Watcher(watchFile(path, { lingerMs: 0, ...options }));
}

test('a file: writes in place, appends, deletion and re-creation', async (t) => {
  const dir = t.testdir({ web: 'one' });
  const watcher = watching(join(dir, 'web'));
  await watcher.until(text('one'));
  writeFileSync(join(dir, 'web'), 'two');
  await watcher.until(text('two'));
  appendFileSync(join(dir, 'web'), '+');
  await watcher.until(text('two+'));
  rmSync(join(dir, 'web'));
  await watcher.until(state('missing'));
  writeFileSync(join(dir, 'web'), 'three');
  await watcher.until(text('three'));
  watcher.stop();
});

test('another file renamed over the name, again and again, and edits of it after that', async (t) => {
  const dir = t.testdir({ web: 'v0' });
  const path = join(dir, 'web');
  const watcher = watching(path);
  await watcher.until(text('v0'));
  for (const round of [1, 2, 3]) {
    writeFileSync(join(dir, 'new'), `v${round}`);
    renameSync(join(dir, 'new'), path);
    await watcher.until(text(`v${round}`));
    writeFileSync(path, `v${round} edited`);
    await watcher.until(text(`v${round} edited`));
  }
  t.notOk(story(watcher).includes('missing'), 'a rename is atomic for the reader too');
  watcher.stop();
});

test('links as Kubernetes mounts config maps: ..data is swapped', async (t) => {
  const dir = t.testdir({ '..v1': { web: 'v1' }, '..v2': { web: 'v2' } });
  symlinkSync('..v1', join(dir, '..data'));
  symlinkSync('..data/web', join(dir, 'web'));
  const watcher = watching(join(dir, 'web'));
  await watcher.until(text('v1'));
  symlinkSync('..v2', join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  await watcher.until(text('v2'));
  rmSync(join(dir, '..v1'), { recursive: true });
  writeFileSync(join(dir, '..v2', 'web'), 'v2 edited');
  await watcher.until(text('v2 edited'));
  t.same(
    story(watcher).filter((each) => each === 'missing'),
    [],
  );
  watcher.stop();
});

test('a link to a directory on the way is swapped', async (t) => {
  const dir = t.testdir({ releases: { a: { web: 'a' }, b: { web: 'b' } } });
  symlinkSync(join(dir, 'releases/a'), join(dir, 'current'));
  const watcher = watching(join(dir, 'current', 'web'));
  await watcher.until(text('a'));
  symlinkSync(join(dir, 'releases/b'), join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'current'));
  await watcher.until(text('b'));
  watcher.stop();
});

test('a link that points nowhere, in a circle, and then somewhere', async (t) => {
  const dir = t.testdir({});
  symlinkSync('target', join(dir, 'web'));
  const watcher = watching(join(dir, 'web'));
  await watcher.until(state('missing'));
  writeFileSync(join(dir, 'target'), 'there');
  await watcher.until(text('there'));
  rmSync(join(dir, 'target'));
  symlinkSync('web', join(dir, 'target'));
  const failure = await watcher.until((now) => now.phase === 'failed');
  t.match(failure, { phase: 'failed', error: { code: 'ELOOP' }, value: { text: 'there' } }, 'the last content is kept');
  rmSync(join(dir, 'target'));
  writeFileSync(join(dir, 'target'), 'there again');
  await watcher.until(text('there again'));
  watcher.stop();
});

test('the directory vanishes and comes back', async (t) => {
  const dir = t.testdir({ disco: { web: 'one' } });
  const watcher = watching(join(dir, 'disco', 'web'));
  await watcher.until(text('one'));
  rmSync(join(dir, 'disco'), { recursive: true });
  await watcher.until(state('missing'));
  mkdirSync(join(dir, 'disco'));
  writeFileSync(join(dir, 'disco', 'web'), 'two');
  await watcher.until(text('two'));
  renameSync(join(dir, 'disco'), join(dir, 'away'));
  await watcher.until(state('missing'));
  writeFileSync(join(dir, 'away', 'web'), 'three');
  renameSync(join(dir, 'away'), join(dir, 'disco'));
  await watcher.until(text('three'));
  watcher.stop();
});

test('several directories that do not exist yet', async (t) => {
  const dir = t.testdir({});
  const watcher = watching(join(dir, 'a', 'b', 'c', 'web'));
  await watcher.until(state('missing'));
  mkdirSync(join(dir, 'a', 'b', 'c'), { recursive: true });
  writeFileSync(join(dir, 'a', 'b', 'c', 'web'), 'deep');
  await watcher.until(text('deep'));
  watcher.stop();
});

test('a rename further up, which sends no event, is found by the poll', async (t) => {
  const dir = t.testdir({ up: { disco: { web: 'one' } }, other: { disco: { web: 'two' } } });
  const watcher = watching(join(dir, 'up', 'disco', 'web'));
  await watcher.until(text('one'));
  renameSync(join(dir, 'up'), join(dir, 'down'));
  renameSync(join(dir, 'other'), join(dir, 'up'));
  await watcher.until(text('two'));
  writeFileSync(join(dir, 'up', 'disco', 'web'), 'three');
  await watcher.until(text('three'));
  watcher.stop();
});

test('a file becomes a directory and a file again; a file in the place of a directory', async (t) => {
  const dir = t.testdir({ web: 'one', plain: 'x' });
  const watcher = watching(join(dir, 'web'));
  await watcher.until(text('one'));
  rmSync(join(dir, 'web'));
  mkdirSync(join(dir, 'web'));
  await watcher.until(state('directory'));
  rmSync(join(dir, 'web'), { recursive: true });
  writeFileSync(join(dir, 'web'), 'two');
  await watcher.until(text('two'));
  watcher.stop();

  const below = watching(join(dir, 'plain', 'web'));
  await below.until(state('missing'));
  rmSync(join(dir, 'plain'));
  mkdirSync(join(dir, 'plain'));
  writeFileSync(join(dir, 'plain', 'web'), 'y');
  await below.until(text('y'));
  below.stop();
});

test('a file that is truncated and then written is never seen empty', async (t) => {
  const dir = t.testdir({ web: 'round 0' });
  const path = join(dir, 'web');
  const watcher = watching(path);
  await watcher.until(text('round 0'));
  for (let round = 1; round <= 5; round++) {
    const file = openSync(path, 'w');
    await sleep(30);
    writeSync(file, `round ${round}`);
    closeSync(file);
    await watcher.until(text(`round ${round}`));
  }
  t.notOk(story(watcher).includes('file:'), 'the moment between truncation and writing is not published');
  writeFileSync(path, '');
  await watcher.until(text(''), 'a file that stays empty is empty');
  watcher.stop();
});

test('many changes while nobody waits: the last one is what is seen, few are read', async (t) => {
  const dir = t.testdir({ web: '' });
  const watcher = watching(join(dir, 'web'));
  await watcher.until(text(''));
  for (let i = 1; i <= 200; i++) writeFileSync(join(dir, 'web'), `write ${i}`);
  await watcher.until(text('write 200'));
  t.ok(watcher.seen.length < 100, `${watcher.seen.length} values for 200 writes`);
  watcher.stop();
});

test('a write that changes nothing is no change', async (t) => {
  const dir = t.testdir({ web: 'same', other: 'x' });
  const watcher = watching(join(dir, 'web'));
  const other = watching(join(dir, 'other'));
  await watcher.until(text('same'));
  await other.until(text('x'));
  const before = watcher.seen.length;
  writeFileSync(join(dir, 'web'), 'same');
  writeFileSync(join(dir, 'other'), 'y');
  await other.until(text('y'));
  writeFileSync(join(dir, 'web'), 'changed');
  await watcher.until(text('changed'));
  t.equal(watcher.seen.length, before + 1);
  watcher.stop();
  other.stop();
});

test('too large, not readable, not regular: failures that keep the last content', async (t) => {
  const dir = t.testdir({ web: 'small' });
  const path = join(dir, 'web');
  const watcher = watching(path, { maxBytes: 10 });
  await watcher.until(text('small'));
  writeFileSync(path, 'larger than ten');
  t.match(await watcher.until((now) => now.phase === 'failed'), {
    error: { message: `larger than 10 bytes: ${path}` },
    value: { text: 'small' },
  });
  writeFileSync(path, 'ten bytes!');
  await watcher.until(text('ten bytes!'));
  rmSync(path);
  execFileSync('mkfifo', [path]);
  t.match(await watcher.until((now) => now.phase === 'failed'), { error: { message: `not a regular file: ${path}` } });
  rmSync(path);
  writeFileSync(path, 'back');
  await watcher.until(text('back'));
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0);
    t.match(await watcher.until((now) => now.phase === 'failed'), { error: { code: 'EACCES' } });
    chmodSync(path, 0o600);
    await watcher.until((now) => now.phase === 'ok');
  }
  watcher.stop();
});

test('files of one directory share one handle, and the last reader closes it', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 'x']));
  const dir = t.testdir(files);
  await eventually(() => watchedDirectories().directories === 0, 'the watches of the tests before are closed');
  const watchers = Object.keys(files).map((name) => watching(join(dir, name)));
  for (const watcher of watchers) await watcher.until(text('x'));
  t.same(watchedDirectories(), { directories: 1, withoutEvents: 0 });
  t.equal(kernelWatches() ?? 1, 1);
  for (const watcher of watchers) watcher.stop();
  await eventually(() => watchedDirectories().directories === 0);
});

test('watches that are opened and closed for ever leave nothing behind', async (t) => {
  const dir = t.testdir({ disco: { web: 'x' } });
  for (let i = 0; i < 300; i++) {
    const watcher = watching(join(dir, 'disco', 'web'));
    if (i % 3 === 0) await watcher.until(text('x'));
    if (i % 7 === 0) {
      rmSync(join(dir, 'disco'), { recursive: true });
      mkdirSync(join(dir, 'disco'));
      writeFileSync(join(dir, 'disco', 'web'), 'x');
    }
    watcher.stop();
  }
  await eventually(() => watchedDirectories().directories === 0);
  t.equal(kernelWatches() ?? 0, 0, 'nor in the kernel');
});

/** The inotify watches of this process, where the system tells. */
function kernelWatches(): number | undefined {
  if (!existsSync('/proc/self/fdinfo')) return undefined;
  const infos = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    } catch {
      // The descriptor that listed the directory is closed by now.
      return '';
    }
  });
  return infos.join('').match(/^inotify wd:/gm)?.length ?? 0;
}
