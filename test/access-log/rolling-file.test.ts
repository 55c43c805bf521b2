// Log files on a real disk.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parseRollPolicy } from '../../src/access-log/roll-policy.ts';
import { RollingFile, type RollingFileOptions } from '../../src/access-log/rolling-file.ts';
import { eventually } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';
import { tempDir, tempFile } from '../support/temp-dir.ts';

process.env['TZ'] = 'America/New_York';

type Test = Parameters<typeof tempDir>[0];
interface Options extends Partial<Omit<RollingFileOptions, 'policy'>> {
  readonly policy?: string;
  readonly isStarted?: boolean;
}

/** `access.log` in a folder of its own. */
async function openFile(t: Test, { policy = 'never', isStarted = true, ...options }: Options = {}) {
  const path = options.path ?? join(tempDir(t), 'access.log');
  const log = new MemoryLog();
  const lost = { lines: 0 };
  const file = await RollingFile.open({
    append: true,
    keep: -1,
    log,
    onLost: (lines) => {
      lost.lines += lines;
    },
    ...options,
    path,
    policy: parseRollPolicy(policy)!,
  });
  if (isStarted) await file.start();
  const directory = join(path, '..');
  const files = (): Record<string, string> =>
    Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
  return { file, path, directory, files, log, lost };
}

const at = (text: string): number => new Date(text).getTime();

test('lines are written in their order, and those of one turn at once', async (t) => {
  const { file, path } = await openFile(t);
  const lines = Array.from({ length: 3000 }, (_, index) => `line ${index} é`);
  for (const line of lines) file.write(line);
  t.equal(readFileSync(path, 'utf8'), '', 'who writes does not wait');
  await file.close();
  t.equal(readFileSync(path, 'utf8'), lines.map((line) => `${line}\n`).join(''));
});

test('what the file holds at the start is kept, or not', async (t) => {
  const path = join(tempDir(t), 'some', 'folder', 'access.log');
  const write = async (line: string, append: boolean) => {
    const { file } = await openFile(t, { path, append });
    file.write(line);
    await file.close();
  };
  await write('first', true);
  await write('second', true);
  t.equal(readFileSync(path, 'utf8'), 'first\nsecond\n', 'the folder has been made');
  await write('third', false);
  t.equal(readFileSync(path, 'utf8'), 'third\n');
});

test('nothing is dropped before the start, and lines wait for it', async (t) => {
  const path = tempFile(t, 'access.log', 'of another process\n');
  const unused = await openFile(t, { path, append: false, isStarted: false });
  await unused.file.close();
  t.equal(readFileSync(path, 'utf8'), 'of another process\n');

  const { file } = await openFile(t, { path, append: false, isStarted: false });
  file.write('early');
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(readFileSync(path, 'utf8'), 'of another process\n');
  await file.start();
  file.write('late');
  await file.start();
  await file.close();
  t.equal(readFileSync(path, 'utf8'), 'early\nlate\n', 'another user of the file drops nothing more');
});

test('a file that can not be opened', async (t) => {
  const directory = tempDir(t);
  writeFileSync(join(directory, 'plain'), '');
  await t.rejects(openFile(t, { path: directory }), { code: 'EISDIR' });
  await t.rejects(openFile(t, { path: join(directory, 'plain', 'access.log') }), /ENOTDIR|EEXIST/);
  rmSync(join(directory, 'plain'));
  const { file } = await openFile(t, { path: join(directory, 'plain', 'access.log') });
  await file.close();
});

test('rolled by time, and named after the period of its lines', async (t) => {
  const { file, files } = await openFile(t, { policy: 'hourly' });
  file.write('a', at('2030-01-02T03:10:00'));
  file.write('b', at('2030-01-02T03:59:59'));
  file.write('c', at('2030-01-02T04:00:00'));
  file.write('d', at('2030-01-02T09:30:00'));
  await file.close();
  t.same(files(), { 'access-20300102-03.log': 'a\nb\n', 'access-20300102-04.log': 'c\n', 'access.log': 'd\n' });
});

test('what an earlier run has left is rolled by when it was written', async (t) => {
  const path = tempFile(t, 'access.log', 'yesterday\n');
  utimesSync(path, at('2026-01-02T20:00:00') / 1000, at('2026-01-02T20:00:00') / 1000);
  const { file, files } = await openFile(t, { path, policy: 'daily' });
  file.write('today', at('2026-01-03T00:00:01'));
  await file.close();
  t.same(files(), { 'access-20260102.log': 'yesterday\n', 'access.log': 'today\n' });
});

test('rolled by size: no file is larger, but for one long line', async (t) => {
  const { file, files } = await openFile(t, { policy: '10.bytes' });
  for (const line of ['123', '456', '78', 'a line that is too long', 'x']) file.write(line);
  await file.close();
  const found = files();
  t.equal(found['access.log'], 'x\n');
  // Of one second or two, so the last part of their names tells nothing.
  t.same(
    Object.entries(found)
      .filter(([name]) => /^access-\d{8}-\d{6}(\.\d+)?\.log$/.test(name))
      .map(([, text]) => text)
      .sort(),
    ['123\n456\n', '78\n', 'a line that is too long\n'],
    'nothing that was rolled before is overwritten',
  );
});

test('the oldest rolled files are removed, and no others', async (t) => {
  const { file, directory, files } = await openFile(t, { policy: 'hourly', keep: 2 });
  const others = ['access-notes.log', 'access-20200101.log.gz', 'other-20200101.log', 'access.log.1'];
  for (const name of [...others, 'access-20200101.log', 'access-20200101-05.1.log']) {
    writeFileSync(join(directory, name), name);
  }
  for (const hour of ['03', '04', '05', '06']) file.write(hour, at(`2030-01-02T${hour}:10:00`));
  await file.close();
  t.same(
    Object.keys(files()).sort(),
    [...others, 'access-20300102-04.log', 'access-20300102-05.log', 'access.log'].sort(),
  );

  const { file: none, files: left } = await openFile(t, { policy: 'hourly', keep: 0 });
  for (const hour of ['03', '04', '05']) none.write(hour, at(`2030-01-02T${hour}:10:00`));
  await none.close();
  t.same(left(), { 'access.log': '05\n' });
});

test('of what was rolled in one second the newest is kept', async (t) => {
  const { file, files } = await openFile(t, { policy: '1.bytes', keep: 2 });
  for (const line of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) file.write(line);
  await file.close();
  t.same(Object.values(files()).sort(), ['f\n', 'g\n', 'h\n']);
});

test('a link is not rolled, but the file that it stands for', async (t) => {
  const directory = tempDir(t);
  const real = join(directory, 'real');
  mkdirSync(real);
  symlinkSync(join('real', 'data.log'), join(directory, 'access.log'));
  const { file } = await openFile(t, { path: join(directory, 'access.log'), policy: 'hourly' });
  file.write('a', at('2030-01-02T03:00:00'));
  file.write('b', at('2030-01-02T04:00:00'));
  await file.close();
  t.same(readdirSync(real).sort(), ['data-20300102-03.log', 'data.log']);
  t.equal(readFileSync(join(directory, 'access.log'), 'utf8'), 'b\n');
});

test('several that write one file share it', async (t) => {
  const { file, path, files } = await openFile(t, { policy: '1.kilobytes' });
  const { file: same } = await openFile(t, { path: join(path, '..', '.', 'access.log'), policy: '1.kilobytes' });
  t.equal(same, file);
  for (let number = 100; number < 600; number++) (number % 2 === 0 ? file : same).write(`line ${number}`);
  await same.close();
  file.write('the last');
  await file.close();
  const lines = Object.values(files()).join('').trim().split('\n');
  t.equal(lines.length, 501);
  t.equal(new Set(lines).size, 501);
  const { file: another } = await openFile(t, { path });
  t.not(another, file, 'it was closed with its last user');
  await another.close();
});

test('a file that another program renames or removes is begun anew', async (t) => {
  const { file, path, files } = await openFile(t);
  const written = async (line: string) => {
    await eventually(() => {
      file.write(line);
      return existsSync(path) && readFileSync(path, 'utf8').includes(line);
    }, `${line} in a new file`);
  };
  await written('first');
  renameSync(path, `${path}.1`);
  await written('second');
  rmSync(path);
  await written('third');
  await file.close();
  t.match(files(), { 'access.log.1': /^first\n/, 'access.log': /third\n$/ });
});

test('a file that can not be rolled is gone on with', async (t) => {
  const { file, directory, path, log, lost } = await openFile(t, { policy: '10.bytes' });
  file.write('12345678');
  await eventually(() => readFileSync(path, 'utf8') !== '');
  // Whoever runs this may be root, whom no permission stops; a folder that is gone stops everybody.
  renameSync(directory, `${directory}.moved`);
  t.teardown(() => renameSync(`${directory}.moved`, directory));
  file.write('second');
  file.write('third');
  await file.close();
  t.equal(readFileSync(join(`${directory}.moved`, 'access.log'), 'utf8'), '12345678\nsecond\nthird\n');
  t.equal(lost.lines, 0);
  t.match(log.lines, [{ level: 'warn', message: /an access log has trouble: it can not be rolled: ENOENT/ }]);
});

test('a disk that is full: lines are lost, counted and said once', async (t) => {
  const { file, log, lost } = await openFile(t, { path: '/dev/full' });
  file.write('first');
  await eventually(() => lost.lines === 1);
  file.write('second');
  await file.close();
  t.equal(lost.lines, 2);
  t.match(log.lines, [{ level: 'warn', message: /an access log has trouble: ENOSPC/, lostLines: 1 }]);
});

test('a disk that takes nothing: memory stays within a bound, and the end comes', async (t) => {
  const path = join(tempDir(t), 'pipe');
  execFileSync('mkfifo', [path]);
  // A pipe whose other end reads nothing: a write of more than it holds waits.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const { file, log, lost } = await openFile(t, { path, policy: '10.bytes' });
  const line = 'x'.repeat(1023);
  for (let number = 0; number < 3000; number++) file.write(line);
  t.equal(lost.lines, 3000 - 1024, 'as many are kept as fit into 1 MiB');
  t.match(log.lines, [{ level: 'warn', message: /the disk is too slow/ }]);
  t.ok(log.lines.length === 1, 'said once');
  // Now it takes what was kept.
  const bytes = Buffer.alloc(64 * 1024);
  let read = 0;
  await eventually(() => {
    try {
      read += readSync(reader, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return read === 1024 * 1024;
  }, 'what was kept');
  for (let number = 0; number < 1000; number++) file.write(line);
  await file.close();
  t.ok(lost.lines > 3000 - 1024, 'who ends does not wait for what is not taken');
  closeSync(reader);
});

test('a pipe that nobody reads can not be opened', async (t) => {
  const path = join(tempDir(t), 'pipe');
  execFileSync('mkfifo', [path]);
  await t.rejects(openFile(t, { path }), { code: 'ENXIO' });
});
