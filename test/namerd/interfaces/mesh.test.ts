// io.l5d.mesh of namerd, asked over real connections.

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { test } from 'tap';
import { failed, pending } from '../../../src/live/index.ts';
import { meshMethods } from '../../../src/mesh/index.ts';
import { type BoundId, Dtab, type NameTree, Path, parseTree, showTree } from '../../../src/naming/index.ts';
import { eventually } from '../../support/eventually.ts';
import { MeshClient } from '../../support/mesh-client.ts';
import { startTestNamerd } from '../../support/mesh-server.ts';

const {
  getBoundTree,
  streamBoundTree,
  getReplicas,
  streamReplicas,
  getDtab,
  streamDtab,
  getDelegateTree,
  streamDelegateTree,
  readDtab,
  readPath,
  showDtab,
  showPath,
} = meshMethods;

const root = Path.parse('/default');
const web = Path.parse('/svc/web');
const dtabs = { default: Dtab.parse('/svc => /#/test') };
const show = (tree: NameTree<BoundId>): string => showTree(mapTree(tree));

function mapTree(tree: NameTree<BoundId>): NameTree<Path> {
  switch (tree.type) {
    case 'leaf':
      return { type: 'leaf', value: tree.value.id.concat(tree.value.residual) };
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(mapTree) };
    case 'union':
      return { type: 'union', trees: tree.trees.map(({ weight, tree: child }) => ({ weight, tree: mapTree(child) })) };
    default:
      return tree;
  }
}

/** A stream of a bound tree, for messages that no client of ours would send. */
function callForTree(session: ClientHttp2Session): ClientHttp2Stream {
  return session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: streamBoundTree.path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
}

function framed(request: Parameters<typeof streamBoundTree.request.encode>[0]): Buffer {
  const body = streamBoundTree.request.encode(request);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(body.length, 1);
  return Buffer.concat([frame, body]);
}

test('a name is bound by the dtab of its namespace, and again when that changes', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.bind('/v2');
  const client = new MeshClient(t, namerd.port);
  t.equal(show(await client.get(getBoundTree, { root, name: web })), '/#/test/web');

  const stream = client.stream(streamBoundTree, { root, name: web });
  await stream.until((tree) => show(tree) === '/#/test/web');
  await namerd.storage.put('default', Dtab.parse('/svc/web => 1 * /#/test/web & 3 * /#/test/v2'), {});
  await stream.until((tree) => show(tree) === '/#/test/web & 3.00*/#/test/v2');
  t.equal(stream.messages.length, 2, 'one message for each state');

  await namerd.storage.delete('default', {});
  await stream.until((tree) => tree.type === 'neg');
  t.equal(show(await client.get(getBoundTree, { root, name: web })), '~', 'an unknown namespace is an empty dtab');
  const extra = Dtab.parse('/svc => /#/test');
  t.equal(
    show(await client.get(getBoundTree, { root, name: web, dtab: extra })),
    '/#/test/web',
    "by the caller's dtab",
  );
});

test("the caller's dtab is appended, and so wins", async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.bind('/v2');
  const client = new MeshClient(t, namerd.port);
  const dtab = Dtab.parse('/svc/web => /#/test/v2');
  t.equal(show(await client.get(getBoundTree, { root, name: web, dtab })), '/#/test/v2');
});

test('a get waits for the first answer; a stream says nothing until there is one', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.answer('/web', pending());
  const client = new MeshClient(t, namerd.port);
  const got = client.get(getBoundTree, { root, name: web });
  const stream = client.stream(streamBoundTree, { root, name: web });
  await eventually(() => namerd.state()['streams'] === 1);
  t.same(stream.messages, []);
  namerd.namer.bind('/web');
  t.equal(show(await got), '/#/test/web');
  await stream.until((tree) => show(tree) === '/#/test/web');
});

test('what fails is told, and a good tree is kept while its namer fails', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs: { default: Dtab.parse('/svc => /#/test; /a => /b; /b => /a') } });
  const client = new MeshClient(t, namerd.port);
  t.same(await client.refusal(getBoundTree, { root, name: Path.parse('/a') }), [
    status.INTERNAL,
    'Max recursion level: 100 reached in Namer lookup',
  ]);
  const stream = client.stream(streamBoundTree, { root, name: Path.parse('/a') });
  t.match(await stream.ended(), { code: status.INTERNAL, details: /Max recursion level/ });

  namerd.namer.bind('/web');
  const good = client.stream(streamBoundTree, { root, name: web });
  await good.until((tree) => show(tree) === '/#/test/web');
  namerd.namer.answer('/web', failed(new Error('consul is away')));
  namerd.namer.bind('/other');
  // Another answer of the same namer says that the failure has been seen.
  t.equal(show(await client.get(getBoundTree, { root, name: Path.parse('/svc/other') })), '/#/test/other');
  t.equal(good.messages.length, 1);
  t.equal(good.error, null);
  t.equal(show(await client.get(getBoundTree, { root, name: web })), '/#/test/web');
});

test('requests that ask for nothing are refused as the original refuses them', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  const client = new MeshClient(t, namerd.port);
  const noRoot = [status.INVALID_ARGUMENT, 'No namespace specified'];
  const noName = [status.NOT_FOUND, 'No name given'];
  const badRoot = [status.INVALID_ARGUMENT, 'Invalid root: `/a/b` must have exactly one segment'];
  const ab = Path.parse('/a/b');
  for (const method of [getBoundTree, streamBoundTree]) {
    const refused = (request: Parameters<typeof method.request.encode>[0]) => client.refusal(method, request);
    t.same(await refused({ name: web }), noRoot);
    t.same(await refused({ root }), noName);
    t.same(await refused({ root, name: Path.empty }), noName);
    t.same(await refused({ root: ab, name: web }), badRoot);
    t.same(await refused({ root: Path.empty, name: web }), [
      status.INVALID_ARGUMENT,
      'Invalid root: `/` must have exactly one segment',
    ]);
  }
  t.same(await client.refusal(getDelegateTree, { tree: parseTree('/svc/web') }), noRoot);
  t.same(await client.refusal(getDelegateTree, { root }), noName);
  t.same(await client.refusal(getDelegateTree, { root: ab, tree: parseTree('/svc/web') }), badRoot);
  t.same(await client.refusal(getDtab, undefined), noRoot);
  t.same(await client.refusal(getDtab, ab), badRoot);
  t.same(await client.refusal(getDtab, Path.parse('/nosuch')), [status.NOT_FOUND, 'Root not found']);
  t.same(await client.get(getReplicas, undefined), { state: 'failed', cause: 'No ID provided' });
  t.same(await client.get(getReplicas, Path.empty), { state: 'failed', cause: 'No ID provided' });
});

test('bytes that are no request are refused, and the connection goes on', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  const client = new MeshClient(t, namerd.port);
  const garbage = {
    ...getBoundTree,
    request: { encode: () => Buffer.from('0a05', 'hex'), decode: getBoundTree.request.decode },
  };
  t.same(await client.refusal(garbage, {}), [status.INVALID_ARGUMENT, 'the message ends within a field']);
  t.same(
    (await client.refusal({ ...garbage, path: '/io.linkerd.mesh.Interpreter/NoSuch' }, {}))[0],
    status.UNIMPLEMENTED,
  );
  namerd.namer.bind('/web');
  t.equal(show(await client.get(getBoundTree, { root, name: web })), '/#/test/web');
});

test('what is answered by a stream is asked by one message', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const session = connect(`http://127.0.0.1:${namerd.port}`);
  t.teardown(() => session.destroy());
  const one = framed({ root, name: web });
  for (const sent of [Buffer.alloc(0), Buffer.concat([one, one])]) {
    const call = callForTree(session);
    const ends: unknown[] = [];
    const onHeaders = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) ends.push(Number(headers['grpc-status']));
    };
    call.on('response', onHeaders).on('trailers', onHeaders).resume();
    call.end(sent);
    await once(call, 'close');
    t.same(ends, [status.UNIMPLEMENTED]);
  }
  t.equal(namerd.state()['streams'], 0);
});

test('the addresses of a bound id', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web', 8080);
  const client = new MeshClient(t, namerd.port);
  const one = { state: 'bound', endpoints: [{ host: '127.0.0.1', port: 8080, weight: 1 }] };
  t.same(await client.get(getReplicas, Path.parse('/#/test/web')), one);
  const transformed = Path.parse('/%/io.l5d.port/4141/%/io.l5d.localhost/#/test/web');
  t.same(await client.get(getReplicas, transformed), one, "transformers' prefixes are not the namer's");

  const stream = client.stream(streamReplicas, Path.parse('/#/test/web'));
  await stream.until((addr) => addr.state === 'bound');
  const two = [
    { host: '10.1.2.3', port: 1, weight: 0.5, meta: { nodeName: 'node-1', zone: 'a' } },
    { host: '2001:db8::7', port: 65_535, weight: 1 },
  ];
  namerd.namer.addr('/web', { state: 'bound', endpoints: two, meta: { authority: 'web.example' } });
  t.same(await stream.until((addr) => addr.state === 'bound' && addr.endpoints.length === 2), {
    state: 'bound',
    endpoints: two,
    meta: { authority: 'web.example' },
  });
  namerd.namer.addr('/web', { state: 'pending' });
  namerd.namer.addr('/web', { state: 'failed', cause: 'gone' });
  await stream.until((addr) => addr.state === 'failed' && addr.cause === 'gone');
  namerd.namer.addr('/web', { state: 'neg' });
  await stream.until((addr) => addr.state === 'neg');
  t.notOk(
    stream.messages.some((addr) => addr.state === 'pending'),
    'a client keeps what it has while nothing better is known',
  );

  t.same(await client.get(getReplicas, Path.parse('/#/test/nosuch')), { state: 'neg' });
  namerd.namer.answer('/many', parseTree('/#/test/web & /#/test/web') as never);
  t.match(await client.get(getReplicas, Path.parse('/#/test/many')), {
    state: 'failed',
    cause: '/#/test/many is not a concrete bound id',
  });
  t.match(await client.get(getReplicas, Path.parse('/$/nosuch')), { state: 'failed', cause: /Unknown namer/ });
});

test('dtabs with their versions', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  const client = new MeshClient(t, namerd.port);
  const first = await client.get(getDtab, root);
  t.equal(first.dtab.show(), '/svc=>/#/test');
  t.equal(Buffer.from(first.version).toString('base64'), 'AAAAAAAAAAE=');
  const stream = client.stream(streamDtab, root);
  await stream.until(({ dtab }) => dtab.show() === '/svc=>/#/test');
  await namerd.storage.put('default', Dtab.parse('/a => /b'), {});
  const second = await stream.until(({ dtab }) => dtab.show() === '/a=>/b');
  t.equal(Buffer.from(second.version).toString('base64'), 'AAAAAAAAAAI=');
  await namerd.storage.delete('default', {});
  t.match(await stream.ended(), { code: status.NOT_FOUND, details: 'Root not found' });
});

test('delegations', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const client = new MeshClient(t, namerd.port);
  const tree = await client.get(getDelegateTree, { root, tree: parseTree('/svc/web') });
  t.match(tree, { type: 'delegate', tree: { type: 'leaf' } });
  t.equal(tree.path.show(), '/svc/web');
  const step = tree.type === 'delegate' ? tree.tree : undefined;
  t.equal(step?.dentry?.show(), '/svc=>/#/test');
  t.equal(step?.type === 'leaf' && step.bound.id.show(), '/#/test/web');

  const union = await client.get(getDelegateTree, { root, tree: parseTree('0.5 * /svc/web & 0.5 * /nosuch | !') });
  t.match(union, {
    type: 'alt',
    trees: [{ type: 'union', trees: [{ weight: 0.5 }, { tree: { type: 'neg' } }] }, { type: 'fail' }],
  });
  t.match(await client.get(getDelegateTree, { root, tree: parseTree('~') }), { type: 'neg' });

  const stream = client.stream(streamDelegateTree, { root, tree: parseTree('/svc/web') });
  await stream.until(({ type }) => type === 'delegate');
  await namerd.storage.put('default', Dtab.parse('/x => /y'), {});
  await stream.until(({ type }) => type === 'neg');
});

test('the codec', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  const client = new MeshClient(t, namerd.port);
  t.equal((await client.get(readDtab, '/a => 0.5*/b & /c ; /* => !'))?.show(), '/a=>0.50*/b & /c;/*=>!');
  t.equal((await client.get(readDtab, undefined))?.show(), '');
  t.same(await client.refusal(readDtab, '/a => '), [
    status.INVALID_ARGUMENT,
    (() => {
      try {
        Dtab.parse('/a => ');
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })(),
  ]);
  t.equal((await client.get(readPath, '/a/\\x20'))?.show(), '/a/\\x20');
  t.equal((await client.refusal(readPath, 'a'))[0], status.INVALID_ARGUMENT);
  t.equal(await client.get(showPath, Path.parse('/a/b')), '/a/b');
  t.equal(await client.get(showPath, undefined), undefined);
  t.equal(await client.get(showDtab, Dtab.parse('/a=>/b')), '/a=>/b');
});

test('however many follow a name, it is watched once, and not for longer than they do', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.bind('/v2');
  const clients = Array.from({ length: 5 }, () => new MeshClient(t, namerd.port));
  const streams = clients.flatMap((client) =>
    Array.from({ length: 4 }, () => client.stream(streamBoundTree, { root, name: web })),
  );
  for (const stream of streams) await stream.until((tree) => show(tree) === '/#/test/web');
  t.equal(namerd.namer.asked.filter((path) => path === '/web').length, 1);
  t.match(namerd.state(), { connections: 5, streams: 20, watched: 1 });

  await namerd.storage.put('default', Dtab.parse('/svc/web => /#/test/v2; /other => /x'), {});
  for (const stream of streams) await stream.until((tree) => show(tree) === '/#/test/v2');
  await namerd.storage.put('default', Dtab.parse('/svc/web => /#/test/v2; /other => /y'), {});
  await namerd.storage.put('default', Dtab.parse('/svc/web => /#/test/web'), {});
  for (const stream of streams) await stream.until((tree) => show(tree) === '/#/test/web');
  t.same(
    new Set(streams.map(({ messages }) => messages.length)),
    new Set([3]),
    'what is none of its changes is not sent',
  );

  for (const stream of streams.slice(1)) stream.cancel();
  await eventually(() => namerd.state()['streams'] === 1);
  t.equal(namerd.state()['watched'], 1);
  for (const client of clients) client.close();
  streams[0]?.cancel();
  await eventually(() => namerd.state()['watched'] === 0);
});

test('a client that does not read gets the newest state when it does, and nothing is kept for it meanwhile', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  // A window of one byte: the first message can't be sent whole.
  const session = connect(`http://127.0.0.1:${namerd.port}`, { settings: { initialWindowSize: 1 } });
  t.teardown(() => session.destroy());
  const request = callForTree(session);
  request.end(framed({ root, name: web }));
  const reader = new MeshClient(t, namerd.port).stream(streamBoundTree, { root, name: web });
  await eventually(() => namerd.state()['streams'] === 2);
  const updates = 200;
  for (let i = 1; i <= updates; i++) {
    namerd.namer.bind(`/v${i}`);
    await namerd.storage.put('default', Dtab.parse(`/svc/web => /#/test/v${i}`), {});
    await reader.until((tree) => show(tree) === `/#/test/v${i}`);
  }
  t.equal(namerd.state()['streams'], 2, 'it is not cut off either');

  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  const messages = (): string[] => {
    const bytes = Buffer.concat(chunks);
    const found: string[] = [];
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 5 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      found.push(show(streamBoundTree.response.decode(bytes.subarray(at + 5, end))));
      at = end;
    }
    return found;
  };
  await eventually(() => messages().at(-1) === `/#/test/v${updates}`);
  t.ok(messages().length <= 3, `${messages().length} messages`);
});

test('streams end when namerd stops, so that clients look elsewhere', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const client = new MeshClient(t, namerd.port);
  const stream = client.stream(streamBoundTree, { root, name: web });
  await stream.until((tree) => show(tree) === '/#/test/web');
  const closed = namerd.close(10_000);
  t.match(await stream.ended(), { code: status.UNAVAILABLE, details: 'namerd is stopping' });
  client.close();
  await closed;
});
