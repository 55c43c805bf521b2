/** Names that no file has: they are answered from what the directories hold, and cost nothing once nobody reads them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Test, test } from 'tap';
import { watchedDirectories } from '../../../src/files/index.ts';
import { DefaultInterpreter } from '../../../src/interpreters/index.ts';
import { hasValue, observe } from '../../../src/live/index.ts';
import { MAX_LINGERING } from '../../../src/live/linger.ts';
import { fs } from '../../../src/namers/fs/index.ts';
import { Dtab, Path } from '../../../src/naming/index.ts';
import { eventually, Watcher } from '../../support/eventually.ts';
import { MemoryLog } from '../../support/log.ts';
import { noHosts } from '../../support/no-hosts.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const dtab = Dtab.parse('/svc => /#/fs');

function setUp(t: Test, files: Record<string, string | Record<string, string>>, lingerMs?: number) {
  const rootDir = join(t.testdir({ disco: files }), 'disco');
  const linger = lingerMs === undefined ? {} : { lingerMs };
  const namer = fs.create({ rootDir }, { resolver: noHosts, log: new MemoryLog(), ...linger });
  const interpreter = new DefaultInterpreter({
    namers: [{ prefix: Path.utf8('fs'), namer }],
    resolver: noHosts,
    ...linger,
  });
  t.teardown(() => {
    interpreter.close();
    namer.close();
  });
  const bind = (path: string) => interpreter.bind(dtab, Path.parse(`/svc${path}`));
  const look = (path: string) => {
    const watcher = new Watcher(bind(path));
    t.teardown(() => watcher.stop());
    const is = (type: 'neg' | 'leaf') =>
      watcher.until((now) => now.phase === 'ok' && now.value.type === type, `${path}: ${type}`);
    return { is, seen: watcher.seen };
  };
  /** Reads a name until it is known, and lets go of it. */
  const once = (path: string) =>
    new Promise<string>((resolve) => {
      const stop = observe(bind(path), (now) => {
        if (!hasValue(now)) return;
        stop();
        resolve(now.value.type);
      });
    });
  const filesWatched = () => (namer.state() as { files: { file: string }[] }).files.map(({ file }) => file);
  return { rootDir, interpreter, look, once, filesWatched };
}

test('a name that is not there has no watch of its own, and is bound as soon as it appears', async (t) => {
  const { rootDir, look, filesWatched } = setUp(t, { web: '127.0.0.1 1', dir: { one: '127.0.0.1 2' } }, 0);
  const names = ['/late', '/late/x', '/dir/late', '/dir/late/er', '/more/late', '/more/and/late'];
  const readers = names.map(look);
  for (const reader of readers) await reader.is('neg');
  t.same(filesWatched(), ['dir'], 'what leads to names is watched');

  writeFileSync(join(rootDir, 'late'), '127.0.0.1 3');
  for (const reader of readers.slice(0, 2)) await reader.is('leaf');
  mkdirSync(join(rootDir, 'dir/late'));
  writeFileSync(join(rootDir, 'dir/late/er'), '127.0.0.1 4');
  await readers[3]!.is('leaf');
  await readers[2]!.is('neg');
  mkdirSync(join(rootDir, 'prepared/and'), { recursive: true });
  writeFileSync(join(rootDir, 'prepared/and/late'), '127.0.0.1 5');
  renameSync(join(rootDir, 'prepared'), join(rootDir, 'more'));
  await readers[5]!.is('leaf');
  await readers[4]!.is('neg');

  rmSync(join(rootDir, 'late'));
  rmSync(join(rootDir, 'more'), { recursive: true });
  for (const i of [0, 1, 5]) await readers[i]!.is('neg');
  await eventually(() => filesWatched().join() === 'dir,dir/late,dir/late/er', 'what is gone is not watched');
  writeFileSync(join(rootDir, 'late'), '127.0.0.1 6');
  await readers[0]!.is('leaf');
});

test('a file that is deleted and written again at once stays bound, though the directory was read between', async (t) => {
  const { rootDir, look } = setUp(t, { web: '127.0.0.1 1' }, 0);
  const web = look('/web');
  await web.is('leaf');
  const roundsBound: number[] = [];
  for (let round = 0; round < 10; round++) {
    const before = web.seen.length;
    rmSync(join(rootDir, 'web'));
    // Long enough for the directory to be read; if the machine is busy it is too long to be forgiven, hence the rounds.
    await new Promise((resolve) => setTimeout(resolve, 40));
    writeFileSync(join(rootDir, 'web'), '127.0.0.1 1');
    // By then the file has been looked at as well.
    await new Promise((resolve) => setTimeout(resolve, 150));
    await web.is('leaf');
    if (web.seen.slice(before).every((now) => hasValue(now) && now.value.type === 'leaf')) roundsBound.push(round);
  }
  t.not(roundsBound.length, 0);
});

test('a flood of made-up names leaves nothing behind', async (t) => {
  const real = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`real-${i}`, '127.0.0.1 80']));
  const { interpreter, once, filesWatched } = setUp(t, { ...real, dir: { one: '127.0.0.1 80' } });
  const flood = async (names: number, round: string) => {
    for (let i = 0; i < names; i += 2) {
      const types = await Promise.all([once(`/made-up-${round}-${i}.example`), once(`/dir/made-up-${round}-${i}`)]);
      if (types.join() !== 'neg,neg') t.fail(types.join());
      if (interpreter.size > MAX_LINGERING + 2) t.fail(`${interpreter.size} bindings`);
    }
  };
  await flood(2_000, 'warm-up');
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await flood(20_000, 'flood');
  collectGarbage();
  const growth = process.memoryUsage().heapUsed - before;
  t.ok(growth < 20_000 * 100, `${growth} bytes after 20,000 names`);
  t.same(filesWatched(), ['dir']);
  t.match(watchedDirectories(), { directories: 3 }, 'the root, the one above it, and dir');

  for (const name of Object.keys(real)) t.equal(await once(`/${name}`), 'leaf');
  t.equal(filesWatched().length, 101);
  t.match(watchedDirectories(), { directories: 3 });
  t.ok(interpreter.size <= MAX_LINGERING);
});
