// `dtab history` and `dtab rollback` with a namerd that keeps its dtabs in SQLite.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { InMemoryStorage } from '../../../namerd/storage/in-memory.ts';
import type { DtabStorage } from '../../../namerd/storage/storage.ts';
import { Dtab } from '../../../src/naming/index.ts';
import { startController } from '../../support/controller.ts';
import { namerctl } from '../../support/namerctl.ts';
import { startNamerd } from '../../support/namerd.ts';
import { freePorts, portOf } from '../../support/ports.ts';
import { tempDir } from '../../support/temp-dir.ts';

async function startWithHistory(t: Test) {
  const [admin, port] = await freePorts(2);
  await startNamerd(
    t,
    [
      `admin: {port: ${admin}}`,
      `storage: {kind: io.l5d.sqlite, path: ${join(tempDir(t), 'dtabs.db')}}`,
      `interfaces: [{kind: io.l5d.httpController, port: ${port}}]`,
    ].join('\n'),
  );
  const baseUrl = `http://127.0.0.1:${port}`;
  return async (args: string[], { input, env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {}) =>
    await namerctl(t, ['dtab', ...args], { baseUrl, input, env });
}

test('a dtab and its past', async (t) => {
  const run = await startWithHistory(t);
  const lines = async (...args: string[]) => (await run(args)).stdout.trimEnd().split('\n');

  t.match(await run(['history', 'internal']), {
    code: 3,
    stdout: '',
    stderr: 'Create one: namerctl dtab create internal FILE',
  });
  await run(['create', 'internal', '-', '-m', 'begin'], { input: '/svc => /#/io.l5d.fs', env: { USER: 'eve' } });
  await run(['update', 'internal', '-'], {
    input: '/svc => /host ; /host => /#/io.l5d.fs',
    env: { GIT_AUTHOR_NAME: 'Ann Author', USER: 'eve', NAMERCTL_AUTHOR: '' },
  });
  await run(['update', 'internal', '-', '--author', 'Zoë', '--message', 'wörld\tand more'], {
    input: '/svc => /#/own',
  });

  const [newest = '', second = '', oldest = '', ...rest] = await lines('history', 'internal');
  t.match(newest, /^AAAAAAAAAAM= {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}Zoë \(unverified\) {2}wörld and more$/);
  t.match(second, /^AAAAAAAAAAI= {2}\S+ {2}Ann Author \(unverified\)$/);
  t.match(oldest, /^AAAAAAAAAAE= {2}\S+ {2}eve \(unverified\) {2}begin$/);
  t.same(rest, []);

  t.match(await run(['history', 'internal', '-n', '2', '-p']), {
    code: 0,
    stdout:
      /more\n-\/svc => \/host ;\n-\/host => \/#\/io\.l5d\.fs ;\n\+\/svc => \/#\/own ;\n\nAAAAAAAAAAI=.*\n-\/svc => \/#\/io\.l5d\.fs ;\n\+\/svc => \/host ;\n\+\/host => \/#\/io\.l5d\.fs ;\n\n$/,
  });
  t.match(JSON.parse((await run(['history', 'internal', '-n', '1', '-o', 'json'])).stdout), [
    { version: 'AAAAAAAAAAM=', author: 'Zoë', verified: false, dtab: [{ prefix: '/svc', dst: '/#/own' }] },
  ]);
  t.match(await run(['history', 'internal', '-n', 'x']), { code: 2, stderr: '--count must be' });
  t.match(await run(['history', 'intrenal']), { code: 3, stderr: 'Did you mean "internal"?' });
});

test('going back', async (t) => {
  const run = await startWithHistory(t);
  const versions = ['/svc => /#/one', '/svc => /#/two', '/svc => /#/three'];
  await run(['create', 'internal', '-'], { input: versions[0]! });
  for (const input of versions.slice(1)) await run(['update', 'internal', '-'], { input });
  const now = async () => (await run(['get', 'internal', '--pretty=false'])).stdout.trim();

  t.match(await run(['rollback', 'internal', '--dry-run']), {
    code: 0,
    stdout: '-/svc => /#/three ;\n+/svc => /#/two ;\nWould take internal back to version AAAAAAAAAAI=\n',
  });
  t.equal(await now(), '/svc=>/#/three;', 'nothing was changed');
  t.match(await run(['rollback', 'internal']), {
    code: 0,
    stdout: /\+\/svc => \/#\/two ;\nGoing back to version AAAAAAAAAAI=\nUpdated internal\n$/,
  });
  t.equal(await now(), '/svc=>/#/two;');
  t.match(await run(['rollback', 'internal', 'AAAAAAAAAAE', '-m', 'why']), { code: 0 }, 'padding may be left out');
  t.equal(await now(), '/svc=>/#/one;');
  const { stdout } = await run(['history', 'internal', '-n', '2', '-o', 'json']);
  t.match(JSON.parse(stdout), [{ message: 'why' }, { message: 'Roll back to version AAAAAAAAAAI=' }]);

  t.match(JSON.parse((await run(['rollback', 'internal', 'AAAAAAAAAAM=', '-o', 'json'])).stdout), {
    namespace: 'internal',
    to: 'AAAAAAAAAAM=',
    changed: true,
    version: 'AAAAAAAAAAY=',
    changes: [
      { op: 'removed', entry: '/svc => /#/one' },
      { op: 'added', entry: '/svc => /#/three' },
    ],
  });
  t.match(await run(['rollback', 'internal', 'AAAAAAAAAAM=']), {
    code: 0,
    stdout: 'internal is what it was at version AAAAAAAAAAM=\n',
  });
  t.match(await run(['rollback', 'internal', 'BBBB']), { code: 3, stderr: 'there is no version BBBB' });

  await run(['delete', 'internal', '-m', 'away']);
  t.match(await run(['history', 'internal', '-n', '1']), { stdout: / {2}deleted {2}away\n$/ });
  t.match(await run(['rollback', 'internal', 'AAAAAAAAAAc=']), { code: 2, stderr: 'is a deletion' });
  t.match(await run(['rollback', 'internal']), { code: 0, stdout: '+/svc => /#/three ;\nGoing back to version' });
  t.equal(await now(), '/svc=>/#/three;', 'a dtab that was deleted comes back');
});

test('a dtab of one version has nowhere to go back to', async (t) => {
  const run = await startWithHistory(t);
  await run(['create', 'internal', '-'], { input: '' });
  t.match(await run(['rollback', 'internal']), { code: 3, stderr: 'there is no earlier version' });
});

test('a namerd of another kind', async (t) => {
  const server = createServer(({ url }, response) =>
    url === '/api/1/dtabs' ? response.end('["internal"]') : response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const baseUrl = `http://127.0.0.1:${portOf(server)}`;
  t.match(await namerctl(t, ['dtab', 'history', 'internal'], { baseUrl }), {
    code: 3,
    stderr: '"internal" is there, but this namerd does not tell that',
  });
});

test('a storage that keeps no past', async (t) => {
  const forgetful: DtabStorage = Object.assign(new InMemoryStorage({ internal: Dtab.empty }), { history: undefined });
  const { url: baseUrl } = await startController(t, { storage: forgetful });
  for (const command of ['history', 'rollback']) {
    t.match(await namerctl(t, ['dtab', command, 'internal'], { baseUrl }), {
      code: 5,
      stderr: 'unexpected response: 501 Not Implemented\nnamerd says: The storage keeps no history',
    });
  }
});
