// The messages and the services of io.linkerd.mesh beside protobuf and gRPC of Google's.
import { spawn, spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import { type Message, meshMethods } from '../../src/mesh/index.ts';
import { type Addr, type BoundId, type DelegateTree, Dentry, Dtab, Path } from '../../src/naming/index.ts';
import { startTestNamerd } from '../support/mesh-server.ts';
import { dtab, path, tree, treeOf } from '../support/names.ts';
import { tempDir } from '../support/temp-dir.ts';

/** `.ci/full` puts grpcio and grpcio-tools there. */
const PYTHON = process.env['MESH_PYTHON'] ?? join(homedir(), '.cache/signpost-bench/bin/python');
const WITHOUT_NAMERD = 1;

interface Recoded {
  readonly hex: string;
  readonly message: unknown;
}

interface Answered {
  readonly answers?: readonly unknown[];
  readonly code?: number;
  readonly details?: string;
}

interface Python {
  recode(name: string, bytes: Buffer): Promise<Recoded>;
  call(method: string, request: unknown, count?: number): Promise<Answered>;
}

function startPython(t: Test, port: number): Python {
  const folder = tempDir(t);
  const compiled = spawnSync(
    PYTHON,
    ['-m', 'grpc_tools.protoc', `-I${import.meta.dirname}`, `--python_out=${folder}`, 'mesh.proto'],
    { encoding: 'utf8' },
  );
  if (compiled.status !== 0) throw new Error(`mesh.proto: ${compiled.error ?? compiled.stderr}`);
  const program = spawn(PYTHON, [join(import.meta.dirname, 'mesh.py'), String(port)], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => program.kill());
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = (question: unknown): Promise<never> => {
    program.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = last.then(async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('Python has ended');
      return JSON.parse(value) as never;
    });
    last = answer.catch(() => {});
    return answer;
  };
  return {
    recode: (name, bytes) => ask({ recode: name, hex: bytes.toString('hex') }),
    call: (method, request, count) => ask({ call: method, request, count }),
  };
}

test('protobuf reads what is written here, and is read here', async (t) => {
  const python = startPython(t, WITHOUT_NAMERD);
  const { getBoundTree, getReplicas, getDtab, getDelegateTree } = meshMethods;
  /** Written, read and written by protobuf, read, and written again: the same bytes as at first, and nothing that it doesn't know. */
  const survives = async <T>(name: string, { encode, decode }: Message<T>, value: T): Promise<void> => {
    const bytes = encode(value);
    const { hex } = await python.recode(name, bytes);
    t.equal(encode(decode(Buffer.from(hex, 'hex'))).toString('hex'), bytes.toString('hex'), name);
  };
  const few = { numRuns: 50 };
  const boundId = fc.record({ id: path, residual: path });
  await fc.assert(
    fc.asyncProperty(path, path, dtab, (root, name, table) =>
      survives('BindReq', getBoundTree.request, { root, name, dtab: table }),
    ),
    few,
  );
  await fc.assert(
    fc.asyncProperty(treeOf<BoundId>(boundId), (bound) => survives('BoundTreeRsp', getBoundTree.response, bound)),
    few,
  );
  await fc.assert(
    fc.asyncProperty(path, tree, dtab, (root, asked, table) =>
      survives('DelegateTreeReq', getDelegateTree.request, { root, tree: asked, dtab: table }),
    ),
    few,
  );
  await survives('DtabRsp', getDtab.response, { dtab: Dtab.parse('/a => /b'), version: Buffer.from([0, 255]) });
  await survives('Replicas', getReplicas.response, { state: 'failed', cause: 'über' });
  await survives('Replicas', getReplicas.response, { state: 'neg' });
});

test('protobuf understands it as it is meant', async (t) => {
  const python = startPython(t, WITHOUT_NAMERD);
  const { getReplicas, getDelegateTree, getDtab } = meshMethods;
  const addr: Addr = {
    state: 'bound',
    endpoints: [
      { host: '10.0.0.1', port: 80, weight: 0.5, meta: { nodeName: 'node-1', zone: 'a' } },
      { host: '2001:db8::1', port: 65_535, weight: 1 },
    ],
    meta: { authority: 'web' },
  };
  t.same((await python.recode('Replicas', getReplicas.response.encode(addr))).message, {
    bound: {
      endpoints: [
        {
          address: base64([10, 0, 0, 1]),
          port: 80,
          meta: { nodeName: 'node-1' },
          metadata: { nodeName: 'node-1', zone: 'a', endpoint_addr_weight: '0.5' },
        },
        {
          inetAf: 'INET6',
          address: base64([0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1]),
          port: 65_535,
          meta: {},
        },
      ],
      metadata: { authority: 'web' },
    },
  });
  const dentry = Dentry.parse('/svc/* => 0.25 * /a & 0.75 * /b');
  const explained: DelegateTree<BoundId> = {
    type: 'delegate',
    path: Path.parse('/svc/web'),
    dentry: undefined,
    tree: {
      type: 'transformation',
      path: Path.parse('/a'),
      dentry,
      name: 'port',
      bound: { id: Path.parse('/#/web'), residual: Path.parse('/x') },
      tree: { type: 'exception', path: Path.parse('/a'), dentry, message: 'no' },
    },
  };
  const weighted = (weight: number, to: string) => ({ weight, tree: { leaf: { id: elems(to) } } });
  const entry = {
    prefix: { elems: [{ label: base64('svc') }, { wildcard: {} }] },
    dst: { union: { trees: [weighted(0.25, 'a'), weighted(0.75, 'b')] } },
  };
  t.same((await python.recode('DelegateTreeRsp', getDelegateTree.response.encode(explained))).message, {
    tree: {
      path: elems('svc', 'web'),
      dentry: { prefix: {}, dst: { neg: {} } },
      delegate: {
        path: elems('a'),
        dentry: entry,
        transformation: {
          name: 'port',
          leaf: { id: elems('#', 'web'), residual: elems('x') },
          tree: { path: elems('a'), dentry: entry, exception: 'no' },
        },
      },
    },
  });
  const versioned = { dtab: new Dtab([dentry]), version: Buffer.from([1, 2]) };
  t.same((await python.recode('DtabRsp', getDtab.response.encode(versioned))).message, {
    dtab: { version: { id: base64([1, 2]) }, dtab: { dentries: [entry] } },
  });
});

test('a gRPC client of another is served', async (t) => {
  const namerd = await startTestNamerd(t, { dtabs: { default: Dtab.parse('/svc => /#/test') } });
  namerd.namer.bind('/web', 8080);
  const python = startPython(t, namerd.port);
  const bind = { root: elems('default'), name: elems('svc', 'web') };
  const bound = { tree: { leaf: { id: elems('#', 'test', 'web'), residual: {} } } };

  t.same(await python.call('Interpreter/GetBoundTree', bind), { answers: [bound] });
  t.same(await python.call('Interpreter/StreamBoundTree', bind, 1), { answers: [bound] });
  t.same(await python.call('Resolver/StreamReplicas', { id: elems('#', 'test', 'web') }, 1), {
    answers: [{ bound: { endpoints: [{ address: base64([127, 0, 0, 1]), port: 8080, meta: {} }] } }],
  });
  t.same(await python.call('Codec/ShowPath', { path: elems('a b') }), { answers: [{ text: '/\\x61\\x20\\x62' }] });
  t.same(await python.call('Interpreter/GetBoundTree', { name: elems('svc') }), {
    code: 3,
    details: 'No namespace specified',
  });
  t.same(await python.call('Delegator/GetDtab', { root: elems('nowhere') }), { code: 5, details: 'Root not found' });
});

function base64(bytes: string | readonly number[]): string {
  return Buffer.from(bytes as string).toString('base64');
}

/** A path as protobuf has it in JSON. */
function elems(...segments: string[]): { elems: string[] } {
  return { elems: segments.map(base64) };
}
