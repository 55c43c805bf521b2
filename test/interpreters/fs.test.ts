import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { FileInterpreter } from '../../src/interpreters/fs.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { eventually, Watcher } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';
import { MapNamer } from '../support/map-namer.ts';
import { noHosts } from '../support/no-hosts.ts';
import { WatchedName } from '../support/remote-interpreter.ts';
import { tempDir } from '../support/temp-dir.ts';

function setUp(t: { teardown(fn: () => void): void }, content?: string) {
  const file = join(tempDir(t), 'dtab');
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  if (content !== undefined) write(content);
  const namer = new MapNamer();
  for (const name of ['/a', '/b', '/c']) namer.bind(name);
  const log = new MemoryLog();
  const namers = [{ prefix: Path.parse('/test'), namer }];
  const interpreter = new FileInterpreter(file, { namers, resolver: noHosts, log });
  t.teardown(() => interpreter.close());
  const watch = (path: string, dtab = ''): WatchedName => {
    const name = new WatchedName(interpreter.bind(Dtab.parse(dtab), Path.parse(path)));
    t.teardown(() => name.stop());
    return name;
  };
  return { file, write, watch, log, interpreter };
}

test("the file's dtab comes before the router's and the request's, and its changes hold at once", async (t) => {
  const { write, watch } = setUp(t, '/svc => /#/test ; # what all have\n/host => /#/test/a');
  const name = watch('/svc/a');
  await name.until('/#/test/a');
  await watch('/host', '/host => /#/test/b').until('/#/test/b');
  await watch('/svc/c').until('/#/test/c');
  write('/svc/a => /#/test/b');
  await name.until('/#/test/b');
  write('');
  await name.until('~');
});

test('a file that can not be read as a dtab leaves the one before it, and says where it is wrong', async (t) => {
  const { file, write, watch, log, interpreter } = setUp(t, '/svc => /#/test');
  const name = watch('/svc/a');
  await name.until('/#/test/a');
  write('/svc => /#/test;\n/host /#/test');
  await name.failed(/line 2, column 7: '=' expected but '\/' found/);
  t.equal(name.shown, '/#/test/a');
  await watch('/svc/b').until('/#/test/b');
  t.match(log.lines, [{ level: 'warn', file, reason: /line 2, column 7/ }]);
  t.match(interpreter.state.read(), { file, error: /line 2/ });
  write('/svc/a => /#/test/c');
  await name.until('/#/test/c');
  t.notOk('error' in (interpreter.state.read() as object));
});

test('a file that is not there fails names until it is; one that vanishes leaves its dtab', async (t) => {
  const { file, write, watch } = setUp(t);
  const name = watch('/svc/a');
  await name.failed(/does not exist/);
  write('/svc => /#/test');
  await name.until('/#/test/a');
  rmSync(file);
  await name.failed(/does not exist/);
  t.equal(name.shown, '/#/test/a');
});

test('how a name is bound is told with the entries of the file', async (t) => {
  const { interpreter } = setUp(t, '/svc => /#/test');
  const watcher = new Watcher(interpreter.delegate(Dtab.parse('/host => /svc'), Path.parse('/host/a')));
  t.teardown(watcher.stop);
  const { value } = await watcher.until((now) => now.phase === 'ok');
  t.match(value, { type: 'delegate', tree: { type: 'delegate', tree: { type: 'leaf' } } });
  t.equal(value?.type === 'delegate' && value.tree.dentry?.show(), '/host=>/svc');
});

test('a file of more than a megabyte is no dtab', async (t) => {
  const { write, watch, log } = setUp(t, '/svc => /#/test');
  const name = watch('/svc/a');
  await name.until('/#/test/a');
  write(`/svc => /#/test/b;${' '.repeat(1024 * 1024)}`);
  await name.failed(/larger than 1048576 bytes/);
  await eventually(() => log.lines.length === 1);
  t.equal(name.shown, '/#/test/a');
});
