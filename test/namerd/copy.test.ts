// `namerd copy`, as its own process.
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { SqliteStorage } from '../../namerd/storage/sqlite/storage.ts';
import { Dtab } from '../../src/naming/index.ts';
import { MemoryLog } from '../support/log.ts';
import { freePorts } from '../support/ports.ts';
import { runProgram } from '../support/program.ts';
import { tempDir, tempFile } from '../support/temp-dir.ts';
import { names, read, writtenVersion } from './storage/conformance.ts';

const INTERFACES = 'interfaces: [{kind: io.l5d.httpController}]\n';

function config(t: Test, storage: string): string {
  const file = tempFile(t, 'namerd.yaml', `storage: ${storage}\n${INTERFACES}`);
  return file;
}

/** A config on a database, and the database's content before and after. */
async function database(t: Test, dtabs: Readonly<Record<string, string>>) {
  const path = join(tempDir(t), 'dtabs.sqlite');
  const open = async () => {
    const storage = new SqliteStorage({ path, createFolder: false, keepVersions: null, log: new MemoryLog() });
    await storage.start();
    return storage;
  };
  const storage = await open();
  for (const [name, dtab] of Object.entries(dtabs)) writtenVersion(await storage.create(name, Dtab.parse(dtab), {}));
  await storage.close();
  return {
    file: config(t, `{kind: io.l5d.sqlite, path: ${path}}`),
    content: async () => {
      const now = await open();
      const entries = (await names(now)).map(async (name) => [name, (await read(now, name))?.dtab.show()] as const);
      const content = Object.fromEntries(await Promise.all(entries));
      await now.close();
      return content;
    },
    history: async (name: string) => {
      const now = await open();
      const entries = await now.history(name, 10);
      await now.close();
      return entries;
    },
  };
}

function copy(t: Test, ...args: string[]) {
  return runProgram(t, 'namerd/main.ts', ['copy', ...args]).exited;
}

const FROM = { default: '/svc => /#/io.l5d.fs', 'a/b': '/x => 0.001 * /y & /z', changed: '/new => /x' };

test('all namespaces are copied, and a second time there is nothing to do', async (t) => {
  const from = config(t, `{kind: io.l5d.inMemory, namespaces: ${JSON.stringify(FROM)}}`);
  const to = await database(t, {});
  const first = await copy(t, '--from', from, '--to', to.file);
  t.match(first, { code: 0, stdout: 'a/b: created\nchanged: created\ndefault: created\n', stderr: '' });
  t.same(await to.content(), {
    default: '/svc=>/#/io.l5d.fs',
    'a/b': '/x=>0.001*/y & /z',
    changed: '/new=>/x',
  });
  t.match(await to.history('default'), [
    { change: { author: { verified: false }, message: `copied by namerd copy --from ${from}` } },
  ]);
  const second = await copy(t, '--from', from, '--to', to.file);
  t.match(second, { code: 0, stdout: 'a/b: unchanged\nchanged: unchanged\ndefault: unchanged\n' });
});

test('what is there with another dtab is left alone, unless it is to be replaced', async (t) => {
  const from = await database(t, FROM);
  const to = await database(t, { changed: '/old => /x', own: '/o => /x' });
  const refused = 'changed: refused: it is there with another dtab; --overwrite replaces it\n';
  t.match(await copy(t, '--from', from.file, '--to', to.file, '--dry-run'), {
    code: 2,
    stdout: `a/b: would be created\n${refused}default: would be created\n`,
  });
  t.same(await to.content(), { changed: '/old=>/x', own: '/o=>/x' }, 'nothing was done');
  t.match(await copy(t, '--from', from.file, '--to', to.file), {
    code: 2,
    stdout: `a/b: created\n${refused}default: created\n`,
  });
  t.equal((await to.content())['changed'], '/old=>/x');
  t.match(await copy(t, '--from', from.file, '--to', to.file, '--overwrite', '--dry-run'), {
    code: 0,
    stdout: 'a/b: unchanged\nchanged: would be replaced\ndefault: unchanged\n',
  });
  t.match(await copy(t, '--from', from.file, '--to', to.file, '--overwrite', 'changed'), {
    code: 0,
    stdout: 'changed: replaced\n',
  });
  t.same(await to.content(), {
    'a/b': '/x=>0.001*/y & /z',
    changed: '/new=>/x',
    default: '/svc=>/#/io.l5d.fs',
    own: '/o=>/x',
  });
});

test('chosen namespaces, one that is not there, and JSON for tools', async (t) => {
  const from = await database(t, FROM);
  const to = await database(t, {});
  const { code, stdout } = await copy(t, 'default', 'nope', '--from', from.file, '--to', to.file, '-o', 'json');
  t.equal(code, 2);
  t.same(JSON.parse(stdout), {
    dryRun: false,
    namespaces: [
      { namespace: 'default', result: 'created' },
      { namespace: 'nope', result: 'failed', reason: `${from.file} has no such namespace` },
    ],
  });
  t.same(Object.keys(await to.content()), ['default']);
});

test('nothing is begun when one of the two can not be used', async (t) => {
  const from = await database(t, FROM);
  const [port] = await freePorts(1);
  const away = config(t, `{kind: io.l5d.consul, host: 127.0.0.1, port: ${port}}`);
  t.match(await copy(t, '--from', from.file, '--to', away), {
    code: 1,
    stdout: '',
    stderr: new RegExp(`^${away}: storage: http://127.0.0.1:${port} can not be reached: .*ECONNREFUSED`),
  });
  const bad = config(t, '{kind: io.l5d.sqlit}');
  t.match(await copy(t, '--from', bad, '--to', from.file), {
    code: 1,
    stderr: `${bad}:1:17: storage.kind: unknown kind`,
  });
  const memory = config(t, '{kind: io.l5d.inMemory}');
  t.match(await copy(t, '--from', from.file, '--to', memory), {
    code: 1,
    stderr: `${memory}: storage: a copy in memory`,
  });
});
