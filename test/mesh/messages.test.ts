import fc from 'fast-check';
import { test } from 'tap';
import { type Message, meshMethods, ProtoError } from '../../src/mesh/index.ts';
import { bytesToIp, ipToBytes } from '../../src/mesh/ip-bytes.ts';
import { encode } from '../../src/mesh/proto-writer.ts';
import {
  type Addr,
  type BoundId,
  type DelegateTree,
  Dentry,
  Dtab,
  type NameTree,
  Path,
  parseTree,
  sameTree,
  showTree,
} from '../../src/naming/index.ts';
import { dtab, path, tree, treeOf, weight } from '../support/names.ts';

const { getBoundTree, getReplicas, getDtab, getDelegateTree, showPath, readPath } = meshMethods;

/** What is read from what was written. */
function back<T>(message: Message<T>, value: T): T {
  return message.decode(message.encode(value));
}

const boundId = fc.record({ id: path, residual: path });
const sameId = (a: BoundId, b: BoundId) => a.id.equals(b.id) && a.residual.equals(b.residual);

const nonEmptyText = fc.string({ unit: 'binary', minLength: 1 });
const meta = fc.dictionary(nonEmptyText, fc.string({ unit: 'binary' }), { minKeys: 1, maxKeys: 3 });
const endpoint = fc.record(
  {
    host: fc.oneof(
      fc.ipV4(),
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytesToIp(bytes) as string),
    ),
    port: fc.integer({ min: 0, max: 65_535 }),
    weight,
    meta,
  },
  { requiredKeys: ['host', 'port', 'weight'] },
);
const addr = fc.oneof(
  fc.constantFrom<Addr>({ state: 'pending' }, { state: 'neg' }),
  fc.string({ unit: 'binary' }).map((cause): Addr => ({ state: 'failed', cause })),
  fc
    .record({ endpoints: fc.array(endpoint, { maxLength: 4 }), meta }, { requiredKeys: ['endpoints'] })
    .map((bound): Addr => ({ state: 'bound', ...bound })),
);

test('what is written is read back', async (t) => {
  fc.assert(
    fc.property(path, path, dtab, (root, name, table) => {
      const request = back(getBoundTree.request, { root, name, dtab: table });
      return request.root?.equals(root) && request.name?.equals(name) && request.dtab?.show() === table.show();
    }),
  );
  fc.assert(
    fc.property(treeOf<BoundId>(boundId), (bound) => sameTree(back(getBoundTree.response, bound), bound, sameId)),
    { numRuns: 500 },
  );
  fc.assert(fc.property(addr, (set) => t.same(back(getReplicas.response, set), set)));
  fc.assert(
    fc.property(dtab, fc.uint8Array({ maxLength: 300 }), (table, version) => {
      const versioned = back(getDtab.response, { dtab: table, version });
      return versioned.dtab.show() === table.show() && Buffer.from(versioned.version).equals(version);
    }),
  );
  fc.assert(
    fc.property(path, tree, dtab, (root, asked, table) => {
      const request = back(getDelegateTree.request, { root, tree: asked, dtab: table });
      return request.tree !== undefined && showTree(request.tree) === showTree(asked);
    }),
  );
});

test('a delegation is read back', async (t) => {
  const dentry = Dentry.parse('/svc/* => 0.25 * /a & 0.75 * /b');
  const id: BoundId = { id: Path.parse('/#/io.l5d.fs/web'), residual: Path.parse('/x') };
  const at = (text: string) => ({ path: Path.parse(text), dentry });
  const leaf: DelegateTree<BoundId> = { ...at('/b'), type: 'leaf', bound: id };
  const whole: DelegateTree<BoundId> = {
    path: Path.parse('/svc/web'),
    dentry: undefined,
    type: 'union',
    trees: [
      { weight: 0, tree: { ...at('/a'), type: 'delegate', tree: { ...at('/'), type: 'neg' } } },
      {
        weight: 0.75,
        tree: {
          ...at('/b'),
          type: 'alt',
          trees: [
            { ...at('/'), type: 'fail' },
            { ...at('/c'), type: 'empty' },
            { ...at('/d'), type: 'exception', message: 'über' },
            { ...at('/e'), type: 'transformation', name: 'PortTransformer', bound: id, tree: leaf },
          ],
        },
      },
    ],
  };
  t.same(back(getDelegateTree.response, whole), whole);
});

test('zero values are sent', async (t) => {
  // Field by field, as the original's codec asks for them: a leaf whose residual is the empty path has an empty field 2.
  const bound: NameTree<BoundId> = { type: 'leaf', value: { id: Path.parse('/a'), residual: Path.empty } };
  t.equal(getBoundTree.response.encode(bound).toString('hex'), '0a09' + '3207' + '0a03' + '0a0161' + '1200');
  const zero: Addr = { state: 'bound', endpoints: [{ host: '0.0.0.0', port: 0, weight: 1 }] };
  // inet_af 0, four bytes, port 0, a meta message without a node name
  t.equal(
    getReplicas.response.encode(zero).toString('hex'),
    '220e' + '0a0c' + '0800' + '120400000000' + '1800' + '2200',
  );
  t.equal(getReplicas.response.encode({ state: 'failed', cause: '' }).toString('hex'), '1a02' + '0a00');
  const versioned = { dtab: Dtab.empty, version: new Uint8Array() };
  t.equal(getDtab.response.encode(versioned).toString('hex'), '0a06' + '0a02' + '0a00' + '1200');
  const weightless = parseTree('0 * /a & /b');
  t.equal(
    getDelegateTree.request.encode({ tree: weightless }).toString('hex').slice(0, 30),
    '122a' + '2a28' + '0a12' + '090000000000000000',
    'a weight of 0',
  );
  t.equal(showPath.request.encode(Path.empty).toString('hex'), '0a00');
  t.equal(readPath.request.encode('').toString('hex'), '0a00');
});

test('what is absent is told from what is empty', async (t) => {
  t.same(getBoundTree.request.decode(Buffer.alloc(0)), { root: undefined, name: undefined, dtab: undefined });
  t.equal(showPath.request.decode(Buffer.alloc(0)), undefined);
  t.ok(showPath.request.decode(Buffer.from('0a00', 'hex'))?.isEmpty);
});

test('fields that are not known are passed over, whatever their type', async (t) => {
  const known = getBoundTree.response.encode({ type: 'leaf', value: { id: Path.parse('/a'), residual: Path.empty } });
  const unknown = encode((writer) => {
    writer.int(90, 2 ** 31 - 1);
    writer.double(91, 1.5);
    writer.text(92, 'later');
    writer.message(93, () => writer.int(1, 1));
  });
  const fixed32 = Buffer.from('ed0501020304', 'hex');
  const tree = getBoundTree.response.decode(Buffer.concat([unknown, fixed32, known, unknown]));
  t.equal(tree.type === 'leaf' && tree.value.id.show(), '/a');
});

test('bytes that are no message are an error, never a crash or half a message', async (t) => {
  const bad: [string, string][] = [
    ['a field number of 0', '00'],
    ['a group', '0b'],
    ['a number without an end', `08${'ff'.repeat(11)}`],
    ['a path instead of a tree', '0a0508010203'],
    ['an empty segment', '0a06' + '3204' + '0a02' + '0a00'],
    ['a tree without a node', '0a00'],
    ['no tree at all', ''],
  ];
  for (const [what, hex] of bad)
    t.throws(() => getBoundTree.response.decode(Buffer.from(hex, 'hex')), ProtoError, what);
  for (const weight of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    const union = getDelegateTree.request.encode({
      tree: { type: 'union', trees: [{ weight, tree: { type: 'neg' } }] },
    });
    t.throws(() => getDelegateTree.request.decode(union), ProtoError, `a weight of ${weight}`);
  }
  const whole = getBoundTree.request.encode({
    root: Path.parse('/default'),
    name: Path.parse('/svc/web'),
    dtab: Dtab.parse('/svc/* => 0.5 * /a & 0.5 * /b | !'),
  });
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    try {
      getBoundTree.request.decode(cut);
    } catch (error) {
      t.type(error, ProtoError, `cut after ${length} bytes`);
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const { request, response } of Object.values(meshMethods)) {
        for (const message of [request, response]) {
          try {
            message.decode(Buffer.from(bytes));
          } catch (error) {
            if (!(error instanceof ProtoError)) throw error;
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a message within messages without end is refused before it takes the stack', async (t) => {
  const nested = (levels: number): NameTree<Path> => {
    let inner: NameTree<Path> = { type: 'leaf', value: Path.parse('/a') };
    for (let i = 0; i < levels; i++) inner = { type: 'alt', trees: [inner] };
    return inner;
  };
  t.ok(back(getDelegateTree.request, { tree: nested(1_000) }).tree, 'as deep as binding may go');
  t.throws(() => back(getDelegateTree.request, { tree: nested(1_100) }), ProtoError);
});

test('IP addresses and their bytes', async (t) => {
  const pairs: [string, string][] = [
    ['127.0.0.1', '7f000001'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['fe80::1:0:0:2', 'fe800000000000000001000000000002'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:0:3:4:5:6:7:8', '00010000000300040005000600070008'],
    ['::ffff:102:304', '00000000000000000000ffff01020304'],
  ];
  for (const [literal, hex] of pairs) {
    t.equal(bytesToIp(Buffer.from(hex, 'hex')), literal, hex);
    t.equal(Buffer.from(ipToBytes(literal) as Uint8Array).toString('hex'), hex, literal);
  }
  t.same(ipToBytes('::ffff:1.2.3.4'), ipToBytes('::ffff:102:304'));
  t.same(ipToBytes('fe80::1%eth0'), ipToBytes('fe80::1'));
  for (const text of ['localhost', '', '1.2.3', '1.2.3.256', ':::']) t.equal(ipToBytes(text), undefined, text);
  t.equal(bytesToIp(Buffer.alloc(5)), undefined);
});
