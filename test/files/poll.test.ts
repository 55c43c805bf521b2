import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { watchFile } from '../../src/files/index.ts';
import { Watcher } from '../support/eventually.ts';
import { unprivilegedDir } from '../support/unprivileged.ts';

test('a file that could not be read is tried again without an event', async (t) => {
  // The permission of a directory further up changes, which no watched directory tells.
  const up = join(unprivilegedDir(t), 'up');
  mkdirSync(join(up, 'disco'), { recursive: true });
  writeFileSync(join(up, 'disco', 'web'), 'content');
  chmodSync(up, 0);
  const watcher = new Watcher(watchFile(join(up, 'disco', 'web'), { lingerMs: 0 }));
  t.match(await watcher.until((now) => now.phase === 'failed'), { error: { code: 'EACCES' } });
  chmodSync(up, 0o700);
  t.match(await watcher.until((now) => now.phase === 'ok'), { value: { text: 'content' } });
  watcher.stop();
});

test('more files than one run looks at each get their turn', async (t) => {
  const names = Array.from({ length: 450 }, (_, i) => `f${i}`);
  const dir = t.testdir({ up: { disco: Object.fromEntries(names.map((name) => [name, 'content'])) } });
  const watchers = names.map((name) => new Watcher(watchFile(join(dir, 'up', 'disco', name), { lingerMs: 0 })));
  for (const watcher of watchers) await watcher.until((now) => now.phase === 'ok');
  // Nor does a rename of a directory further up.
  renameSync(join(dir, 'up'), join(dir, 'away'));
  for (const watcher of watchers) await watcher.until((now) => now.phase === 'ok' && now.value.state === 'missing');
  t.pass('every file was looked at');
  for (const watcher of watchers) watcher.stop();
});
