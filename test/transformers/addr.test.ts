import { networkInterfaces } from 'node:os';
import { test } from 'tap';
import { z } from 'zod';
import { DnsResolver } from '../../src/dns/index.ts';
import { derive } from '../../src/live/index.ts';
import { type Addr, type Endpoint, Path } from '../../src/naming/index.ts';
import { transformerKinds } from '../../src/transformers/index.ts';
import { localhost } from '../../src/transformers/localhost.ts';
import { port } from '../../src/transformers/port.ts';
import { specificHost } from '../../src/transformers/specific-host.ts';
import { DnsServer } from '../support/dns-server.ts';
import { Watcher } from '../support/eventually.ts';

const endpoint = (host: string, port = 80, weight = 1): Endpoint => ({ host, port, weight });
const bound = (...endpoints: Endpoint[]): Addr => ({ state: 'bound', endpoints, meta: { authority: 'web' } });
const notBound: Addr[] = [{ state: 'pending' }, { state: 'neg' }, { state: 'failed', cause: 'x' }];
const resolver = new DnsResolver({ lingerMs: 0 });

test('every kind of the original that is built', async (t) => {
  t.same(
    transformerKinds.map(({ kind }) => kind),
    ['io.l5d.localhost', 'io.l5d.specificHost', 'io.l5d.port', 'io.l5d.const', 'io.l5d.replace'],
  );
});

test('port: every port is replaced, and equal endpoints collapse', async (t) => {
  const transformer = port.create({ port: 4141 }, { resolver });
  t.equal(transformer.prefix.show(), '/%/io.l5d.port/4141');
  const addr = bound(endpoint('10.0.0.1', 80), endpoint('10.0.0.2', 80, 3), endpoint('10.0.0.1', 81, 2));
  t.same(transformer.transform(addr), bound(endpoint('10.0.0.1', 4141, 2), endpoint('10.0.0.2', 4141, 3)));
  t.same(transformer.transform(bound()), bound());
  for (const each of notBound) t.same(transformer.transform(each), each);
});

test('port: what is no port is refused', async (t) => {
  const schema = port.config(z);
  t.same(schema.parse({ port: '4141' }), { port: 4141 });
  for (const bad of [{}, { port: 0 }, { port: 65536 }, { port: 'x' }]) t.notOk(schema.safeParse(bad).success);
});

test('localhost: endpoints on addresses of this host', async (t) => {
  const transformer = localhost.create({}, { resolver });
  t.equal(transformer.prefix.show(), '/%/io.l5d.localhost');
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const endpoints = own.map(({ address }) => endpoint(address));
  t.same(transformer.transform(bound(...endpoints, endpoint('192.0.2.1'))), bound(...endpoints));
  t.same(transformer.transform(bound(endpoint('192.0.2.1'), endpoint('2001:db8::1'))), { state: 'neg' });
  t.same(transformer.transform(bound()), { state: 'neg' });
  t.same(transformer.transform(bound(endpoint('not-an-ip'))), bound(endpoint('not-an-ip')), 'what has no IP passes');
  for (const each of notBound) t.same(transformer.transform(each), each);
});

test('specificHost: an address, however it is written', async (t) => {
  const cases = {
    '10.0.0.1': '10.0.0.1',
    '2001:db8:0:0::1': '2001:DB8::1',
    '127.1': '127.0.0.1',
    localhost: '127.0.0.1',
  };
  for (const [host, address] of Object.entries(cases)) {
    const transformer = specificHost.create({ host }, { resolver });
    t.equal(transformer.prefix.show(), '/%/io.l5d.specificHost');
    const kept = new Watcher(derive(() => transformer.transform(bound(endpoint(address), endpoint('192.0.2.1')))));
    t.same(await kept.until((addr) => addr.state !== 'pending'), bound(endpoint(address)), host);
    kept.stop();
  }
});

test('specificHost: a name is resolved, and resolved again', async (t) => {
  const server = await DnsServer.start();
  const resolver = new DnsResolver({
    hostsPath: '/nonexistent',
    resolvConfPath: '/nonexistent',
    servers: [server.address],
    minTtlMs: 20,
    maxTtlMs: 50,
    lingerMs: 0,
  });
  t.teardown(() => {
    resolver.close();
    server.close();
  });
  server.names.set('node.example', 'SERVFAIL');
  const transformer = specificHost.create({ host: 'node.example' }, { resolver });
  const addr = bound(endpoint('10.0.0.1'), endpoint('10.0.0.2'));
  const kept = new Watcher(derive(() => transformer.transform(addr)));
  t.same(kept.last ?? transformer.transform(addr), { state: 'pending' });
  t.match(await kept.until(({ state }) => state === 'failed'), { cause: /node.example/ });
  server.names.set('node.example', { addresses: ['10.0.0.1'] });
  t.same(await kept.until(({ state }) => state === 'bound'), bound(endpoint('10.0.0.1')));
  server.names.set('node.example', { addresses: ['10.0.0.2'] });
  await kept.until((now) => now.state === 'bound' && now.endpoints[0]?.host === '10.0.0.2');
  server.names.delete('node.example');
  t.same(await kept.until(({ state }) => state !== 'bound'), { state: 'neg' });
  for (const each of notBound) t.same(transformer.transform(each), each);
  kept.stop();
});

test('the key `prefix` replaces the kind in ids', async (t) => {
  const prefix = Path.parse('/mine/here');
  t.equal(localhost.create({}, { resolver, prefix }).prefix.show(), '/%/mine/here');
  t.equal(port.create({ port: 80 }, { resolver, prefix }).prefix.show(), '/%/mine/here/80');
});
