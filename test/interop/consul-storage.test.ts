// io.l5d.consul on a real Consul.
import { type Test, test } from 'tap';
import { loadConfig } from '../../namerd/load-config.ts';
import { ConsulStorage, type ConsulStorageOptions } from '../../namerd/storage/consul/storage.ts';
import { createStorage } from '../../namerd/storage/index.ts';
import type { DtabStorage } from '../../namerd/storage/storage.ts';
import { equalJitter } from '../../src/config/backoff.ts';
import { Dtab } from '../../src/naming/index.ts';
import { names, read, testConformance, writtenVersion } from '../namerd/storage/conformance.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { type Consul, MANAGEMENT_TOKEN, startConsul } from '../support/consul.ts';
import { Watcher } from '../support/eventually.ts';
import { httpRequest } from '../support/http-get.ts';
import { MemoryLog } from '../support/log.ts';
import { startNamerd } from '../support/namerd.ts';
import { namerdExamples } from '../support/namerd-examples.ts';
import { until } from '../support/until.ts';

const WEB = Dtab.parse('/svc => /#/io.l5d.fs');
const SPLIT = Dtab.parse('/svc => 0.1 * /v2 & 0.9 * /v1');

async function open(t: Test, consul: Consul, options: Partial<ConsulStorageOptions> = {}): Promise<DtabStorage> {
  const storage = new ConsulStorage({
    host: '127.0.0.1',
    port: consul.port,
    pathPrefix: '/namerd/dtabs',
    readConsistency: 'default',
    writeConsistency: 'default',
    failFast: false,
    backoff: equalJitter(50, 500, Math.random),
    log: new MemoryLog(),
    ...options,
  });
  await storage.start();
  t.teardown(() => storage.close());
  return storage;
}

const slow = { timeoutMs: 60_000 };

test('io.l5d.consul', async (t) => {
  const consul = await startConsul(t);
  for (const readConsistency of ['default', 'stale', 'consistent'] as const) {
    await t.test(`read consistency ${readConsistency}`, async (t) => {
      let prefixes = 0;
      await testConformance(t, {
        backend: async (t) => {
          const pathPrefix = `/${readConsistency}-${prefixes++}/dtabs`;
          return { open: () => open(t, consul, { pathPrefix, readConsistency, writeConsistency: readConsistency }) };
        },
        isDurable: true,
        isShared: true,
        hasHistory: false,
        hasNotices: true,
        keepsVersionOfEqualDtab: true,
      });
    });
  }
});

test('keys, values and versions are those of the original', async (t) => {
  const consul = await startConsul(t);
  const storage = await open(t, consul);
  const written = writtenVersion(await storage.create('default', WEB, {}));
  const [entry] = JSON.parse((await consul.request('GET', '/v1/kv/namerd/dtabs/default')).text);
  t.equal(Buffer.from(entry.Value, 'base64').toString(), WEB.show());
  t.equal(Buffer.from(written).toString(), String(entry.ModifyIndex));
  await consul.request('PUT', '/v1/kv/namerd/dtabs/by-consul-kv', '/a => /b ; # why\n');
  await consul.request('PUT', '/v1/kv/namerd/dtabsolutely-else', '/a => /b');
  await consul.request('PUT', '/v1/kv/namerd/dtabs/', '');
  await until(() => storage.observe('by-consul-kv').value.value?.dtab.show() === '/a=>/b');
  t.same(await names(storage), ['by-consul-kv', 'default'], 'no folder, and nothing beside the prefix');
});

test('text that is no dtab is logged, the last good one stays, and others are not hurt', async (t) => {
  const consul = await startConsul(t);
  const log = new MemoryLog();
  const storage = await open(t, consul, { log });
  const kept = writtenVersion(await storage.create('spoiled', WEB, {}));
  writtenVersion(await storage.create('other', WEB, {}));
  await consul.request('PUT', '/v1/kv/namerd/dtabs/spoiled', '/svc => ');
  await until(() => storage.observe('spoiled').value.phase === 'failed');
  t.equal(storage.observe('spoiled').value.value?.dtab.show(), WEB.show());
  t.equal((await read(storage, 'other'))?.dtab.show(), WEB.show());
  t.match(log.lines, [{ level: 'error', namespace: 'spoiled', reason: /no dtab/ }]);
  t.match(await storage.update('spoiled', WEB, kept, {}), { type: 'stale' });
  writtenVersion(await storage.put('spoiled', SPLIT, {}));
  t.equal((await read(storage, 'spoiled'))?.dtab.show(), SPLIT.show());
});

test('a Consul that goes away: reads serve what was known, writes say why not, and it comes back by itself', async (t) => {
  const consul = await startConsul(t);
  const log = new MemoryLog();
  const storage = await open(t, consul, { log });
  const hasty = await open(t, consul, { failFast: true });
  writtenVersion(await storage.create('default', WEB, {}));
  const watcher = new Watcher(storage.observe('default'));
  const list = new Watcher(storage.list());
  t.teardown(() => {
    watcher.stop();
    list.stop();
  });
  await watcher.until(({ phase }) => phase === 'ok');
  await list.until(({ value }) => value?.length === 1);
  const seenBefore = list.seen.length;

  await consul.kill('SIGKILL');
  t.equal((await watcher.until(({ phase }) => phase === 'failed')).value?.dtab.show(), WEB.show());
  t.match(await storage.put('default', SPLIT, {}), { type: 'unavailable', reason: /can not be reached/ });
  t.equal((await storage.delete('default', {})).type, 'unavailable');
  await until(() => hasty.list().value.phase === 'failed');
  t.match(await hasty.put('default', SPLIT, {}), { type: 'unavailable', reason: /can not be reached/ });

  await consul.restart();
  await until(() => storage.list().value.phase === 'ok', slow);
  writtenVersion(await storage.put('default', SPLIT, {}));
  await until(() => watcher.last?.value?.dtab.show() === SPLIT.show());
  t.match(
    log.lines.map(({ message }) => message),
    [/^the storage does not answer; what was last known is served/, 'the storage answers again'],
    'said once each',
  );
  t.ok(
    list.seen.slice(seenBefore).every(({ value }) => value?.length === 1),
    'the table was never empty in between',
  );
});

test('a Consul that is silent is noticed, and writes are given up in a bounded time', async (t) => {
  const consul = await startConsul(t);
  const storage = await open(t, consul);
  writtenVersion(await storage.create('default', WEB, {}));
  await consul.kill('SIGSTOP');
  t.teardown(() => consul.kill('SIGCONT'));
  t.match(await storage.put('default', SPLIT, {}), { type: 'unavailable', reason: /does not answer within 5000 ms/ });
  await until(() => storage.observe('default').value.phase === 'failed', slow);
  t.equal(storage.observe('default').value.value?.dtab.show(), WEB.show());
  await consul.kill('SIGCONT');
  await until(() => storage.observe('default').value.phase === 'ok', slow);
});

test('a Consul that comes back empty does not take the table away', async (t) => {
  const consul = await startConsul(t);
  const storage = await open(t, consul);
  for (let i = 0; i < 100; i++) writtenVersion(await storage.put(`n${i % 2}`, Dtab.parse(`/n => /${i}`), {}));
  await consul.kill('SIGKILL');
  await consul.restart({ empty: true });
  const failure = () => (storage.list().value as { error?: Error }).error?.message ?? '';
  await until(() => /is not the one that it was/.test(failure()), slow);
  t.same(storage.list().value.value, ['n0', 'n1']);
  t.equal(storage.observe('n1').value.value?.dtab.show(), '/n=>/99');

  // As soon as somebody puts dtabs there, they count.
  await consul.request('PUT', '/v1/kv/namerd/dtabs/n0', '/restored => /x');
  await until(() => storage.observe('n0').value.phase === 'ok', slow);
  t.equal(storage.observe('n0').value.value?.dtab.show(), '/restored=>/x');
  t.same(await names(storage), ['n0']);
});

test('a token that may not do what is wanted is told, and one that may is used', async (t) => {
  const consul = await startConsul(t, { accessControl: true });
  const text = `
storage: {kind: io.l5d.consul, host: 127.0.0.1, port: ${consul.port}, token: ${MANAGEMENT_TOKEN}, backoff: {kind: constant, ms: 100}}
interfaces: [{kind: io.l5d.httpController}]
`;
  const loaded = await loadConfig({ name: 'n.yaml', text });
  if (!loaded.ok || loaded.config.storage === undefined) throw new Error(JSON.stringify(loaded));
  const allowed = createStorage(loaded.config.storage, { log: new MemoryLog() });
  await allowed.start();
  t.teardown(() => allowed.close());
  writtenVersion(await allowed.create('default', WEB, {}));
  t.same(await names(allowed), ['default']);

  const anonymous = await open(t, consul);
  await until(() => anonymous.list().value.phase === 'failed');
  t.equal(anonymous.list().value.value, undefined, 'what may not be read is not the same as nothing');
  t.match(await anonymous.put('default', SPLIT, {}), { type: 'unavailable', reason: /^Consul refuses the token/ });
  t.equal((await read(allowed, 'default'))?.dtab.show(), WEB.show());
});

test('a token that loses the right to read does not take the table away', async (t) => {
  const consul = await startConsul(t, { accessControl: true });
  const rules = (policy: string) =>
    JSON.stringify({ Name: 'dtabs', Rules: `key_prefix "namerd/" { policy = "${policy}" }` });
  const policy = JSON.parse((await consul.request('PUT', '/v1/acl/policy', rules('write'))).text) as { ID: string };
  const token = JSON.parse(
    (await consul.request('PUT', '/v1/acl/token', JSON.stringify({ Policies: [{ ID: policy.ID }] }))).text,
  ) as { SecretID: string };
  const storage = await open(t, consul, { token: token.SecretID });
  await until(() => storage.list().value.phase === 'ok', slow);
  for (const name of ['a', 'b']) writtenVersion(await storage.create(name, WEB, {}));
  const other = await open(t, consul, { token: token.SecretID });
  await until(() => other.list().value.value?.length === 2);

  await consul.request('PUT', `/v1/acl/policy/${policy.ID}`, rules('deny'));
  const failure = () => (storage.list().value as { error?: Error }).error?.message ?? '';
  await until(() => /^Consul refuses the token/.test(failure()), slow);
  t.same(other.list().value.value, ['a', 'b']);
  t.same(storage.list().value.value, ['a', 'b']);
  await consul.request('PUT', `/v1/acl/policy/${policy.ID}`, rules('write'));
  await until(() => storage.list().value.phase === 'ok', slow);
  writtenVersion(await storage.put('a', SPLIT, {}));
});

test('over TLS, with a client certificate', async (t) => {
  const authority = certificateAuthority(t);
  const client = authority.issue('namerd');
  const consul = await startConsul(t, { tls: { ...authority.issue('consul.test'), caPath: authority.certPath } });
  const tls = { commonName: 'consul.test', trustCertsBundle: authority.certPath };
  const known = await open(t, consul, { port: consul.httpsPort, tls: { ...tls, clientAuth: client } });
  writtenVersion(await known.create('default', WEB, {}));
  t.same(await names(known), ['default']);
  const unknown = await open(t, consul, { port: consul.httpsPort, tls });
  t.equal((await unknown.put('default', SPLIT, {})).type, 'unavailable');
});

test('a datacenter that is not there, and a server that is no Consul', async (t) => {
  const consul = await startConsul(t);
  const elsewhere = await open(t, consul, { datacenter: 'nowhere' });
  t.match(await elsewhere.put('default', WEB, {}), { type: 'unavailable', reason: /No path to datacenter/ });
  await until(() => elsewhere.list().value.phase === 'failed');
  const here = await open(t, consul, { datacenter: 'dc1' });
  writtenVersion(await here.put('default', WEB, {}));
});

test('examples/namerd/consul.yaml serves what is in Consul', async (t) => {
  const consul = await startConsul(t);
  await consul.request('PUT', '/v1/kv/namerd/dtabs/default', '/svc => /#/io.l5d.fs');
  const examples = await namerdExamples(t);
  await startNamerd(t, await examples.config('consul.yaml', { 'port: 8500': `port: ${consul.port}` }));
  const url = `http://127.0.0.1:${examples.port('4180')}/api/1/dtabs/default`;
  await until(async () => (await httpRequest(url)).status === 200);
  t.same(JSON.parse((await httpRequest(url)).body), [{ prefix: '/svc', dst: '/#/io.l5d.fs' }]);
});
