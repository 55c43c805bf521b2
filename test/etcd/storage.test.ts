// io.l5d.etcd on a real etcd.
import { type Test, test } from 'tap';
import { loadConfig } from '../../namerd/load-config.ts';
import { EtcdGateway } from '../../namerd/storage/etcd/gateway.ts';
import { EtcdStorage } from '../../namerd/storage/etcd/storage.ts';
import { createStorage } from '../../namerd/storage/index.ts';
import type { DtabStorage } from '../../namerd/storage/storage.ts';
import { ControlClient } from '../../src/control-http/index.ts';
import { Dtab } from '../../src/naming/index.ts';
import { names, read, testConformance, writtenVersion } from '../namerd/storage/conformance.ts';
import { certificateAuthority } from '../support/certificates.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { Watcher } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';
import { startTcpRelay } from '../support/tcp-relay.ts';
import { until } from '../support/until.ts';

const WEB = Dtab.parse('/svc => /#/io.l5d.fs');
const SPLIT = Dtab.parse('/svc => 0.1 * /v2 & 0.9 * /v1');
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function open(t: Test, etcd: Etcd, pathPrefix: string, log = new MemoryLog()): Promise<DtabStorage> {
  const storage = new EtcdStorage({ host: '127.0.0.1', port: etcd.port, pathPrefix, log });
  await storage.start();
  t.teardown(() => storage.close());
  return storage;
}

test('io.l5d.etcd', async (t) => {
  const etcd = await startEtcd(t);
  let prefixes = 0;
  await testConformance(t, {
    backend: async (t) => {
      const prefix = `/test-${prefixes++}/dtabs`;
      return { open: () => open(t, etcd, prefix) };
    },
    isDurable: true,
    isShared: true,
    hasHistory: false,
    hasNotices: true,
  });
});

test('keys and values are what other tools expect', async (t) => {
  const etcd = await startEtcd(t);
  const storage = await open(t, etcd, '/namerd/dtabs/');
  const written = writtenVersion(await storage.create('default', WEB, {}));
  const { kvs } = await etcd.call<{ kvs: { value: string; mod_revision: string }[] }>('/v3/kv/range', {
    key: base64('/namerd/dtabs/default'),
  });
  t.match(kvs, [{ value: base64(WEB.show()) }]);
  t.equal(Number(kvs[0]?.mod_revision), Number(Buffer.from(written).readBigUInt64BE()));
  await etcd.call('/v3/kv/put', { key: base64('/namerd/dtabs/by-etcdctl'), value: base64('/a => /b ; # why\n') });
  await etcd.call('/v3/kv/put', { key: base64('/namerd/dtabsolutely-else'), value: base64('/a => /b') });
  await until(() => storage.observe('by-etcdctl').value.value?.dtab.show() === '/a=>/b');
  t.same(await names(storage), ['by-etcdctl', 'default'], 'and nothing beside the prefix');
});

test('text that is no dtab is logged, the last good one stays, and others are not hurt', async (t) => {
  const etcd = await startEtcd(t);
  const log = new MemoryLog();
  await etcd.call('/v3/kv/put', { key: base64('/d/never-good'), value: base64('nonsense') });
  const storage = await open(t, etcd, '/d', log);
  const kept = writtenVersion(await storage.create('spoiled', WEB, {}));
  writtenVersion(await storage.create('other', WEB, {}));
  t.equal(storage.observe('never-good').value.phase, 'failed');
  await etcd.call('/v3/kv/put', { key: base64('/d/spoiled'), value: base64('/svc => ') });
  await until(() => storage.observe('spoiled').value.phase === 'failed');
  t.equal(storage.observe('spoiled').value.value?.dtab.show(), WEB.show());
  t.equal((await read(storage, 'other'))?.dtab.show(), WEB.show());
  t.same(await names(storage), ['never-good', 'other', 'spoiled']);
  t.match(log.lines, [
    { level: 'error', namespace: 'never-good' },
    { level: 'error', namespace: 'spoiled', reason: /no dtab/ },
  ]);
  t.match(await storage.update('spoiled', WEB, kept, {}), { type: 'stale' });
  writtenVersion(await storage.put('spoiled', SPLIT, {}));
  t.equal((await read(storage, 'spoiled'))?.dtab.show(), SPLIT.show());
});

test('a watch goes on after a compaction, and misses nothing', async (t) => {
  const etcd = await startEtcd(t);
  const storage = await open(t, etcd, '/d');
  const first = writtenVersion(await storage.create('default', WEB, {}));
  await etcd.kill('SIGSTOP');
  await etcd.kill('SIGCONT');
  for (let i = 0; i < 20; i++)
    await etcd.call('/v3/kv/put', { key: base64('/d/default'), value: base64(`/n => /${i}`) });
  await until(() => storage.observe('default').value.value?.dtab.show() === '/n=>/19');
  // What the watch has told is compacted away; the next stream begins with a listing.
  const { header } = await etcd.call<{ header: { revision: string } }>('/v3/kv/range', { key: base64('x') });
  await etcd.call('/v3/kv/compaction', { revision: header.revision, physical: true });
  await etcd.kill('SIGKILL');
  await until(() => storage.list().value.phase === 'failed');
  await etcd.restart();
  await etcd.call('/v3/kv/put', { key: base64('/d/default'), value: base64('/n => /newest') });
  await until(() => storage.observe('default').value.value?.dtab.show() === '/n=>/newest', { timeoutMs: 30_000 });
  t.match(await storage.update('default', WEB, first, {}), { type: 'stale' });
});

test('a watch from a revision that is compacted says so', async (t) => {
  const etcd = await startEtcd(t);
  const client = new ControlClient({ host: '127.0.0.1', port: etcd.port, log: new MemoryLog() });
  await client.open();
  t.teardown(() => client.close());
  const gateway = new EtcdGateway(client);
  for (let i = 0; i < 5; i++) await gateway.change({ key: '/d/x', value: `${i}` }, []);
  const { header } = await gateway.range('/d/');
  await etcd.call('/v3/kv/compaction', { revision: String(header.revision) });
  const told: unknown[] = [];
  for await (const message of gateway.watch('/d/', 2, AbortSignal.timeout(20_000))) told.push(message);
  t.same(told, [{ type: 'compacted' }]);
});

test('a watch whose connection fell silent is noticed', async (t) => {
  const etcd = await startEtcd(t);
  const relay = await startTcpRelay(t, etcd.port);
  const storage = await open(t, { ...etcd, port: relay.port }, '/d');
  writtenVersion(await storage.create('default', WEB, {}));
  const watcher = new Watcher(storage.observe('default'));
  t.teardown(() => watcher.stop());
  await watcher.until(({ phase }) => phase === 'ok');
  const connections = relay.accepted;
  relay.silenceOpenConnections();
  await etcd.call('/v3/kv/put', { key: base64('/d/default'), value: base64('/told => /x') });
  await until(() => watcher.last?.value?.dtab.show() === '/told=>/x', { timeoutMs: 60_000 });
  t.ok(relay.accepted > connections, 'over a new connection');
});

test('over TLS, with a client certificate that is watched', async (t) => {
  const authority = certificateAuthority(t);
  const server = authority.issue('etcd.test');
  const client = authority.issue('namerd');
  const etcd = await startEtcd(t, { server, authority });
  const text = `
storage:
  kind: io.l5d.etcd
  experimental: true
  host: 127.0.0.1
  port: ${etcd.port}
  tls:
    commonName: etcd.test
    trustCertsBundle: ${authority.certPath}
    clientAuth: {certPath: ${client.certPath}, keyPath: ${client.keyPath}}
interfaces: [{kind: io.l5d.httpController}]
`;
  const configured = async (yaml: string) => {
    const loaded = await loadConfig({ name: 'n.yaml', text: yaml });
    if (!loaded.ok || loaded.config.storage === undefined) throw new Error(JSON.stringify(loaded));
    const storage = createStorage(loaded.config.storage, { log: new MemoryLog() });
    await storage.start();
    t.teardown(() => storage.close());
    return storage;
  };
  const storage = await configured(text);
  writtenVersion(await storage.create('default', WEB, {}));
  t.same(await names(storage), ['default']);
  t.match(storage.state?.(), { origin: `https://127.0.0.1:${etcd.port}` });

  const wrongName = await configured(text.replace('commonName: etcd.test', 'commonName: other.test'));
  t.match(await wrongName.put('default', SPLIT, {}), {
    type: 'unavailable',
    reason: /can not be reached: .*other\.test/,
  });
  const nobody = await configured(text.replace(/ *clientAuth.*\n/, ''));
  t.equal((await nobody.put('default', SPLIT, {})).type, 'unavailable');
});

test('an etcd that goes away: reads serve what was known, writes say why not, and it comes back by itself', async (t) => {
  const etcd = await startEtcd(t);
  const log = new MemoryLog();
  const storage = await open(t, etcd, '/d', log);
  writtenVersion(await storage.create('default', WEB, {}));
  const watcher = new Watcher(storage.observe('default'));
  const list = new Watcher(storage.list());
  t.teardown(() => {
    watcher.stop();
    list.stop();
  });
  await watcher.until(({ phase }) => phase === 'ok');

  await etcd.kill('SIGKILL');
  const away = await watcher.until(({ phase }) => phase === 'failed');
  t.equal(away.value?.dtab.show(), WEB.show());
  t.same((await list.until(({ phase }) => phase === 'failed')).value, ['default']);
  t.match(await storage.put('default', SPLIT, {}), { type: 'unavailable', reason: /can not be reached/ });
  t.equal((await storage.delete('default', {})).type, 'unavailable');

  await etcd.restart();
  await watcher.until(({ phase }) => phase === 'ok');
  writtenVersion(await storage.put('default', SPLIT, {}));
  await watcher.until(({ value }) => value?.dtab.show() === SPLIT.show());
  t.match(
    log.lines.map(({ message }) => message),
    [/^the storage does not answer; what was last known is served/, 'the storage answers again'],
    'said once each',
  );
  const afterFirst = list.seen.slice(1);
  t.ok(
    afterFirst.length > 1 && afterFirst.every(({ value }) => value?.length === 1),
    'the table was never empty in between',
  );
});

test('an etcd that is silent is noticed, and writes are given up in a bounded time', async (t) => {
  const etcd = await startEtcd(t);
  const storage = await open(t, etcd, '/d');
  writtenVersion(await storage.create('default', WEB, {}));
  await etcd.kill('SIGSTOP');
  t.teardown(() => etcd.kill('SIGCONT'));
  t.match(await storage.put('default', SPLIT, {}), { type: 'unavailable', reason: /does not answer within 5000 ms/ });
  await until(() => storage.observe('default').value.phase === 'failed', { timeoutMs: 30_000 });
  t.equal(storage.observe('default').value.value?.dtab.show(), WEB.show());
  await etcd.kill('SIGCONT');
  await until(() => storage.observe('default').value.phase === 'ok', { timeoutMs: 30_000 });
  // The write that was given up may have been made; what is served is what is stored.
  const { kvs } = await etcd.call<{ kvs: { value: string }[] }>('/v3/kv/range', { key: base64('/d/default') });
  await until(() => base64(storage.observe('default').value.value?.dtab.show() ?? '') === kvs[0]?.value);
});

test('an etcd that comes back empty does not take the table away', async (t) => {
  const etcd = await startEtcd(t);
  const log = new MemoryLog();
  const storage = await open(t, etcd, '/d', log);
  for (const name of ['a', 'b']) writtenVersion(await storage.create(name, WEB, {}));
  await etcd.kill('SIGKILL');
  await etcd.restart({ empty: true });
  await until(
    () => /is not the one that it was/.test((storage.list().value as { error?: Error }).error?.message ?? ''),
    {
      timeoutMs: 30_000,
    },
  );
  t.same(storage.list().value.value, ['a', 'b']);
  t.equal(storage.observe('a').value.value?.dtab.show(), WEB.show());

  // As soon as somebody puts dtabs there, they count.
  await etcd.call('/v3/kv/put', { key: base64('/d/a'), value: base64('/restored => /x') });
  await until(() => storage.observe('a').value.phase === 'ok', { timeoutMs: 30_000 });
  t.equal(storage.observe('a').value.value?.dtab.show(), '/restored=>/x');
  t.same(await names(storage), ['a']);
});

test('a namerd that starts before its etcd serves as soon as it is there', async (t) => {
  const etcd = await startEtcd(t);
  writtenVersion(await (await open(t, etcd, '/d')).create('default', WEB, {}));
  await etcd.kill('SIGKILL');
  const storage = await open(t, etcd, '/d');
  await until(() => storage.list().value.phase === 'failed');
  t.equal(storage.list().value.value, undefined, 'nothing is known, which is not the same as nothing is there');
  t.equal(storage.observe('default').value.value, undefined);
  await etcd.restart();
  await until(() => storage.observe('default').value.phase === 'ok', { timeoutMs: 30_000 });
  t.equal(storage.observe('default').value.value?.dtab.show(), WEB.show());
});
