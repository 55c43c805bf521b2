// signpost.receipt.v1: what Signposts tell namerd of the versions that their traffic goes by, over real connections.
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { test } from 'tap';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import type { Version } from '../../namerd/storage/storage.ts';
import { pending } from '../../src/live/index.ts';
import { exchangeReceipts, type FromNamerd, type FromSignpost, meshMethods } from '../../src/mesh/index.ts';
import { Dtab, Path } from '../../src/naming/index.ts';
import { eventually } from '../support/eventually.ts';
import { MapNamer } from '../support/map-namer.ts';
import { MeshClient } from '../support/mesh-client.ts';
import { startTestNamerd, type TestNamerd } from '../support/mesh-server.ts';
import { startInterpreter } from '../support/remote-interpreter.ts';

const dtabs = { default: Dtab.parse('/svc => /#/test') };
const LONG_MS = 20_000;

const write = async ({ storage }: TestNamerd, dtab: string): Promise<Version> => {
  const written = await storage.put('default', Dtab.parse(dtab), {});
  if (written.type !== 'written') throw new Error(written.type);
  return written.version;
};

const rows = async ({ receipts }: TestNamerd, version: Version, waitMs = LONG_MS) => {
  const { arrived, signposts } = await receipts.arrival('default', version, waitMs);
  return { arrived, rows: signposts.map(({ name, router, state }) => `${name} ${router} ${state}`) };
};

test('a version has arrived when every binding is at it', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  for (const name of ['/web', '/api', '/v2']) namerd.namer.bind(name);
  const first = namerd.storage.observe('default').value.value!.version;
  const busy = startInterpreter(t, { ports: [namerd.port], name: 'busy:9990', router: 'in' });
  const names = ['/svc/web', '/svc/api'].map((path) => busy.watch(path));
  const failing = busy.watch('/svc/nosuch', '/x => /x/x');
  const idle = startInterpreter(t, { ports: [namerd.port], name: 'idle:9990', router: 'in' });
  idle.interpreter.start();
  await eventually(() => namerd.receipts.connected === 2);
  t.same(await rows(namerd, first), { arrived: true, rows: ['busy:9990 in serving', 'idle:9990 in idle'] });

  // One binding gets another tree, one the same.
  const second = await write(namerd, '/svc => /#/test; /svc/web => /#/test/v2');
  t.same(await rows(namerd, second), { arrived: true, rows: ['busy:9990 in serving', 'idle:9990 in idle'] });
  t.equal(names[0]?.shown, '/#/test/v2');
  // None of the trees changes.
  const third = await write(namerd, '/svc => /#/test; /svc/web => /#/test/v2; /other => /x');
  t.equal((await rows(namerd, third)).arrived, true);
  await failing.until('~');

  busy.interpreter.leave();
  idle.interpreter.leave();
  await eventually(() => namerd.receipts.connected === 0);
  t.same(await rows(namerd, third), { arrived: true, rows: [] }, 'who leaves does not count');
});

test('a version has not arrived while a worker goes by the one before it', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.bind('/v2');
  const first = namerd.storage.observe('default').value.value!.version;
  let apply: (() => void) | null = null;
  let isStuck = false;
  const applied = () => (isStuck ? new Promise<void>((resolve) => (apply = resolve)) : Promise.resolve());
  const { watch } = startInterpreter(t, { ports: [namerd.port], applied });
  const web = watch('/svc/web');
  t.equal((await rows(namerd, first)).arrived, true);
  isStuck = true;
  const second = await write(namerd, '/svc/web => /#/test/v2');
  await web.until('/#/test/v2');
  await eventually(() => apply !== null);
  t.same(await rows(namerd, second, 0), { arrived: false, rows: ['test:1 test old'] });
  isStuck = false;
  (apply as unknown as () => void)();
  t.same(await rows(namerd, second), { arrived: true, rows: ['test:1 test serving'] });
});

test('a version has not arrived while a name can not be bound by it, and it is told why', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.answer('/slow', pending());
  const first = namerd.storage.observe('default').value.value!.version;
  const { watch } = startInterpreter(t, { ports: [namerd.port] });
  const web = watch('/svc/web');
  watch('/svc/slow');
  await web.until('/#/test/web');
  t.equal((await rows(namerd, first)).arrived, true, 'a name that was never bound goes by nothing old');
  const second = await write(namerd, '/svc => /#/test/slow');
  namerd.namer.answer('/slow/web', pending());
  namerd.namer.answer('/slow/slow', pending());
  namerd.namer.answer('/slow/web', { phase: 'failed', error: new Error('consul is away'), since: 0 });
  await eventually(async () => {
    const { signposts } = await namerd.receipts.arrival('default', second);
    return signposts[0]?.waiting?.[0] === '/svc/web: consul is away';
  });
  t.match(await namerd.receipts.arrival('default', second), {
    arrived: false,
    signposts: [{ state: 'old', version: Buffer.from(first).toString('base64') }],
  });
  t.equal(web.shown, '/#/test/web', 'as its traffic does');
  namerd.namer.bind('/slow/web');
  t.equal((await rows(namerd, second)).arrived, true);
});

test('it does not matter which namerd the trees come from', async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  const names = Array.from({ length: 6 }, (_, i) => `/n${i}`);
  for (const name of [...names, '/v2']) namer.bind(name);
  const [one, two] = await Promise.all([0, 1].map(() => startTestNamerd(t, { storage, namer })));
  const { watch, interpreter, state } = startInterpreter(t, { ports: [one!.port, two!.port] });
  interpreter.start();
  await eventually(() => state().namerds.filter(({ up }) => up).length === 2);
  const watched = names.map((name) => watch(`/svc${name}`));
  for (const [i, name] of watched.entries()) await name.until(`/#/test/n${i}`);
  const reported = () => [one!, two!].filter(({ receipts }) => receipts.connected > 0);
  await eventually(() => reported().length === 1);
  const second = await write(one!, '/svc/* => /#/test/v2');
  t.equal((await rows(reported()[0]!, second)).arrived, true);

  // The namerd that it reports to goes: it reports to the other.
  const [gone] = reported();
  const other = gone === one ? two! : one!;
  await gone?.close();
  await eventually(() => other.receipts.connected === 1);
  const third = await write(other, '/svc => /#/test');
  t.equal((await rows(other, third)).arrived, true);
});

test('a Signpost that is gone without a word is disconnected', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const first = namerd.storage.observe('default').value.value!.version;
  const { watch, close } = startInterpreter(t, { ports: [namerd.port] });
  await watch('/svc/web').until('/#/test/web');
  t.equal((await rows(namerd, first)).arrived, true);
  close();
  await eventually(() => namerd.receipts.connected === 0);
  t.same(await rows(namerd, first, 0), { arrived: false, rows: ['test:1 test disconnected'] });
});

test('a deleted namespace is a version that nobody is asked for, and one made again arrives', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  const { watch } = startInterpreter(t, { ports: [namerd.port] });
  const web = watch('/svc/web');
  await web.until('/#/test/web');
  await namerd.storage.delete('default', {});
  await web.until('~');
  const again = await write(namerd, '/svc => /#/test');
  t.equal((await rows(namerd, again)).arrived, true);
});

test("a namerd without the service, such as the original's, is asked for names all the same", async (t) => {
  const storage = new InMemoryStorage(dtabs);
  const namer = new MapNamer();
  namer.bind('/web');
  const plain = new Server();
  const asked: string[] = [];
  const raw = (bytes: Buffer): Buffer => bytes;
  const { path } = meshMethods.streamBoundTree;
  const common = { requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw };
  plain.addService(
    { [path]: { path, requestStream: false, responseStream: true, ...common } },
    {
      [path]: (call: { write(bytes: Buffer): void }) => {
        asked.push(path);
        const id = { id: Path.parse('/#/test/web'), residual: Path.empty };
        call.write(meshMethods.streamBoundTree.response.encode({ type: 'leaf', value: id }));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    plain.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.teardown(() => plain.forceShutdown());
  const { watch, locate, interpreter } = startInterpreter(t, { ports: [port] });
  interpreter.start();
  await watch('/svc/web').until('/#/test/web');
  t.equal(asked.length, 1);
  const namerd = await startTestNamerd(t, { storage, namer });
  locate(port, namerd.port);
  await eventually(() => namerd.receipts.connected === 1, 'the other one to be told');
});

test('what is no exchange of receipts is refused', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  const client = new MeshClient(t, namerd.port);
  const hello = { name: 'a:1', router: 'in', namespace: 'default' };
  const refusal = async (...messages: (FromSignpost | Buffer)[]) => {
    const stream = client.exchange<FromSignpost | Buffer, FromNamerd>(
      exchangeReceipts.path,
      (message) => (Buffer.isBuffer(message) ? message : exchangeReceipts.request.encode(message)),
      exchangeReceipts.response.decode,
    );
    for (const message of messages) stream.send(message);
    const { code, details } = await stream.ended();
    return [code, decodeURI(details)];
  };
  const invalid = (details: string) => [status.INVALID_ARGUMENT, details];
  t.same(await refusal({ live: [] }), invalid('a hello is to come first'));
  t.same(await refusal({ hello }, { hello }), invalid('a second hello'));
  t.same(await refusal({ hello: { ...hello, name: '' } }), invalid('a name has 1 to 256 bytes'));
  t.same(await refusal({ hello: { ...hello, router: 'x'.repeat(257) } }), invalid('a name has 1 to 256 bytes'));
  t.same(await refusal({ hello: { ...hello, namespace: '../x' } }), invalid('. and .. are not allowed'));
  t.same(await refusal(Buffer.from('0a05', 'hex')), invalid('the message ends within a field'));
  t.same(await refusal({ hello }, Buffer.from('2200', 'hex')), invalid('a receipt without a state'));
  const many = Array.from({ length: 20_001 }, (_, number) => ({
    number,
    path: Path.parse(`/n${number}`),
    dtab: Dtab.empty,
  }));
  t.same((await refusal({ hello, live: many }))[0], status.RESOURCE_EXHAUSTED);
  await eventually(() => namerd.receipts.connected === 0);
});

test('bindings are told of once, and again when they change', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs });
  namerd.namer.bind('/web');
  namerd.namer.bind('/api');
  const client = new MeshClient(t, namerd.port);
  const { path, request, response } = exchangeReceipts;
  const stream = client.exchange(path, request.encode, response.decode);
  const live = (number: number, name: string) => ({ number, path: Path.parse(name), dtab: Dtab.empty });
  stream.send({
    hello: { name: 'a:1', router: 'in', namespace: 'default' },
    live: [live(1, '/svc/web'), live(2, '/svc/api')],
  });
  const numbers = ({ computed }: FromNamerd) => computed.map(({ number }) => number);
  await eventually(() => new Set(stream.messages.flatMap(numbers)).size === 2);
  const before = stream.messages.length;
  await write(namerd, '/svc => /#/test; /svc/web => /#/test/api');
  const changed = await stream.until(({ version }) => version !== undefined && version[7] === 2);
  t.same(numbers(changed), [1]);
  t.equal(changed.computed[0]?.problem, undefined);
  t.equal(stream.messages.length, before + 1, 'all at once');
  stream.send({ ended: [1] });
  stream.send({ live: [live(3, '/svc/nosuch')] });
  await stream.until((message) => numbers(message).includes(3));
  const next = await write(namerd, '/svc => /#/test');
  t.same(numbers(await stream.until(({ version }) => version?.[7] === next[7])), []);
});
