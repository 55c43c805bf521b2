import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { configJsonSchema, loadConfig } from '../../namerd/load-config.ts';
import { showProblem } from '../../src/config/problem.ts';
import { tempDir } from '../support/temp-dir.ts';

const INTERFACES = 'interfaces: [{kind: io.l5d.httpController, port: 0}]\n';

/** Lines of `line:column: path: message`, without the file's name. */
async function complaints(text: string): Promise<string[]> {
  const loaded = await loadConfig({ name: 'n.yaml', text });
  const problems = loaded.ok ? loaded.warnings : [...loaded.errors, ...loaded.warnings];
  return problems.map((problem) => showProblem(problem).slice('n.yaml:'.length));
}

test('a good config comes out as plain JSON, coerced and nothing added', async (t) => {
  const dir = tempDir(t);
  const text = `
admin: {ip: 127.0.0.1, port: "9991", shutdownGraceMs: 500, hosts: [namerd.example.com]}
storage:
  kind: io.l5d.inMemory
  experimental: yes
  namespaces:
    default: /svc => /#/io.l5d.fs;
namers:
- {kind: io.l5d.fs, rootDir: ${dir}}
- {kind: io.l5d.fs, rootDir: ${dir}, prefix: /other/fs}
interfaces:
- {kind: io.l5d.httpController, ip: 0.0.0.0, port: 4180}
telemetry:
- kind: io.l5d.prometheus
`;
  const loaded = await loadConfig({ name: 'n.yaml', text });
  t.strictSame(loaded.warnings, []);
  t.ok(loaded.ok);
  if (!loaded.ok) return;
  t.strictSame(JSON.parse(JSON.stringify(loaded.config)), {
    admin: { ip: '127.0.0.1', port: 9991, shutdownGraceMs: 500, hosts: ['namerd.example.com'] },
    storage: { namespaces: { default: '/svc => /#/io.l5d.fs;' }, kind: 'io.l5d.inMemory', experimental: true },
    namers: [
      { rootDir: dir, kind: 'io.l5d.fs' },
      { rootDir: dir, prefix: '/other/fs', kind: 'io.l5d.fs' },
    ],
    interfaces: [{ ip: '0.0.0.0', port: 4180, kind: 'io.l5d.httpController' }],
    telemetry: [{ kind: 'io.l5d.prometheus' }],
  });
});

test('what is wrong is told with its place and what to do', async (t) => {
  const cases: [text: string, complaint: RegExp][] = [
    ['', /^1:1: the config is empty; it needs at least `interfaces:`$/],
    ['admin: {port: 1}', /^1:1: interfaces: 'interfaces' field is required; add at least one, such as/],
    ['interfaces: []', /^1:13: interfaces: One or more interfaces must be specified; add at least one, such as/],
    [`${INTERFACES}routers: []`, /^2:1: routers: belongs into linkerd.yaml; namerd has `interfaces:`$/],
    [`${INTERFACES}storge: {}`, /^2:1: storge: unknown key; allowed: admin, storage, .*; did you mean "storage"\?$/],
    [
      'interfaces: [{kind: io.l5d.httpControler}]',
      /^1:21: interfaces\[0\]\.kind: unknown kind "io.l5d.httpControler"; allowed: .*; did you mean "io.l5d.httpController"\?$/,
    ],
    [
      `${INTERFACES}storage: {kind: sqlite}`,
      /^2:17: storage\.kind: unknown kind "sqlite"; .*did you mean "io.l5d.sqlite"/,
    ],
    [
      `${INTERFACES}storage: {kind: io.l5d.zk, zkAddrs: []}`,
      /^2:17: storage\.kind: io.l5d.zk is known but not built yet: /,
    ],
    [
      `${INTERFACES}storage: {kind: io.l5d.sqlite, keepVersions: 0}`,
      /^2:46: storage\.keepVersions: must be a whole number, 1 or more, but is 0$/,
    ],
    [
      `${INTERFACES}storage:\n  kind: io.l5d.inMemory\n  namespaces:\n    default: |\n      /a => /b;\n      /c = /d;\n`,
      /^7:\d+: storage\.namespaces\.default: not a dtab: '>' expected but /,
    ],
    [
      `${INTERFACES}storage: {kind: io.l5d.inMemory, namespaces: {"a//b": /a => /b}}`,
      /^2:55: storage\.namespaces\["a\/\/b"\]: not a name for a namespace: an empty part/,
    ],
    [
      'admin: {port: 4180}\ninterfaces: [{kind: io.l5d.httpController}]',
      /^2:14: interfaces\[0\]: port 4180 \(the default\) is taken by admin; give each its own port$/,
    ],
    [
      'interfaces:\n- {kind: io.l5d.httpController, port: 1}\n- {kind: io.l5d.httpController, port: 1, ip: 0.0.0.0}',
      /^3:\d+: interfaces\[1\]\.port: port 1 is taken by interfaces\[0\]/,
    ],
  ];
  for (const [text, expected] of cases) {
    const [first = '', ...more] = await complaints(text);
    t.match(first, expected, text);
    t.strictSame(more, [], text);
  }
});

test('access logs', async (t) => {
  const mesh = (port: number, keys: string) => `- {kind: io.l5d.mesh, port: ${port}, ${keys}}\n`;
  const found = (...keys: string[]) =>
    complaints(`interfaces:\n${keys.map((one, index) => mesh(4321 + index, one)).join('')}`);
  const file = 'h2AccessLog: logs/mesh.log';
  t.strictSame(
    await found(`${file}, h2AccessLogRollPolicy: weekly(2), h2AccessLogAppend: no, h2AccessLogRotateCount: 5`),
    [],
  );
  t.strictSame(
    await found(file, `h2AccessLog: ./logs/mesh.log, h2AccessLogAppend: yes, h2AccessLogRollPolicy: NEVER`),
    [],
  );
  t.match(await found(`${file}, h2AccessLogRollPolicy: weekly(8)`), [
    /^2:86: interfaces\[0\]\.h2AccessLogRollPolicy: unknown roll policy "weekly\(8\)"; allowed: never, hourly, daily, /,
  ]);
  t.match(await found(`${file}, h2AccessLogRotateCount: -2`), [
    /h2AccessLogRotateCount: must be a whole number, -1 or more, but is -2$/,
  ]);
  t.match(await found(file, `${file}, h2AccessLogRollPolicy: daily`), [
    /^3:\d+: interfaces\[1\]\.h2AccessLog: the file is that of interfaces\[0\]\.h2AccessLog too; give both the same RollPolicy, /,
  ]);
});

test('namers are told apart by their prefixes', async (t) => {
  const rootDir = tempDir(t);
  const namers = (...prefixes: (string | undefined)[]) =>
    `${INTERFACES}namers:\n${prefixes
      .map((prefix) => `- {kind: io.l5d.fs, rootDir: ${rootDir}${prefix === undefined ? '' : `, prefix: ${prefix}`}}\n`)
      .join('')}`;
  t.strictSame(await complaints(namers('/a', '/b', undefined)), []);
  const overlapping = 'Namers must not have overlapping prefixes:';
  t.match(await complaints(namers(undefined, undefined)), [
    `4:10: namers[1].kind: ${overlapping} /io.l5d.fs & /io.l5d.fs`,
  ]);
  t.match(await complaints(namers('/a/b', '/a')), [
    /^4:\d+: namers\[1\]\.prefix: .*overlapping prefixes: \/a\/b & \/a$/,
  ]);
  t.match(await complaints(namers('/', '/a')), [/^3:\d+: namers\[0\]\.prefix: Namers must not have an empty prefix$/]);
});

test('what has no effect is a warning', async (t) => {
  const text = `
admin: {httpIdentifierPort: 4}
interfaces:
- kind: io.l5d.thriftNameInterpreter
  port: 4100
  cache: {bindingCacheActive: 5}
- {kind: io.l5d.destination, namespace: x}
telemetry:
- kind: io.l5d.zipkin
- kind: io.l5d.recentRequests
  sampleRate: 1
`;
  t.match(await complaints(text), [
    '2:9: warning: admin.httpIdentifierPort: has no effect: namerd carries no requests',
    /^4:9: warning: interfaces\[0\]\.kind: io.l5d.thriftNameInterpreter is known but not built yet: namerd starts without it/,
    /^7:10: warning: interfaces\[1\]\.kind: io.l5d.destination is known but not built yet: namerd starts without it/,
    '9:9: warning: telemetry[0].kind: io.l5d.zipkin has no effect: namerd does no tracing',
    '10:9: warning: telemetry[1].kind: io.l5d.recentRequests has no effect: namerd does no tracing',
  ]);
});

test('socket options that are heeded and those that are not', async (t) => {
  const options = (one: string) =>
    complaints(`interfaces: [{kind: io.l5d.httpController, port: 0, socketOptions: {${one}}}]`);
  t.strictSame(await options('noDelay: no, keepAlive: yes, reusePort: yes, backlog: 10, reuseAddr: yes'), []);
  t.match(await options('readTimeoutMs: 5'), [/socketOptions\.readTimeoutMs: known but not built yet/]);
});

test('the configs that the original was started with', async (t) => {
  const differences: Readonly<Record<string, string>> = {
    'namerd port in use': 'seen when the port is opened, not in the config',
  };
  const url = new URL('../fixtures/namerd-config-errors.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, 'utf8')) as {
    cases: readonly { name: string; config: string; started: boolean }[];
  };
  t.equal(cases.length, 9);
  for (const { name, config, started } of cases) {
    const { ok } = await loadConfig({ name: 'n.yaml', text: config });
    t.equal(ok, differences[name] === undefined ? started : !started, name);
  }
});

test('the JSON Schema has every section and kind', async (t) => {
  const schema = JSON.stringify(await configJsonSchema());
  for (const part of ['admin', 'storage', 'namers', 'interfaces', 'telemetry']) t.match(schema, `"${part}"`);
  for (const kind of ['io.l5d.inMemory', 'io.l5d.sqlite', 'io.l5d.httpController']) t.match(schema, `"${kind}"`);
  t.match(schema, '"default":9991');
});

test('files of tokens that let nobody in, or have lines that are no tokens, are warned of', async (t) => {
  const tokensPath = join(tempDir(t), 'tokens');
  const config = `interfaces: [{kind: io.l5d.httpController, port: 0, auth: {tokensPath: ${tokensPath}, grants: [{name: ci}]}}]\n`;
  for (const [text, warnings] of [
    ['ci c-0123456789abcdef\n', []],
    ['# none yet\n', [/interfaces\[0\]\.auth\.tokensPath: .*tokens has no token, so it lets nobody in$/]],
    ['ci short\n', [/warning: .*tokensPath: .*tokens: line 1: the token is shorter than 16 characters; make one with/]],
    ['ci c-0123456789abcdef\nann x y\n', [/: line 2: write NAME TOKEN$/]],
  ] as const) {
    writeFileSync(tokensPath, text);
    t.match(await complaints(config), warnings, text);
  }
});
