import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { z } from 'zod';
import { DnsResolver } from '../../../src/dns/index.ts';
import { watchedDirectories } from '../../../src/files/index.ts';
import { type Activity, derive, hasValue, type Live } from '../../../src/live/index.ts';
import { fs } from '../../../src/namers/fs/index.ts';
import { type NamerTree, Path } from '../../../src/naming/index.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { eventually, Watcher } from '../../support/eventually.ts';
import { MemoryLog } from '../../support/log.ts';

/** What a lookup says, in one line: `/web + /x : 10.0.0.1:80, 10.0.0.2:80 * 0.5`. */
function shown(tree: Live<Activity<NamerTree>>): Live<string> {
  return derive(() => {
    const now = tree.value;
    const phase = now.phase === 'ok' ? '' : `(${now.phase}) `;
    if (!hasValue(now)) return now.phase;
    if (now.value.type !== 'leaf') return phase + now.value.type;
    const name = now.value.value;
    if (name instanceof Path) return `${phase}path ${name.show()}`;
    const addr = name.addr.value;
    const endpoints = () =>
      addr.state !== 'bound'
        ? `${addr.state}${addr.state === 'failed' ? ` ${addr.cause}` : ''}`
        : addr.endpoints
            .map((each) => `${each.host}:${each.port}${each.weight === 1 ? '' : ` * ${each.weight}`}`)
            .join(', ');
    const residual = name.residual.isEmpty ? '' : ` + ${name.residual.show()}`;
    return `${phase}${name.id.show()}${residual} : ${endpoints()}`;
  });
}

async function setUp(t: Test, files: Record<string, string | Record<string, string>>) {
  const rootDir = join(t.testdir({ disco: files, secret: '127.0.0.1 1' }), 'disco');
  const server = await DnsServer.start();
  const resolver = new DnsResolver({
    hostsPath: join(rootDir, '..', 'no-hosts'),
    resolvConfPath: join(rootDir, '..', 'no-resolv.conf'),
    servers: [server.address],
    minTtlMs: 20,
    maxTtlMs: 100,
    lingerMs: 0,
  });
  const log = new MemoryLog();
  const namer = fs.create({ rootDir }, { resolver, log, lingerMs: 0 });
  t.teardown(() => {
    namer.close();
    resolver.close();
    server.close();
  });
  const look = (path: string | Path) => {
    const watcher = new Watcher(shown(namer.lookup(typeof path === 'string' ? Path.parse(path) : path)));
    t.teardown(() => watcher.stop());
    return Object.assign(watcher, { is: (text: string) => watcher.until((now) => now === text, text) });
  };
  const write = (name: string, text: string) => writeFileSync(join(rootDir, name), text);
  return { rootDir, server, log, namer, look, write };
}

test('the names and address sets that were recorded of the original', async (t) => {
  const { look } = await setUp(t, {
    web: '127.0.0.1 9001\n127.0.0.1 9002\n',
    weighted: '127.0.0.1 9004 * 0.3\n127.0.0.1 9005 * 2\n',
    emptyfile: '',
    badfile: '127.0.0.1\n',
    'a:b': '127.0.0.1 9009\n',
    'host.example.com': '127.0.0.1 9010\n',
    commented: '# comment\n\n127.0.0.1 9006 # trailing\n   \n',
    dir: { one: '127.0.0.1 9007\n' },
  });
  await look('/web').is('/web : 127.0.0.1:9001, 127.0.0.1:9002');
  await look('/web/x/y').is('/web + /x/y : 127.0.0.1:9001, 127.0.0.1:9002');
  await look('/weighted').is('/weighted : 127.0.0.1:9004 * 0.3, 127.0.0.1:9005 * 2');
  await look('/emptyfile').is('/emptyfile : ');
  await look('/badfile').is('/badfile : failed malformed address: 127.0.0.1');
  await look('/a:b').is('/a:b : 127.0.0.1:9009');
  await look('/host.example.com').is('/host.example.com : 127.0.0.1:9010');
  await look('/commented').is('/commented : 127.0.0.1:9006');
  await look('/dir/one/two').is('/dir/one + /two : 127.0.0.1:9007');
  for (const path of ['/', '/missing', '/dir', '/dir/missing', '/..']) await look(path).is('neg');
});

test('no segment leads out of the directory', async (t) => {
  const { namer, look } = await setUp(t, { web: '127.0.0.1 9001', dir: { one: '127.0.0.1 9007' } });
  const segments = [
    ['..', 'secret'],
    ['dir', '..', '..', 'secret'],
    ['../secret'],
    ['dir/one'],
    ['/'],
    ['.', 'web'],
    ['web\0'],
    ['\xff\xfe'],
    ['x'.repeat(256)],
    ['dir', 'x'.repeat(5_000)],
  ];
  for (const each of segments) await look(Path.of(each)).is('neg');
  t.ok((namer.state() as { files: { file: string }[] }).files.every(({ file }) => !/secret|\.\./.test(file)));
});

test('names outside ASCII are UTF-8', async (t) => {
  const { look } = await setUp(t, { grün: '127.0.0.1 9001' });
  await look(Path.utf8('grün')).is(`${Path.utf8('grün').show()} : 127.0.0.1:9001`);
  t.pass();
});

test('a file is edited, renamed over, deleted, created, and turned into a directory', async (t) => {
  const { rootDir, look, write } = await setUp(t, { web: '127.0.0.1 1' });
  const web = look('/web/v1');
  await web.is('/web + /v1 : 127.0.0.1:1');
  write('web', '127.0.0.1 2\n127.0.0.1 3');
  await web.is('/web + /v1 : 127.0.0.1:2, 127.0.0.1:3');
  for (const port of ['4', '5']) {
    write('new', `127.0.0.1 ${port}`);
    renameSync(join(rootDir, 'new'), join(rootDir, 'web'));
    await web.is(`/web + /v1 : 127.0.0.1:${port}`);
  }
  rmSync(join(rootDir, 'web'));
  await web.is('neg');
  mkdirSync(join(rootDir, 'web'));
  write('web/v1', '127.0.0.1 6');
  await web.is('/web/v1 : 127.0.0.1:6');
  rmSync(join(rootDir, 'web'), { recursive: true });
  write('web', '127.0.0.1 7');
  await web.is('/web + /v1 : 127.0.0.1:7');
  t.notOk(
    web.seen.some((each) => each.includes('failed')),
    'nothing failed meanwhile',
  );
});

test('a mounted config map is swapped; while the whole directory is away, what was in it is kept', async (t) => {
  const { rootDir, log, look } = await setUp(t, {
    '..v1': { web: '127.0.0.1 1' },
    '..v2': { web: '127.0.0.1 2' },
  });
  symlinkSync('..v1', join(rootDir, '..data'));
  symlinkSync('..data/web', join(rootDir, 'web'));
  const web = look('/web');
  await web.is('/web : 127.0.0.1:1');
  symlinkSync('..v2', join(rootDir, '..tmp'));
  renameSync(join(rootDir, '..tmp'), join(rootDir, '..data'));
  await web.is('/web : 127.0.0.1:2');
  rmSync(rootDir, { recursive: true });
  await eventually(() => log.lines.some(({ rootDir: gone }) => gone === rootDir));
  mkdirSync(rootDir);
  writeFileSync(join(rootDir, 'web'), '127.0.0.1 3');
  await web.is('/web : 127.0.0.1:3');
  t.notOk(web.seen.includes('neg'));

  renameSync(rootDir, `${rootDir}-away`);
  await eventually(() => log.lines.filter(({ rootDir: gone }) => gone === rootDir).length === 2);
  mkdirSync(rootDir);
  await web.is('neg');
  t.pass('a directory that is back and stays empty says that the name is gone');
});

test('bad lines are logged and shown in the state, once a change; the good ones stay', async (t) => {
  const { log, namer, look, write } = await setUp(t, { web: '127.0.0.1 1\nnonsense\n' });
  const web = look('/web');
  await web.is('/web : 127.0.0.1:1');
  const again = look('/web/again');
  await again.is('/web + /again : 127.0.0.1:1');
  t.match(log.lines, [
    { level: 'warn', file: 'web', badLines: [{ line: 2, text: 'nonsense' }], badLineCount: 1, kept: 1 },
  ]);
  t.match(namer.state(), {
    files: [{ file: 'web', state: 'file', replicas: [{ host: '127.0.0.1' }], badLineCount: 1 }],
  });
  write('web', `127.0.0.1 2\n${'worse\n'.repeat(1_000)}${'x'.repeat(1_000)}`);
  await web.is('/web : 127.0.0.1:2');
  t.match(log.lines.at(-1), { badLineCount: 1_001 });
  t.ok(JSON.stringify(log.lines.at(-1)).length < 2_000, 'what is logged of them is bounded');
  write('web', '127.0.0.1 3\n');
  await web.is('/web : 127.0.0.1:3');
  t.equal(log.lines.length, 2);
});

test('a file that grows too large keeps its last addresses', async (t) => {
  const { log, namer, look, write } = await setUp(t, { web: '127.0.0.1 1' });
  const web = look('/web');
  await web.is('/web : 127.0.0.1:1');
  write('web', '#'.repeat(500 * 1024 + 1));
  await web.is('(failed) /web : 127.0.0.1:1');
  t.match(log.lines, [{ level: 'warn', error: /^larger than 512000 bytes/ }]);
  t.match(namer.state(), { files: [{ file: 'web', error: /^larger than/ }] });
  write('large', '#'.repeat(500 * 1024 + 1));
  await look('/large').is('failed');
  write('web', '127.0.0.1 2');
  await web.is('/web : 127.0.0.1:2');
});

test('host names are resolved, and resolved again', async (t) => {
  const { server, namer, look } = await setUp(t, {
    web: 'web.example 80\n127.0.0.1 81\n',
    only: 'web.example 80 * 2',
  });
  const told = () => {
    const { files } = namer.state() as { files: { file: string; replicas: object[] }[] };
    return files.find(({ file }) => file === 'web')?.replicas;
  };
  const literal = { host: '127.0.0.1', port: 81, weight: 1 };
  const named = { host: 'web.example', port: 80, weight: 1 };
  server.names.set('web.example', { addresses: ['10.0.0.1'] });
  const web = look('/web');
  const only = look('/only');
  await web.is('/web : 10.0.0.1:80, 127.0.0.1:81');
  server.names.set('web.example', { addresses: ['10.0.0.3', '10.0.0.2'] });
  await web.is('/web : 10.0.0.2:80, 10.0.0.3:80, 127.0.0.1:81');
  await only.is('/only : 10.0.0.2:80 * 2, 10.0.0.3:80 * 2');
  t.same(told(), [{ ...named, addresses: ['10.0.0.2', '10.0.0.3'] }, literal]);
  server.names.set('web.example', 'SERVFAIL');
  const asked = server.asked.length;
  await eventually(() => server.asked.length > asked + 2);
  t.equal(only.seen.at(-1), '/only : 10.0.0.2:80 * 2, 10.0.0.3:80 * 2', 'a failing server keeps the addresses');
  t.match(told(), [{ addresses: ['10.0.0.2', '10.0.0.3'], error: /^looking up web\.example failed/ }, literal]);
  server.names.delete('web.example');
  await web.is('/web : 127.0.0.1:81');
  await only.is('/only : neg');
  t.same(told(), [{ ...named, addresses: [] }, literal]);
});

test('names are listed, directories too, hidden files not', async (t) => {
  const { rootDir, namer, write } = await setUp(t, {
    web: '',
    dir: { one: '', two: '' },
    '..data': { web: '' },
    '.web.swp': '',
  });
  const watcher = new Watcher(
    derive(() => {
      const now = namer.names().value;
      return hasValue(now) ? now.value.map((path) => path.show()).join(' ') : now.phase;
    }),
  );
  await watcher.until((now) => now === '/dir/one /dir/two /web');
  write('dir/three', '');
  await watcher.until((now) => now === '/dir/one /dir/three /dir/two /web');
  symlinkSync('.', join(rootDir, 'loop'));
  await watcher.until((now) => now.includes('/loop/loop/web'));
  t.ok(watcher.last!.split(' ').length < 100, 'a circle of links ends');
  watcher.stop();
});

test('while the directory is away, the list of names is kept, also for who asks for it only then', async (t) => {
  const { rootDir, namer, log } = await setUp(t, { web: '', dir: { one: '' } });
  const listed = () =>
    derive(() => {
      const { phase, value = [] } = namer.names().value;
      return [phase, ...value.map((path) => path.show())].join(' ');
    });
  const watcher = new Watcher(listed());
  const look = new Watcher(namer.lookup(Path.parse('/web')));
  t.teardown(() => look.stop());
  await watcher.until((now) => now === 'ok /dir/one /web');
  renameSync(rootDir, `${rootDir}-away`);
  await watcher.until((now) => now === 'failed /dir/one /web');
  watcher.stop();
  await eventually(() => log.lines.some(({ rootDir: gone }) => gone === rootDir));

  const later = new Watcher(listed());
  await later.until((now) => now === 'failed /dir/one /web');
  t.notOk(
    later.seen.some((now) => !now.includes('/dir/one /web')),
    'it is never empty',
  );
  renameSync(`${rootDir}-away`, rootDir);
  await later.until((now) => now === 'ok /dir/one /web');
  rmSync(join(rootDir, 'dir'), { recursive: true });
  await later.until((now) => now === 'ok /web');
  rmSync(join(rootDir, 'web'));
  await later.until((now) => now === 'ok');
  t.same(
    watcher.seen.filter((now) => now.startsWith('failed') && now !== 'failed /dir/one /web'),
    [],
  );
  later.stop();
});

test('two readers share one watch, and nothing is left after the last', async (t) => {
  const { rootDir, namer, look } = await setUp(t, { web: '127.0.0.1 1' });
  await eventually(() => watchedDirectories().directories === 0, 'watches of the tests before are closed');
  t.equal(namer.lookup(Path.parse('/web')), namer.lookup(Path.parse('/web')));
  const readers = [look('/web'), look('/web'), look('/web/x')];
  for (const reader of readers) await eventually(() => reader.seen.at(-1)?.includes('127.0.0.1:1'));
  t.match(watchedDirectories(), { directories: 2 }, 'the root, and the one above it');
  for (const reader of readers) reader.stop();
  await eventually(() => watchedDirectories().directories === 0);
  await eventually(() => (namer.state() as { files: unknown[] }).files.length === 0);
  t.same(namer.state(), { rootDir, files: [] });
});

test('the schema wants a directory that exists, and nothing else', async (t) => {
  const rootDir = t.testdir({ file: '' });
  const schema = fs.config(z);
  t.same(schema.parse({ rootDir }), { rootDir });
  for (const bad of [
    {},
    { rootDir: join(rootDir, 'missing') },
    { rootDir: join(rootDir, 'file') },
    { rootDir, x: 1 },
  ]) {
    t.notOk(schema.safeParse(bad).success, JSON.stringify(bad));
  }
});
