// `dtab update --wait` and `dtab receipts`, with Signposts that report to the namerd in the test's process.
import { createServer } from 'node:http';
import { test } from 'tap';
import { counterVersion } from '../../../namerd/storage/versions.ts';
import { startController } from '../../support/controller.ts';
import { namerctl, startNamerctl } from '../../support/namerctl.ts';
import { portOf } from '../../support/ports.ts';
import { until } from '../../support/until.ts';

const DTAB = '/svc => /#/io.l5d.fs';

async function startWithSignposts(t: Parameters<typeof startController>[0]) {
  const controller = await startController(t, { namespaces: { internal: DTAB, other: DTAB } });
  const connect = (name: string, router = 'out') => controller.receipts.open({ name, router, namespace: 'internal' });
  return { ...controller, connect };
}

test('update --wait ends when the version has arrived everywhere', async (t) => {
  const { url: baseUrl, storage, connect } = await startWithSignposts(t);
  const a = connect('host-a:9990');
  const b = connect('host-b:9990', 'in');
  for (const signpost of [a, b]) signpost.report({ state: 'serving', version: counterVersion(1) });
  const updating = startNamerctl(t, ['dtab', 'update', 'internal', '-', '--wait'], { baseUrl, input: `${DTAB} ;` });
  await updating.printed(/^Updated internal$/m);
  await until(() => storage.observe('internal').value.value?.version.at(-1) === 2);
  await until(() => updating.errorsSoFar().includes('waiting: 2 old\n'));
  a.report({ state: 'serving', version: counterVersion(2) });
  b.report({ state: 'idle', version: counterVersion(2) });
  const { code, stdout, stderr } = await updating.exited;
  t.equal(code, 0);
  t.match(
    stdout,
    /^Updated internal\nVersion AAAAAAAAAAI= has arrived everywhere: 1 serving, 1 idle\n {2}host-a:9990 out: serving since \S+Z, version AAAAAAAAAAI=\n {2}host-b:9990 in: idle since \S+Z, version AAAAAAAAAAI=\n$/,
  );
  t.notOk(stderr.includes('Error'));
});

test('update --wait=TIMEOUT ends with 1 when it has not', async (t) => {
  const { url: baseUrl, connect } = await startWithSignposts(t);
  const old = connect('host-a:9990');
  old.report({ state: 'serving', version: counterVersion(1) });
  connect('host-b:9990').report({
    state: 'old',
    version: counterVersion(1),
    received: counterVersion(2),
    waiting: ['/svc/web: no answer from its namer'],
  });
  const cut = connect('host-c:9990');
  cut.report({ state: 'serving', version: counterVersion(1) });
  cut.disconnect();
  const gone = connect('host-d:9990');
  gone.leave();
  const { code, stdout } = await namerctl(t, ['dtab', 'update', 'internal', '-', '--wait=50ms'], {
    baseUrl,
    input: DTAB,
  });
  t.equal(code, 1);
  t.match(stdout, /^Updated internal\nVersion AAAAAAAAAAI= has not arrived everywhere: 2 old, 1 disconnected\n/);
  t.match(stdout, /^ {2}host-a:9990 out: old since \S+Z, version AAAAAAAAAAE=$/m);
  t.match(stdout, /^ {2}host-b:9990 out: old .*\n {4}waits for \/svc\/web: no answer from its namer$/m);
  t.match(stdout, /^ {2}host-c:9990 out: disconnected since \S+Z, version AAAAAAAAAAE= when last seen$/m);
  t.notMatch(stdout, 'host-d', 'whoever left on purpose is not waited for');

  const json = await namerctl(t, ['dtab', 'update', 'internal', '-', '--wait=0', '-o', 'json'], {
    baseUrl,
    input: DTAB,
  });
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), {
    namespace: 'internal',
    version: 'AAAAAAAAAAM=',
    arrival: {
      version: 'AAAAAAAAAAM=',
      arrived: false,
      signposts: [{ state: 'old' }, { state: 'old' }, { state: 'disconnected' }],
    },
  });
});

test('--allow-disconnected', async (t) => {
  const { url: baseUrl, connect } = await startWithSignposts(t);
  const cut = connect('host-a:9990');
  cut.report({ state: 'serving', version: counterVersion(1) });
  cut.disconnect();
  const update = (...args: string[]) =>
    namerctl(t, ['dtab', 'update', 'internal', '-', ...args], { baseUrl, input: DTAB });
  t.match(await update('--wait=50ms'), { code: 1 });
  t.match(await update('--wait', '--allow-disconnected'), {
    code: 0,
    stdout: 'has arrived everywhere: 1 disconnected\n  host-a:9990 out: disconnected',
  });
});

test('nobody to wait for, and times that are none', async (t) => {
  const { url: baseUrl } = await startWithSignposts(t);
  const update = (...args: string[]) =>
    namerctl(t, ['dtab', 'update', 'other', '-', ...args], { baseUrl, input: DTAB });
  t.match(await update('--wait'), {
    code: 0,
    stdout: 'Updated other\nNo Signpost has used this dtab in the last hour: version AAAAAAAAAAI= is everywhere\n',
  });
  t.match(await update('--wait=soon'), { code: 255, stdout: '--wait must be a time such as 30s or 2m, not "soon"\n' });
  t.match(
    await update('--wait', '10'),
    { code: 255, stdout: 'update requires a name and file path\n' },
    'written with =',
  );
  const { stdout } = await namerctl(t, ['dtab', 'get', 'other'], { baseUrl });
  t.match(stdout, '# version AAAAAAAAAAI=', 'a wrong command line writes nothing');
});

test('receipts: where a version is', async (t) => {
  const { url: baseUrl, storage, connect } = await startWithSignposts(t);
  const signpost = connect('host-a:9990');
  signpost.report({ state: 'serving', version: counterVersion(1) });
  const receipts = (...args: string[]) => namerctl(t, ['dtab', 'receipts', ...args], { baseUrl });
  t.match(await receipts('internal'), { code: 0, stdout: 'Version AAAAAAAAAAE= has arrived everywhere: 1 serving\n' });
  const { dtab } = storage.observe('internal').value.value!;
  await storage.put('internal', dtab, {});
  t.match(await receipts('internal'), { code: 1, stdout: 'Version AAAAAAAAAAI= has not arrived everywhere: 1 old\n' });
  t.match(await receipts('internal', 'AAAAAAAAAAE='), { code: 0 });
  const json = await receipts('internal', '-o', 'json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), {
    namespace: 'internal',
    arrived: false,
    signposts: [{ name: 'host-a:9990', router: 'out' }],
  });
  t.match(await receipts('intrenal'), { code: 3, stderr: 'Did you mean "internal"?' });
});

test('edit and rollback wait too', async (t) => {
  const { url: baseUrl, connect } = await startWithSignposts(t);
  connect('host-a:9990').report({ state: 'serving', version: counterVersion(1) });
  const env = { EDITOR: "sed -i 's/fs/other/'" };
  t.match(await namerctl(t, ['dtab', 'edit', 'internal', '--wait=0'], { baseUrl, env }), {
    code: 1,
    stdout: 'Updated internal\nVersion AAAAAAAAAAI= has not arrived everywhere: 1 old\n',
  });
  t.match(await namerctl(t, ['dtab', 'rollback', 'internal', '--wait=0'], { baseUrl }), {
    code: 1,
    stdout: 'Updated internal\nVersion AAAAAAAAAAM= has not arrived everywhere: 1 old\n',
  });
});

test('a namerd that knows nothing of receipts', async (t) => {
  const server = createServer(({ method }, response) => response.writeHead(method === 'PUT' ? 204 : 404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const baseUrl = `http://127.0.0.1:${portOf(server)}`;
  const { code, stdout, stderr } = await namerctl(t, ['dtab', 'update', 'internal', '-', '--wait'], {
    baseUrl,
    input: DTAB,
  });
  t.equal(code, 255);
  t.match(stdout, /^Updated internal\nthis namerd does not know where versions arrive\n$/);
  t.match(stderr, 'The dtab was written');
});
