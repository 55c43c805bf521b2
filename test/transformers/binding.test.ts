/** Transformers where they act: on namers and on interpreters, over a directory of files. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { DnsResolver } from '../../src/dns/index.ts';
import { DefaultInterpreter } from '../../src/interpreters/index.ts';
import { type Activity, derive, hasValue, type Live } from '../../src/live/index.ts';
import { namerKinds } from '../../src/namers/index.ts';
import {
  type BoundName,
  Dtab,
  type Interpreter,
  type NameTree,
  Path,
  type Transformer,
  transformInterpreter,
} from '../../src/naming/index.ts';
import { constant } from '../../src/transformers/const.ts';
import { localhost } from '../../src/transformers/localhost.ts';
import { port } from '../../src/transformers/port.ts';
import { replace } from '../../src/transformers/replace.ts';
import { Watcher } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';

const [fs] = namerKinds;
const resolver = new DnsResolver({ lingerMs: 0 });
const context = { resolver };

/** Every leaf as `id : addresses`, in a tree of words. */
function shown(bound: Live<Activity<NameTree<BoundName>>>): Live<string> {
  const show = (tree: NameTree<BoundName>): string => {
    if (tree.type === 'alt') return tree.trees.map(show).join(' | ');
    if (tree.type === 'union') return tree.trees.map(({ weight, tree }) => `${weight} * (${show(tree)})`).join(' & ');
    if (tree.type !== 'leaf') return tree.type;
    const addr = tree.value.addr.value;
    const hosts =
      addr.state === 'bound' ? addr.endpoints.map(({ host, port }) => `${host}:${port}`).join(', ') : addr.state;
    return `${tree.value.id.show()} : ${hosts}`;
  };
  return derive(() => (hasValue(bound.value) ? show(bound.value.value) : bound.value.phase));
}

function setUp(t: Test, on: { namer?: Transformer[]; interpreter?: Transformer[] }) {
  const rootDir = t.testdir({
    web: '127.0.0.1 9001\n192.0.2.1 9002\n127.0.0.1 9003\n',
    remote: '192.0.2.1 9001\n',
    gateway: '127.0.0.1 4140\n',
  });
  const namer = fs.create({ rootDir }, { resolver, log: new MemoryLog(), lingerMs: 0 });
  const namers = [{ prefix: Path.parse('/io.l5d.fs'), namer, transformers: on.namer ?? [] }];
  const plain = new DefaultInterpreter({ namers, resolver, lingerMs: 0 });
  const bindPath = (path: Path) => plain.bind(Dtab.empty, path).value;
  const interpreter: Interpreter = transformInterpreter(plain, on.interpreter ?? [], bindPath, 0);
  t.teardown(() => {
    interpreter.close();
    namer.close();
  });
  const dtab = Dtab.parse('/svc => /#/io.l5d.fs; /fails => !; /either => /svc/none | /svc/remote | /svc/web;');
  const binds = (path: string) => {
    const watcher = new Watcher(shown(interpreter.bind(dtab, Path.parse(path))));
    t.teardown(() => watcher.stop());
    return { is: (text: string) => watcher.until((now) => now === text, text) };
  };
  return { rootDir, binds, interpreter };
}

test('the last transformer stands leftmost, on a namer and on an interpreter', async (t) => {
  const transformers = () => [localhost.create({}, context), port.create({ port: 28888 }, context)];
  for (const on of [{ namer: transformers() }, { interpreter: transformers() }]) {
    const { binds } = setUp(t, on);
    await binds('/svc/web').is('/%/io.l5d.port/28888/%/io.l5d.localhost/#/io.l5d.fs/web : 127.0.0.1:28888');
  }
  t.pass();
});

test('a set without endpoints left is negative, but its leaf stays: no other branch is taken', async (t) => {
  const { rootDir, binds } = setUp(t, { namer: [localhost.create({}, context)] });
  const either = binds('/either');
  await either.is('/%/io.l5d.localhost/#/io.l5d.fs/remote : neg');
  writeFileSync(join(rootDir, 'remote'), '127.0.0.1 1\n192.0.2.1 1\n');
  await either.is('/%/io.l5d.localhost/#/io.l5d.fs/remote : 127.0.0.1:1');
  rmSync(join(rootDir, 'remote'));
  await either.is('/%/io.l5d.localhost/#/io.l5d.fs/web : 127.0.0.1:9001, 127.0.0.1:9003');
  t.pass();
});

test('const binds everything to its path, without the dtab', async (t) => {
  const { binds, interpreter } = setUp(t, {
    interpreter: [constant.create({ path: '/#/io.l5d.fs/gateway' }, context)],
  });
  const gateway = '/%/io.l5d.const/#/io.l5d.fs/gateway : 127.0.0.1:4140';
  for (const path of ['/svc/web', '/svc/none', '/nowhere']) await binds(path).is(gateway);
  t.equal(interpreter.delegate, undefined);
  await setUp(t, { interpreter: [constant.create({ path: '/svc/web' }, context)] })
    .binds('/svc/web')
    .is('neg');
});

test('replace binds every leaf to its path, and leaves the ends alone', async (t) => {
  const { rootDir, binds } = setUp(t, { interpreter: [replace.create({ path: '/#/io.l5d.fs/gateway' }, context)] });
  const gateway = '/%/io.l5d.replace/#/io.l5d.fs/gateway';
  const web = binds('/svc/web');
  await web.is(`${gateway} : 127.0.0.1:4140`);
  await binds('/svc/none').is('neg');
  await binds('/fails').is('fail');
  writeFileSync(join(rootDir, 'gateway'), '127.0.0.1 4141\n');
  await web.is(`${gateway} : 127.0.0.1:4141`);
  t.pass();
});
