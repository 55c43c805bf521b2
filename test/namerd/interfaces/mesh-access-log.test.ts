// The access log of namerd's mesh interface: real calls, real files.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { test } from 'tap';
import { pending } from '../../../src/live/index.ts';
import { exchangeReceipts, meshMethods } from '../../../src/mesh/index.ts';
import { Dtab, Path } from '../../../src/naming/index.ts';
import { eventually } from '../../support/eventually.ts';
import { MeshClient } from '../../support/mesh-client.ts';
import { startTestNamerd } from '../../support/mesh-server.ts';
import { startNamerd } from '../../support/namerd.ts';
import { freePorts } from '../../support/ports.ts';
import { runProgram } from '../../support/program.ts';
import { tempDir, tempFile } from '../../support/temp-dir.ts';

const { getBoundTree, streamBoundTree, readPath } = meshMethods;
const root = Path.parse('/default');
const web = Path.parse('/svc/web');
const dtabs = { default: Dtab.parse('/svc => /#/test') };

/** The log's lines, without what differs from run to run. */
function linesOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  if (text !== '') return text.slice(0, -1).split('\n').map(generalized);
  return [];
}

function generalized(line: string): string {
  return line
    .replace(/^127\.0\.0\.1:\d+/, 'HOST')
    .replace(/\[\d\d\/\d\d\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]/, '[TIME]')
    .replace(/"grpc-node-js\/[\d.]+"$/, '"AGENT"');
}

const lineOf = (method: { readonly path: string }, code: number | '-' = 200): string =>
  `HOST 127.0.0.1 - - [TIME] "POST ${method.path} HTTP/2" ${code} - "-" "AGENT"`;

test('a line for every call that is over, none for one that goes on', async (t) => {
  const h2AccessLog = join(tempDir(t), 'logs', 'mesh.log');
  const namerd = await startTestNamerd(t, { dtabs, config: { h2AccessLog } });
  namerd.namer.bind('/web');
  const client = new MeshClient(t, namerd.port);
  const expected: string[] = [];
  const told = async (line: string) => {
    expected.push(line);
    await eventually(() => linesOf(h2AccessLog).length >= expected.length, line);
    t.same(linesOf(h2AccessLog), expected);
  };

  await client.get(readPath, '/a');
  await told(lineOf(readPath));
  await client.get(getBoundTree, { root, name: web });
  await told(lineOf(getBoundTree));
  t.equal((await client.refusal(readPath, 'a'))[0], status.INVALID_ARGUMENT);
  await told(lineOf(readPath));

  const followed = client.stream(streamBoundTree, { root, name: web });
  await followed.until(({ type }) => type === 'leaf');
  const refused = client.stream(streamBoundTree, { name: web });
  t.match(await refused.ended(), { code: status.INVALID_ARGUMENT });
  await told(lineOf(streamBoundTree));
  followed.cancel();
  await told(lineOf(streamBoundTree));

  namerd.namer.answer('/slow', pending());
  const waiting = client.get(getBoundTree, { root, name: Path.parse('/svc/slow') });
  await eventually(() => namerd.namer.asked.includes('/slow'));
  client.close();
  await t.rejects(waiting);
  await told(lineOf(getBoundTree, '-'));
});

test('who calls, and as what, is written so that nobody can forge a line', async (t) => {
  const h2AccessLog = join(tempDir(t), 'mesh.log');
  const namerd = await startTestNamerd(t, { dtabs, config: { ip: '::', h2AccessLog } });
  const session = connect(`http://127.0.0.1:${namerd.port}`);
  t.teardown(() => session.destroy());
  const call = session.request({
    ':method': 'POST',
    ':path': readPath.path,
    ':authority': 'namerd.example',
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'me" 200 - "',
    referer: 'http://a/b',
  });
  call.resume().end(Buffer.alloc(5));
  await once(call, 'close');
  await eventually(() => linesOf(h2AccessLog).length === 1);
  t.match(linesOf(h2AccessLog), [
    `namerd.example 127.0.0.1 - - [TIME] "POST ${readPath.path} HTTP/2" 200 - "http://a/b" "me\\x22 200 - \\x22"`,
  ]);
});

test('what an earlier run wrote is rolled, and the rolled files are bounded', async (t) => {
  const directory = tempDir(t);
  const h2AccessLog = join(directory, 'mesh.log');
  writeFileSync(h2AccessLog, 'yesterday\n');
  utimesSync(h2AccessLog, 1_000_000_000, 1_000_000_000);
  writeFileSync(join(directory, 'mesh-20000101.log'), 'long ago\n');
  const config = { h2AccessLog, h2AccessLogRollPolicy: 'daily', h2AccessLogRotateCount: 1 };
  const namerd = await startTestNamerd(t, { dtabs, config });
  await new MeshClient(t, namerd.port).get(readPath, '/a');
  // Between the old file's new name and the new file there is none.
  await eventually(() => existsSync(h2AccessLog) && readFileSync(h2AccessLog, 'utf8').startsWith('127'));
  await eventually(() => readdirSync(directory).length === 2);
  t.match(readdirSync(directory).sort(), [/^mesh-200109\d\d.log$/, 'mesh.log']);
  t.same(linesOf(h2AccessLog), [lineOf(readPath)]);
});

test('two interfaces write one file', async (t) => {
  const h2AccessLog = join(tempDir(t), 'mesh.log');
  const config = { h2AccessLog };
  const [one, two] = [await startTestNamerd(t, { config }), await startTestNamerd(t, { config })];
  for (const { port } of [one, two]) await new MeshClient(t, port).get(readPath, '/a');
  await one.close(1000);
  await new MeshClient(t, two.port).get(readPath, '/a');
  await two.close(1000);
  t.same(linesOf(h2AccessLog), [lineOf(readPath), lineOf(readPath), lineOf(readPath)]);
});

test('namerd writes the last lines when it stops', async (t) => {
  const h2AccessLog = tempFile(t, 'mesh.log', 'an earlier run\n');
  const [admin, port] = await freePorts(2);
  const config = (append: boolean): string => `
admin: {port: ${admin}}
storage: {kind: io.l5d.inMemory, namespaces: {default: /svc => /$/inet/127.1/80}}
interfaces: [{kind: io.l5d.mesh, port: ${port}, h2AccessLog: ${h2AccessLog}, h2AccessLogAppend: ${append}}]
`;
  for (const append of [true, false]) {
    const running = await startNamerd(t, config(append));
    const client = new MeshClient(t, port!);
    await client.stream(streamBoundTree, { root, name: web }).until(({ type }) => type === 'leaf');
    const exchange = client.exchange(
      exchangeReceipts.path,
      exchangeReceipts.request.encode,
      exchangeReceipts.response.decode,
    );
    exchange.send({ hello: { name: 'host', router: 'http', namespace: 'default' } });
    await eventually(() => exchange.messages.length > 0);
    t.match(await running.stop(), { code: 0 });
    client.close();
    t.same(
      linesOf(h2AccessLog).sort(),
      [...(append ? ['an earlier run'] : []), lineOf(streamBoundTree), lineOf(exchangeReceipts)].sort(),
    );
  }
});

test('a namerd whose port is taken leaves the log of the one that has it alone', async (t) => {
  const h2AccessLog = tempFile(t, 'mesh.log', 'an earlier run\n');
  const config = { h2AccessLog, h2AccessLogAppend: false };
  const running = await startTestNamerd(t, { config });
  t.equal(readFileSync(h2AccessLog, 'utf8'), '', 'emptied at the start, not by the first call');
  await new MeshClient(t, running.port).get(readPath, '/a');
  await eventually(() => linesOf(h2AccessLog).length === 1);
  const [admin] = await freePorts(1);
  const second = `
admin: {port: ${admin}}
storage: {kind: io.l5d.inMemory}
interfaces: [{kind: io.l5d.mesh, port: ${running.port}, h2AccessLog: ${h2AccessLog}, h2AccessLogAppend: false}]
`;
  const { exited } = runProgram(t, 'namerd/main.ts', [tempFile(t, 'namerd.yaml', second)]);
  t.match(await exited, { code: 1, stderr: /another process listens there already/ });
  t.same(linesOf(h2AccessLog), [lineOf(readPath)]);
});

test('a disk that takes nothing does not keep namerd from answering, nor from ending', async (t) => {
  const h2AccessLog = join(tempDir(t), 'pipe');
  execFileSync('mkfifo', [h2AccessLog]);
  const reader = openSync(h2AccessLog, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const [admin, port] = await freePorts(2);
  const running = await startNamerd(
    t,
    `admin: {port: ${admin}}\nstorage: {kind: io.l5d.inMemory}\ninterfaces: [{kind: io.l5d.mesh, port: ${port}, h2AccessLog: ${h2AccessLog}}]\n`,
  );
  const client = new MeshClient(t, port!);
  // More lines than a pipe holds.
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 100 }, () => client.get(readPath, '/a')));
  }
  client.close();
  const { code, stderr } = await running.stop();
  t.equal(code, 0);
  t.match(stderr, /an access log has trouble: it takes nothing/);
});
