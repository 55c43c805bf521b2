/** The override policy: what an edge is, which headers are read there and elsewhere, and what entries may lead to. */
import { test } from 'tap';
import {
  checkOverride,
  MESH_POLICY,
  type OverridePolicy,
  overridePolicy,
  readOverride,
} from '../../src/router/override.ts';
import { takeHead } from '../../src/wire/http1/head.ts';
import { parseRequest } from '../../src/wire/http1/head-parser.ts';
import { LIMITS } from '../wire/http1/transcript.ts';

function read(policy: OverridePolicy, ...lines: string[]) {
  const head = takeHead();
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1');
  parseRequest(head, bytes, 0, bytes.length, LIMITS);
  return readOverride(policy, head);
}

test('an edge is a server with clearContext or with an overrides block, and nothing else is', async (t) => {
  t.equal(overridePolicy({}), MESH_POLICY);
  t.equal(overridePolicy({ clearContext: false }), MESH_POLICY);
  t.equal(overridePolicy({ clearContext: true }).isEdge, true);
  t.equal(overridePolicy({ overrides: {} }).isEdge, true);
  t.equal(overridePolicy({ overrides: {}, clearContext: false }).isEdge, true);
});

test('elsewhere both headers are read, the one of the hop before first', async (t) => {
  t.equal(read(MESH_POLICY, 'l5d-dtab: /a=>/u', 'l5d-ctx-dtab: /a=>/c', 'L5D-DTAB: /b=>/v'), '/a=>/c;/a=>/u;/b=>/v');
  t.equal(read(MESH_POLICY, 'dtab-local: /a=>/b', 'x-dtab-01-a: /a'), '');
  t.equal(read(MESH_POLICY, 'l5d-dtab:'), '');
  t.match(read(MESH_POLICY, 'l5d-dtab: nonsense'), { refused: /expected/ });
});

test('an edge reads what its block accepts, and no word of another hop', async (t) => {
  const closed = overridePolicy({ clearContext: true });
  t.equal(read(closed, 'l5d-dtab: nonsense', 'l5d-ctx-dtab: nonsense'), '', 'unread');
  const open = overridePolicy({ overrides: {}, clearContext: true });
  t.equal(read(open, 'l5d-dtab: /a=>/b', 'l5d-ctx-dtab: /c=>/d'), '/a=>/b');
});

test('entries lead to what is allowed, every path of them', async (t) => {
  const policy = overridePolicy({ overrides: { allow: ['/svc', '/#/io.l5d.fs'] } });
  for (const dtab of [
    '/a=>/svc',
    '/a=>/svc/b',
    '/*/a=>/#/io.l5d.fs/b | /svc/c',
    '/a=>1*/svc/x & 2*/svc/y',
    '/a=>! | ~ | $',
  ]) {
    t.type(checkOverride(policy, [dtab]), 'string', dtab);
  }
  for (const dtab of [
    ...[
      '/a=>/svcs',
      '/a=>/',
      '/a=>/#',
      '/a=>/#/io.l5d.fsx',
      '/a=>/$/nil',
      '/a=>/svc | /x',
      '/a=>1*/svc & 2*(/svc | /x)',
    ],
    ...['/a=>/svc;/b=>/x', '/a=>/SVC', '/svc=>/x'],
  ]) {
    t.match(checkOverride(policy, [dtab]), { refused: /may not lead to/ }, dtab);
  }
  t.type(checkOverride(policy, ['/a=>/\\x73vc/b']), 'string', 'escapes are what they stand for');
});

test('where addresses are denied, so is every utility that could make one', async (t) => {
  const policy = overridePolicy({ overrides: {} });
  t.equal(policy.inet, 'deny');
  for (const path of [
    ...['/$/inet/10.0.0.1/80', '/$/inet', '/$', '/', '/$/fixedinet/a/1', '/$/io.buoyant.rinet/80/a', '/\\x24/inet/a/1'],
    ...['/$/io.buoyant.http.anyMethod/GET/$/inet/a/1', '/$/io.buoyant.hostportPfx/a/b:1', '/$/some.other.class'],
  ]) {
    t.match(checkOverride(policy, [`/svc=>${path}`]), { refused: /may not lead to/ }, path);
  }
  for (const path of ['/$/nil', '/$/fail', '/$/io.buoyant.http.status/503', '/svc/a', '/#/io.l5d.fs/inet']) {
    t.type(checkOverride(policy, [`/svc=>${path}`]), 'string', path);
  }
  for (const inet of ['deny-link-local', 'allow'] as const) {
    t.type(checkOverride(overridePolicy({ overrides: { inet } }), ['/svc=>/$/inet/10.0.0.1/80']), 'string', inet);
  }
});

test('an override has a length and a number of entries, at an edge those of the block', async (t) => {
  const long = (bytes: number) => `/a=>/${'b'.repeat(bytes - 5)}`;
  const dentries = (count: number) => Array.from({ length: count }, (_, i) => `/a${i}=>/b`).join(';');
  for (const [policy, bytes] of [
    [MESH_POLICY, 1024],
    [overridePolicy({ overrides: {} }), 1024],
    [overridePolicy({ overrides: { maxLength: 100 } }), 100],
  ] as const) {
    t.type(checkOverride(policy, [long(bytes)]), 'string');
    t.match(checkOverride(policy, [long(bytes + 1)]), { refused: new RegExp(`longer than ${bytes} bytes`) });
    t.match(checkOverride(policy, [long(bytes / 2), long(bytes / 2 + 1)]), { refused: /longer than/ }, 'all together');
  }
  t.type(checkOverride(MESH_POLICY, [dentries(16)]), 'string');
  t.match(checkOverride(MESH_POLICY, [dentries(17)]), { refused: /more than 16 entries/ });
  t.match(checkOverride(MESH_POLICY, [dentries(9), dentries(8)]), { refused: /more than 16 entries/ });
  const union = `/a=>${Array.from({ length: 250 }, () => '/b').join('&')}`;
  t.match(checkOverride(MESH_POLICY, [union]), { refused: /when written out/ }, 'blanks count where it is sent on');
});

test('names of Object.prototype and other people’s syntax are only names', async (t) => {
  t.equal(checkOverride(MESH_POLICY, ['/__proto__=>/constructor']), '/__proto__=>/constructor');
  for (const text of [
    '{"a":1}',
    '/a=>/b\x00',
    '/a=>/b\n/c',
    '/a=>',
    '=>/b',
    '/a/=>/b',
    '/a=>/b//c',
    '/a=>(((',
    '/a=>-1*/b',
  ]) {
    t.match(checkOverride(MESH_POLICY, [text]), { refused: /./ }, JSON.stringify(text));
  }
});
