import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { showProblem } from '../../src/config/problem.ts';
import { configJsonSchema, loadConfig, loadConfigFile } from '../../src/process/load-config.ts';

const disco = mkdtempSync(join(tmpdir(), 'signpost-load-'));
process.on('exit', () => rmSync(disco, { recursive: true }));

/** Lines of `severity?line:column: path: message`, without the file's name. */
async function complaints(text: string): Promise<string[]> {
  const loaded = await loadConfig({ name: 'l.yaml', text });
  const problems = loaded.ok ? loaded.warnings : [...loaded.errors, ...loaded.warnings];
  return problems.map((problem) => showProblem(problem).slice('l.yaml:'.length));
}

/** An http router on `port` with more keys, each a line. */
const router = (lines: string[], port = 4140): string =>
  ['routers:', '- protocol: http', ...lines.map((line) => `  ${line}`), `  servers: [{port: ${port}}]`, ''].join('\n');

test('a good config comes out as plain JSON, coerced and nothing added', async (t) => {
  const text = [
    'admin: {ip: 0.0.0.0, port: 0, shutdownGraceMs: "500"}',
    'usage: {enabled: no, orgId: 12}',
    'workers: 0',
    'namers:',
    `- {kind: io.l5d.fs, rootDir: "${disco}", prefix: /fs, transformers: [{kind: io.l5d.port, port: "80"}]}`,
    'routers:',
    '- protocol: http',
    '  label: 5',
    '  dtab: /svc => /#/fs;',
    '  dstPrefix: /http',
    '  identifier: [{kind: io.l5d.path, segments: "2", consume: yes}, {kind: io.l5d.header.token}]',
    '  interpreter: {kind: default}',
    '  bindingTimeoutMs: 100',
    '  bindingCache: {paths: 10, idleTtlSecs: 5}',
    '  maxHeadersKB: 16',
    '  maxInitialLineKB: 8',
    '  maxErrResponseKB: 10',
    '  client:',
    '    kind: io.l5d.static',
    '    configs:',
    '    - prefix: /',
    '      loadBalancer: {kind: roundRobin, maxEffort: 3}',
    '      hostConnectionPool: {maxSize: 5, idleTimeMs: 1000, maxWaiters: 7}',
    '      clientSession: {lifeTimeMs: 1, idleTimeMs: 2}',
    '      connectTimeoutMs: 250',
    '  servers:',
    '  - port: 0',
    '    ip: "::1"',
    '    clearContext: on',
    '    addForwardedHeader: {by: {kind: "ip:port"}, for: {kind: static, label: x}}',
    '    maxCallDepth: 10',
    '    timestampHeader: x-start',
    '    maxConcurrentRequests: 100',
    '    maxHeaders: 50',
    '    headerTimeoutMs: 1000',
    '    idleTimeoutMs: 1000',
    '    socketOptions: {noDelay: true, keepAlive: true, backlog: 128, reusePort: false}',
  ].join('\n');
  const loaded = await loadConfig({ name: 'l.yaml', text });
  t.strictSame(loaded.warnings, []);
  t.ok(loaded.ok);
  if (!loaded.ok) return;
  t.strictSame(JSON.parse(JSON.stringify(loaded.config)), {
    admin: { ip: '0.0.0.0', port: 0, shutdownGraceMs: 500 },
    usage: { enabled: false, orgId: '12' },
    workers: 0,
    namers: [{ kind: 'io.l5d.fs', rootDir: disco, prefix: '/fs', transformers: [{ kind: 'io.l5d.port', port: 80 }] }],
    routers: [
      {
        protocol: 'http',
        label: '5',
        dtab: '/svc => /#/fs;',
        dstPrefix: '/http',
        identifier: [{ kind: 'io.l5d.path', segments: 2, consume: true }, { kind: 'io.l5d.header.token' }],
        interpreter: { kind: 'default' },
        bindingTimeoutMs: 100,
        bindingCache: { paths: 10, idleTtlSecs: 5 },
        maxHeadersKB: 16,
        maxInitialLineKB: 8,
        maxErrResponseKB: 10,
        client: {
          kind: 'io.l5d.static',
          configs: [
            {
              prefix: '/',
              loadBalancer: { kind: 'roundRobin', maxEffort: 3 },
              hostConnectionPool: { maxSize: 5, idleTimeMs: 1000, maxWaiters: 7 },
              clientSession: { lifeTimeMs: 1, idleTimeMs: 2 },
              connectTimeoutMs: 250,
            },
          ],
        },
        servers: [
          {
            port: 0,
            ip: '::1',
            clearContext: true,
            addForwardedHeader: { by: { kind: 'ip:port' }, for: { kind: 'static', label: 'x' } },
            maxCallDepth: 10,
            timestampHeader: 'x-start',
            maxConcurrentRequests: 100,
            maxHeaders: 50,
            headerTimeoutMs: 1000,
            idleTimeoutMs: 1000,
            socketOptions: { noDelay: true, keepAlive: true, backlog: 128, reusePort: false },
          },
        ],
      },
    ],
  });
  t.strictSame(structuredClone(loaded.config), loaded.config, 'it crosses threads');
});

test('one bad key is told with its place, what is allowed and what was probably meant', async (t) => {
  const cases: [string, string][] = [
    [`foo: bar\n${router([])}`, '1:1: foo: unknown key; allowed: admin, namers, routers, telemetry, usage, workers'],
    [router(['labl: a']), '3:3: routers[0].labl: unknown key; allowed: protocol, '],
    [router(['labl: a']), 'did you mean "label"?'],
    [`foo:\n${router([])}`, '1:1: foo: unknown key; allowed: '],
    [router(['labl: ~']), '3:3: routers[0].labl: unknown key; allowed: protocol, '],
    [router(['__proto__:']), '3:3: routers[0].__proto__: unknown key; allowed: protocol, '],
    [router(['overrides:']), '3:3: routers[0].overrides: unknown key; allowed: protocol, '],
    [router(['client: {loadBalancer: {kind: p2c, maxEfort: }}']), 'did you mean "maxEffort"?'],
    [router(['label: {a: b}']), '3:10: routers[0].label: must be text, but is a map'],
    [router(['label: [a]']), '3:10: routers[0].label: must be text, but is a list'],
    [router(['bindingTimeoutMs: soon']), '3:21: routers[0].bindingTimeoutMs: must be a time in milliseconds'],
    [router(['bindingCache: 5']), '3:17: routers[0].bindingCache: must be a map of keys, but is "5"'],
    [router(['dstPrefix: svc']), "3:14: routers[0].dstPrefix: not a path: '/' expected but 's' found"],
    [router(['dtab: |', '  /a => /b;', '  /c = /d;']), '5:9: routers[0].dtab: not a dtab: '],
    [router(['dtab: |', '  /a => /b', '  /c => /d']), '5:5: routers[0].dtab: not a dtab: end of input expected'],
    [router(['dtab: "/a => /b\\n;;"']), ' of the text)'],
    [
      router(['identifier: {kind: io.l5d.pth}']),
      '3:22: routers[0].identifier.kind: unknown kind "io.l5d.pth"; allowed: ',
    ],
    [router(['identifier: {kind: io.l5d.pth}']), 'did you mean "io.l5d.path"?'],
    [router(['identifier: [{kind: io.l5d.path, segments: 0}]']), '3:46: routers[0].identifier[0].segments: must be'],
    [router(['identifier: [{kind: io.l5d.path, segment: 1}]']), 'did you mean "segments"?'],
    [
      router(['identifier: text']),
      '3:15: routers[0].identifier: must be a map of keys or a list of them, but is "text"',
    ],
    [router(['identifier: []']), '3:15: routers[0].identifier: an empty list'],
    [router(['identifier: {}']), '3:15: routers[0].identifier.kind: missing; say which kind; allowed: '],
    [router(['interpreter: {kind: defualt}']), 'did you mean "default"?'],
    [router(['client: {loadBalancer: {kind: p2}}']), 'did you mean "p2c"?'],
    [router(['client: {configs: []}']), '3:12: routers[0].client.configs: needs `kind: io.l5d.static` beside it'],
    [router(['client: {kind: io.l5d.static}']), 'routers[0].client.configs: missing; add it'],
    [
      router(['client: {kind: io.l5d.static, configs: [], failFast: no}']),
      'routers[0].client.failFast: with `kind: io.l5d.static`, keys stand in the entries of `configs:`',
    ],
    [router(['client: {kind: io.l5d.static, configs: [{}]}']), '3:43: routers[0].client.configs[0].prefix: missing'],
    [router(['service: {kind: io.l5d.nope}']), 'allowed: io.l5d.global, io.l5d.static'],
    [router(['client: {failureAccrual: {kind: io.l5d.successRate, successRate: 2.0, requests: 5}}']), 'from 0 to 1'],
    [router(['client: {failureAccrual: {kind: io.l5d.consecutiveFailures}}']), 'failures: missing; add it'],
    [router(['client: {failureAccrual: {kind: none, maxEjectionPercent: 101}}']), 'a whole number from 0 to 100'],
    [router(['client: {failureAccrual: {kind: io.l5d.sucessRate}}']), 'did you mean "io.l5d.successRate"?'],
    [router(['client: {loadBalancer: {kind: aperture, lowLoad: 3}}']), 'lowLoad: not below highLoad (2)'],
    [router(['client: {loadBalancer: {kind: heap, maxEffort: 3}}']), 'maxEffort: unknown key'],
    [router(['service: {retries: {backoff: {kind: jittered, minMs: 5, maxMs: 1}}}']), 'minMs: above maxMs (1)'],
    [
      router(['service: {retries: {backoff: {kind: jittered, minMs: 0, maxMs: 9}}}']),
      'minMs: must be a whole number, 1 or more',
    ],
    [
      router(['streamingEnabled: false', 'streamAfterContentLengthKB: 5']),
      'has no meaning with `streamingEnabled: false`',
    ],
    [router(['compressionLevel: 10']), 'must be a whole number from -1 to 9, but is 10'],
    [router(['httpAccessLogRollPolicy: weekly(8)']), 'unknown roll policy "weekly(8)"'],
    [router(['baseDtab: /a => /b']), '3:3: routers[0].baseDtab: renamed: write `dtab:`'],
    [router(['loadBalancer: {kind: p2c}']), 'moved: write it under `client:` (client.loadBalancer)'],
    [router(['retries: {}']), 'moved: write it under `service:` (service.retries)'],
    [router(['timeoutMs: 5']), 'moved: `service.totalTimeoutMs`'],
    [`baseDtab: /a => /b\n${router([])}`, 'moved: each router has a `dtab` of its own'],
    [`usage: {dryRun: true}\n${router([])}`, '1:9: usage.dryRun: gone'],
    [`namers: [{kind: io.l5d.fs}]\n${router([])}`, '1:10: namers[0].rootDir: missing; add it: a directory'],
    [
      `namers: [{kind: io.l5d.fs, rootDir: /no/such}]\n${router([])}`,
      '1:37: namers[0].rootDir: directory "/no/such" does',
    ],
    [`namers: [{kind: io.l5d.rewrite, pattern: /a, name: /b}]\n${router([])}`, 'namers[0].prefix: missing'],
    [
      `telemetry: [{kind: io.l5d.statsd}]\n${router([])}`,
      'the telemeter io.l5d.statsd is experimental; add `experimental: true`',
    ],
    [`admin: {prt: 1}\n${router([])}`, 'did you mean "port"?'],
    ['routers: []', '1:10: routers: no routers; add at least one router'],
    ['routers:', '1:9: routers: missing; add at least one router'],
    ['routers: [{protocol: http}]', 'routers[0].servers: the router has no servers'],
    ['routers: [{protocol: http, servers: []}]', 'routers[0].servers: the router has no servers'],
    ['routers: [{protocol: http, servers: [~]}]', 'routers[0].servers[0]: must be a map of keys, but is null'],
    ['routers: [{protocol: htpp, servers: [{}]}]', 'did you mean "http"?'],
  ];
  for (const [text, expected] of cases) {
    const found = await complaints(text);
    t.ok(
      found.some((line) => line.includes(expected)),
      `${expected}\nin\n${found.join('\n')}`,
    );
    t.notOk((await loadConfig({ name: 'l.yaml', text })).ok, 'refused');
  }
});

test('all problems are told at once, in the order of the file', async (t) => {
  const found = await complaints(
    [
      'admin: {port: 4140}', // 1
      'foo: 1', // 2
      'routers:', // 3
      '- protocol: http', // 4
      '  dtab: nope', // 5
      '  servers: [{port: 99999}, {prot: 1}]', // 6
      '- protocol: http', // 7
      '  servers: [{}]', // 8
      '- protocol: mux', // 9
      '  servers: [{port: 4140, ip: 0.0.0.0}]', // 10
    ].join('\n'),
  );
  t.strictSame(
    found.map((line) => /^(\d+:\d+): (?:warning: )?(\S+):/.exec(line)?.slice(1).join(' ')),
    [
      '2:1 foo',
      '5:9 routers[0].dtab',
      '6:20 routers[0].servers[0].port',
      '6:28 routers[0].servers[1]',
      '6:29 routers[0].servers[1].prot',
      '7:13 routers[1].protocol',
      '8:13 routers[1].servers[0]',
      '9:13 routers[2].protocol',
      '10:20 routers[2].servers[0].port',
      '10:30 routers[2].servers[0].ip',
    ],
    found.join('\n'),
  );
});

test('an unknown kind or protocol hides nothing else that is wrong', async (t) => {
  const cases: [text: string, expected: readonly string[]][] = [
    [
      'routers: [{protocol: gopher, foo: 1, servers: [{port: abc}], dtab: nope}]',
      ['routers[0].protocol', 'routers[0].foo', 'routers[0].servers[0].port', 'routers[0].dtab'],
    ],
    ['routers: [{label: [], dtab: nope}]', ['protocol', 'label', 'dtab', 'servers'].map((key) => `routers[0].${key}`)],
    // Other protocols have other keys, and none is read that is not built.
    ['routers: [{protocol: h22, h2AccessLog: x, servers: [{port: abc}]}]', ['routers[0].protocol']],
    // A key that one of the kinds has is checked as that one does; one that none has may be an unread kind's.
    [
      `namers: [{kind: nope, rootDir: /no/such, prefix: x, host: y, transformers: [{kind: z}]}]\n${router([])}`,
      ['kind', 'rootDir', 'prefix', 'transformers[0].kind'].map((key) => `namers[0].${key}`),
    ],
    // What is meant by a misspelt kind is clear enough to miss its keys.
    [
      `namers: [{kind: io.l5d.fss, foo: 1}]\n${router([])}`,
      ['kind', 'foo', 'rootDir'].map((key) => `namers[0].${key}`),
    ],
    [
      router(['client: {loadBalancer: {kind: nope, maxEffort: x, y: 1}}']),
      ['kind', 'maxEffort', 'y'].map((key) => `routers[0].client.loadBalancer.${key}`),
    ],
    [
      router(['service: {kind: nope, totalTimeoutMs: -1, configs: [{prefix: /, totalTimeoutMs: -2}]}']),
      ['kind', 'totalTimeoutMs', 'configs[0].totalTimeoutMs'].map((key) => `routers[0].service.${key}`),
    ],
    [
      router(['identifier: [{kind: io.l5d.pth, segments: 0}]']),
      ['routers[0].identifier[0].kind', 'routers[0].identifier[0].segments'],
    ],
  ];
  for (const [text, expected] of cases) {
    const found = await complaints(text);
    const paths = found.map((line) => /^\d+:\d+: (\S+): /.exec(line)?.[1]);
    t.strictSame(new Set(paths), new Set(expected), found.join('\n'));
  }
});

test('a wrong key hides no rule between other keys, and a duplicate key nothing at all', async (t) => {
  const found = await complaints(
    [
      'routers:', // 1
      '- protocol: http', // 2
      '  streamingEnabled: false', // 3
      '  streamAfterContentLengthKB: 5', // 4
      '  maxHeadersKB: big', // 5
      '  client: {loadBalancer: {kind: aperture, lowLoad: 3, minAperture: few}}', // 6
      '  label: a', // 7
      '  label: b', // 8
      '  servers: [{prot: 1}]', // 9
      'telemetry: [{kind: io.l5d.statsd, port: x}]', // 10
    ].join('\n'),
  );
  t.strictSame(
    found.map((line) => /^(\d+:\d+): (?:warning: )?(\S+):/.exec(line)?.slice(1).join(' ')),
    [
      '4:31 routers[0].streamAfterContentLengthKB',
      '5:17 routers[0].maxHeadersKB',
      '6:52 routers[0].client.loadBalancer.lowLoad',
      '6:68 routers[0].client.loadBalancer.minAperture',
      '8:3 routers[0].label',
      '9:14 routers[0].servers[0].prot',
      '10:13 telemetry[0].experimental',
      '10:41 telemetry[0].port',
      '10:20 telemetry[0].kind',
    ],
    found.join('\n'),
  );
  // A rule is silent where one of the keys that it compares is wrong by itself.
  t.match(await complaints(router(['streamingEnabled: perhaps', 'streamAfterContentLengthKB: 5'])), [/^3:21: /]);
});

test('listeners that clash', async (t) => {
  const clash = (first: string, second: string, admin = 'port: 9990') =>
    complaints(`admin: {${admin}}\nrouters: [{protocol: http, servers: [{${first}}, {${second}}]}]`);
  t.match(await clash('port: 1', 'port: 1'), [/port 1 is taken by routers\[0\]\.servers\[0\]/]);
  t.match(await clash('port: 1, ip: 0.0.0.0', 'port: 1'), [/is taken/], 'a wildcard takes every address');
  t.match(await clash('port: 1', 'port: 1, ip: "::"'), [/is taken/]);
  t.match(await clash('port: 5', 'port: 6', 'port: 6'), [/port 6 is taken by admin/]);
  t.match(
    await clash('port: 5', 'port: 9990', 'ip: 127.0.0.1'),
    [/port 9990 is taken by admin/],
    "admin's default port",
  );
  t.match(await clash('ip: 127.0.0.1', 'port: 4140'), [/port 4140 is taken by/], "the protocol's default port");
  t.match(await clash('port: 5', 'port: 6', 'httpIdentifierPort: 6'), [/port 6 is taken by admin\.httpIdentifierPort/]);
  t.match(await clash('port: 5', 'port: 6', 'port: 7, httpIdentifierPort: 7'), [/port 7 is taken by admin;/]);
  t.strictSame(await clash('port: 0', 'port: 0', 'port: 0, httpIdentifierPort: 0'), [], 'free ports');
  t.strictSame(await clash('port: 5, ip: 127.0.0.1', 'port: 5, ip: 127.0.0.2'), [], 'two addresses');
});

test('what is known but not built is a warning, or an error where routing or security would be lost', async (t) => {
  const cases: [string, 'warning' | 'error' | 'nothing', string][] = [
    [router(['client: {failFast: true}']), 'nothing', ''],
    [router(['client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 3}}']), 'nothing', ''],
    [router(['client: {loadBalancer: {kind: ewma, decayTimeMs: 5, enableProbation: yes}}']), 'nothing', ''],
    [
      router(['client: {kind: io.l5d.static, configs: [{prefix: /, socketOptions: {backlog: 5}}]}']),
      'warning',
      'configs[0].socketOptions.backlog',
    ],
    [router(['client: {tls: {commonName: x}}']), 'error', 'requests would be sent without TLS'],
    [router(['client: {kind: io.l5d.static, configs: [{prefix: /, tls: {commonName: x}}]}']), 'error', 'without TLS'],
    [router(['client: {tls: {enabled: no}}']), 'nothing', ''],
    [router(['client: {requestAuthorizers: [{kind: io.l5d.k8s.istio}]}']), 'error', 'unchecked'],
    [router(['client: {socketOptions: {noDelay: no, keepAlive: yes, reuseAddr: yes}}']), 'nothing', ''],
    [router(['client: {socketOptions: {readTimeoutMs: 5, writeTimeoutMs: 5}}']), 'nothing', ''],
    [router(['client: {socketOptions: {backlog: 5}}']), 'warning', 'clients do not listen'],
    [router(['service: {totalTimeoutMs: 5, responseClassifier: {kind: io.l5d.http.retryableRead5XX}}']), 'nothing', ''],
    [router(['client: {requestAttemptTimeoutMs: 5, requeueBudget: {ttlSecs: 60}}']), 'nothing', ''],
    [router(['service: {responseClassifier: {kind: io.l5d.http.nonRetryable5XX}}']), 'nothing', ''],
    [router(['compressionLevel: -1', 'originator: true', 'streamingEnabled: false']), 'nothing', ''],
    [router(['tracePropagator: {kind: io.l5d.default}']), 'nothing', ''],
    [router(['tracePropagator: {kind: io.l5d.zipkin}']), 'warning', 'l5d-ctx-trace'],
    ['routers: [{protocol: http, servers: [{timeoutMs: 5, serverSession: {lifeTimeMs: 5}}]}]', 'nothing', ''],
    [router(['httpAccessLog: /tmp/log']), 'warning', 'no access log'],
    [
      router(['identifier: {kind: io.l5d.ingress, namespace: x}']),
      'error',
      'io.l5d.ingress is known but not built yet',
    ],
    [router(['identifier: [{kind: io.l5d.path}, {kind: io.l5d.ingress}]']), 'error', 'identifier[1].kind'],
    [router(['interpreter: {kind: io.l5d.namerd, dst: /x}']), 'error', 'without its dtab'],
    [
      router(['interpreter: {kind: default, transformers: [{kind: io.l5d.k8s.localnode}]}']),
      'error',
      'other endpoints',
    ],
    [router([]).replace('http', 'h2'), 'error', 'h2 is known but not built yet'],
    [`namers: [{kind: io.l5d.consul, host: x}]\n${router([])}`, 'error', 'io.l5d.consul is known but not built yet'],
    [`admin: {security: {uiEnabled: no}}\n${router([])}`, 'nothing', ''],
    [`admin: {workerThreads: 2}\n${router([])}`, 'warning', 'main thread'],
    [`telemetry: [{kind: io.l5d.influxdb}]\n${router([])}`, 'nothing', ''],
    [`telemetry: [{kind: io.l5d.zipkin}]\n${router([])}`, 'warning', 'exports nothing'],
    [`telemetry: [{kind: io.l5d.prometheus}]\n${router([])}`, 'nothing', ''],
    [`telemetry: [{kind: io.l5d.recentRequests, sampleRate: 1}]\n${router([])}`, 'nothing', ''],
    [`workers: 2\n${router([])}`, 'nothing', ''],
    [`usage: {enabled: true, orgId: me}\n${router([])}`, 'nothing', ''],
    ['routers: [{protocol: http, servers: [{tls: {certPath: x}}]}]', 'error', 'the server would listen without TLS'],
    ['routers: [{protocol: http, servers: [{clearContext: true}]}]', 'nothing', ''],
  ];
  for (const [text, severity, expected] of cases) {
    const loaded = await loadConfig({ name: 'l.yaml', text });
    const errors = loaded.ok ? [] : loaded.errors.map(showProblem);
    const warnings = loaded.warnings.map(showProblem);
    t.equal(loaded.ok, severity !== 'error', text);
    const found = severity === 'error' ? errors : warnings;
    if (severity === 'nothing') t.strictSame([...errors, ...warnings], [], text);
    else t.ok(found.length === 1 && found[0]!.includes(expected), `${text}\n${[...errors, ...warnings].join('\n')}`);
  }
});

test('the original refuses and accepts the same configs', async (t) => {
  interface Case {
    readonly name: string;
    readonly args: readonly string[];
    readonly config: string | null;
    readonly started: boolean;
  }
  const fault = 'accepted there without complaint (reference/original-faults.md 14)';
  const differences: Readonly<Record<string, string>> = {
    'successRate 2.0': fault,
    'totalTimeoutMs negative': fault,
    'retry budget negative': fault,
    'backoff jittered min>max': fault,
    'service kind unknown': fault,
    'client static prefix missing': 'an entry without a prefix can match nothing, so it is a mistake',
    'tls client both commonName and disableValidation': 'client TLS is not built yet, and is never left out silently',
    'experimental field on h2': 'h2 is not built yet, and its requests would not be routed',
    'port already in use by another process': 'seen when the port is opened, not in the config',
  };
  const url = new URL('../fixtures/config-errors.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: readonly Case[] };
  const used = new Set<string>();
  for (const { name, args, config, started } of cases) {
    // The others are about the command line: test/main.test.ts.
    if (config === null || !['<config>', '-log.level=DEBUG <config>'].includes(args.join(' '))) continue;
    const { ok } = await loadConfig({ name: 'l.yaml', text: config });
    if (differences[name] === undefined) t.equal(ok, started, name);
    else if (t.not(ok, started, `${name}: ${differences[name]}`)) used.add(name);
  }
  t.strictSame([...used].sort(), Object.keys(differences).sort(), 'every difference is one');
});

test('a server is not opened by an `overrides:` that says nothing; other keys without a value are left out', async (t) => {
  const server = (lines: readonly string[]) =>
    ['routers:', '- protocol: http', '  servers:', '  - port: 4140', ...lines.map((line) => `    ${line}`), ''].join(
      '\n',
    );
  t.match(await complaints(server(['overrides:', '      # allow: [/svc]'])), [
    /^5:5: routers\[0\]\.servers\[0\]\.overrides: says nothing; write `overrides: \{\}`/,
  ]);
  t.match(await complaints(server(['overrides: {maxLength: 100, allow: ~}'])), [
    /^5:33: .*overrides\.allow: says nothing/,
  ]);
  t.strictSame(await complaints(server(['overrides: {}', 'clearContext:'])), []);
});

test('a prefix of a static config that no name can have is warned about', async (t) => {
  const withPrefix = (section: string, prefix: string) =>
    complaints(router([`${section}: {kind: io.l5d.static, configs: [{prefix: "${prefix}"}]}`]));
  for (const prefix of [
    '/',
    '',
    'svc',
    '/svc/*',
    '/svc/{name}',
    '/svc/a-{b}.{c}',
    '/#/io.l5d.fs/web:80',
    '/%/io.l5d.port/1/#',
  ]) {
    t.strictSame(await withPrefix('service', prefix), [], prefix);
  }
  for (const [prefix, what] of [
    ['/svc/we*', 'we*'],
    ['/svc/{name', '{name'],
    ['/svc/a{}', 'a{}'],
    ['/svc/{a b}', '{a b}'],
    ['/svc//web', ''],
  ] as const) {
    t.match(
      await withPrefix('client', prefix),
      [`configs[0].prefix: matches nothing: no name has "${what}" in it`],
      prefix,
    );
  }
});

test('a server that other hosts reach and that believes overrides is warned about', async (t) => {
  const warnings = async (server: string) => {
    const text = `routers: [{protocol: http, servers: [{port: 0, ${server}}]}]`;
    const loaded = await loadConfig({ name: 'l.yaml', text });
    t.ok(loaded.ok, server);
    return loaded.warnings.map(({ path, message }) => `${path}: ${message}`);
  };
  for (const open of [
    'ip: 0.0.0.0',
    'ip: "::"',
    'ip: 10.0.0.1, clearContext: no',
    'ip: 0.0.0.0, overrides: {inet: allow}',
  ]) {
    t.match(await warnings(open), [/^routers\[0\]\.servers\[0\]\.ip: other hosts .*clearContext: true/], open);
  }
  for (const closed of [
    ...['label: x', 'ip: 127.0.0.1', 'ip: 127.1.2.3', 'ip: "::1"', 'ip: 0.0.0.0, clearContext: yes'],
    ...['ip: 0.0.0.0, overrides: {}', 'ip: 0.0.0.0, overrides: {allow: [/svc], inet: deny-link-local}'],
  ]) {
    t.strictSame(
      (await warnings(closed)).filter((text) => text.includes('other hosts')),
      [],
      closed,
    );
  }
  const text = 'routers: [{protocol: http, servers: [{port: 0, ip: web.example}]}]';
  const { ok, warnings: beside } = await loadConfig({ name: 'l.yaml', text });
  t.strictSame([ok, beside], [false, []], 'what is no address is an error, and nothing else is known of it');
});

test('an overrides block is checked', async (t) => {
  const errors = async (block: string) => {
    const loaded = await loadConfig({
      name: 'l.yaml',
      text: `routers: [{protocol: http, servers: [{overrides: ${block}}]}]`,
    });
    return loaded.ok ? [] : loaded.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  t.strictSame(await errors('{allow: [/svc, /#/io.l5d.fs], maxLength: 200, inet: deny-link-local}'), []);
  t.match(await errors('{allow: [svc]}'), [/overrides\.allow\[0\]: not a path/]);
  t.match(await errors('{inet: some}'), [/overrides\.inet: must be one of deny, deny-link-local, allow/]);
  for (const length of [0, 1025]) {
    t.match(await errors(`{maxLength: ${length}}`), [/overrides\.maxLength: must be a whole number from 1 to 1024/]);
  }
  t.match(await errors('{allowed: true}'), [/overrides\.allowed: unknown key/]);
});

test('the demos of linkerd-examples that need no other service load unchanged', async (t) => {
  const demos: Readonly<Record<string, { readonly text: string; readonly warnings: number }>> = {
    'getting-started': {
      text: `
admin: {ip: 0.0.0.0, port: 9990}
namers:
- kind: io.l5d.fs
  rootDir: ${disco}
routers:
- protocol: http
  dtab: |
    /svc => /#/io.l5d.fs;
  servers:
  - {port: 4140, ip: 0.0.0.0}
`,
      warnings: 1,
    },
    'http-proxy': {
      text: 'routers: [{protocol: http, dtab: "/svc/webapp => /$/inet/127.1/8888", servers: [{port: 4140, ip: 0.0.0.0}]}]',
      warnings: 1,
    },
    'add-steps': {
      text: `
namers:
- kind: io.l5d.fs
  rootDir: ${disco}
routers:
- protocol: http
  dtab: |
    /svc => /#/io.l5d.fs/app;
  service:
    responseClassifier:
      kind: io.l5d.http.retryableRead5XX
  client:
    loadBalancer:
      kind: ewma
    failureAccrual:
      kind: io.l5d.successRate
      successRate: 0.9
      requests: 20
      backoff:
        kind: constant
        ms: 10000
  servers:
  - port: 4140
    ip: 0.0.0.0
telemetry:
- kind: io.l5d.prometheus
`,
      warnings: 1,
    },
    'failure-accrual': {
      text: `
routers:
- protocol: http
  label: "proxy by router type"
  dtab: /svc => /$/inet/127.1/4141 & /$/inet/127.1/4142 & /$/inet/127.1/4143;
  servers: [{port: 4140}]
- protocol: http
  label: none
  client: {failureAccrual: {kind: none}}
  servers: [{port: 4141}]
- protocol: http
  label: io.l5d.consecutiveFailures
  client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 5}}
  servers: [{port: 4142}]
- protocol: http
  label: io.l5d.successRate
  client: {failureAccrual: {kind: io.l5d.successRate, successRate: 0.9, requests: 20}}
  servers: [{port: 4143}]
`,
      warnings: 0,
    },
  };
  for (const [name, { text, warnings }] of Object.entries(demos)) {
    const loaded = await loadConfig({ name: `${name}.yaml`, text });
    t.ok(loaded.ok, name);
    t.equal(loaded.warnings.length, warnings, name);
  }
});

test('files that cannot be read', async (t) => {
  const message = async (path: string) => {
    const loaded = await loadConfigFile(path);
    return loaded.ok ? undefined : loaded.errors.map(showProblem).join('\n');
  };
  t.equal(await message('/no/such/file.yaml'), '/no/such/file.yaml: config is not a file: /no/such/file.yaml');
  t.equal(await message(disco), `${disco}: config is not a file: ${disco}`);
  const binary = join(disco, 'binary');
  writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]));
  t.equal(await message(binary), `${binary}: not UTF-8 text`);
  const large = join(disco, 'large');
  writeFileSync(large, Buffer.alloc(4 * 1024 * 1024 + 1, '#'));
  t.match(await message(large), 'larger than 4194304 bytes; this is no config');
});

test('the JSON Schema explains every key and shows its default', async (t) => {
  interface Node {
    readonly description?: string;
    readonly default?: unknown;
    readonly properties?: Readonly<Record<string, Node>>;
    readonly items?: Node;
    readonly oneOf?: readonly Node[];
    readonly anyOf?: readonly Node[];
    readonly const?: unknown;
  }
  const schema = (await configJsonSchema()) as Node;
  const silent: string[] = [];
  const visit = (node: Node, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      // The name of a kind is explained by the kind.
      if (child.description === undefined && child.const === undefined) silent.push(`${path}.${key}`);
      visit(child, `${path}.${key}`);
    }
    if (node.items !== undefined) visit(node.items, `${path}[]`);
    for (const child of [...(node.oneOf ?? []), ...(node.anyOf ?? [])]) visit(child, path);
  };
  visit(schema, '');
  t.strictSame(silent, []);
  t.equal(schema.properties?.['admin']?.properties?.['port']?.default, 9990);
  const http = schema.properties?.['routers']?.items?.oneOf?.[0];
  t.equal(http?.properties?.['dstPrefix']?.default, '/svc');
  t.strictSame(http?.properties?.['identifier']?.default, { kind: 'io.l5d.header.token' });
});
