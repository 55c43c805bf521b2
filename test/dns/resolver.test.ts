import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type DnsOptions, DnsResolver, LookUpError } from '../../src/dns/index.ts';
import type { Activity } from '../../src/live/index.ts';
import { DnsServer } from '../support/dns-server.ts';
import { eventually, Watcher } from '../support/eventually.ts';

type Addresses = Activity<readonly string[]>;
const are =
  (...addresses: string[]) =>
  (now: Addresses) =>
    now.phase === 'ok' && now.value.join() === addresses.join();
const failed = (now: Addresses) => now.phase === 'failed';

/** A server, and a resolver that asks it and reads files of its own; both end with the test. */
async function setUp(t: Test, files: { hosts?: string; 'resolv.conf'?: string } = {}, options: DnsOptions = {}) {
  const dir = t.testdir({ hosts: '', 'resolv.conf': 'options timeout:1 attempts:1', ...files });
  const server = await DnsServer.start();
  const resolver = new DnsResolver({
    hostsPath: join(dir, 'hosts'),
    resolvConfPath: join(dir, 'resolv.conf'),
    servers: [server.address],
    minTtlMs: 20,
    maxTtlMs: 200,
    lingerMs: 0,
    ...options,
  });
  t.teardown(() => {
    resolver.close();
    server.close();
  });
  const watch = (host: string) => {
    const watcher = new Watcher(resolver.resolve(host));
    t.teardown(() => watcher.stop());
    return watcher;
  };
  return { dir, server, resolver, watch };
}

test('addresses are asked for again when their TTL ends, and only then', async (t) => {
  const { server, watch } = await setUp(t, {}, { minTtlMs: 20, maxTtlMs: 3_600_000 });
  server.names.set('short.example', { addresses: ['10.0.0.1'], ttl: 0 });
  server.names.set('long.example', { addresses: ['10.0.1.1'], ttl: 3_600 });
  const short = watch('short.example');
  const long = watch('long.example');
  await short.until(are('10.0.0.1'));
  await long.until(are('10.0.1.1'));
  server.names.set('short.example', { addresses: ['10.0.0.2'], ttl: 0 });
  server.names.set('long.example', { addresses: ['10.0.1.2'], ttl: 3_600 });
  await short.until(are('10.0.0.2'));
  await eventually(() => server.count('short.example') >= 5);
  t.equal(server.count('long.example'), 1);
  t.ok(are('10.0.1.1')(long.last!));
});

test('a TTL longer than the maximum is cut', async (t) => {
  const { server, watch } = await setUp(t);
  server.names.set('web.example', { addresses: ['10.0.0.1'], ttl: 3_600 });
  const web = watch('web.example');
  await web.until(are('10.0.0.1'));
  server.names.set('web.example', { addresses: ['10.0.0.2'], ttl: 3_600 });
  await web.until(are('10.0.0.2'));
});

test('answers are sorted and without doubles, so that a rotation is no change', async (t) => {
  const { server, watch } = await setUp(t);
  server.names.set('web.example', { addresses: ['10.0.0.2', '10.0.0.1', '10.0.0.2'] });
  const web = watch('web.example');
  await web.until(are('10.0.0.1', '10.0.0.2'));
  const seen = web.seen.length;
  server.names.set('web.example', { addresses: ['10.0.0.1', '10.0.0.2'] });
  const asked = server.count('web.example');
  await eventually(() => server.count('web.example') > asked + 2);
  t.equal(web.seen.length, seen);
});

test('a host that does not exist has no addresses, until it exists; and the other way round', async (t) => {
  const { server, watch } = await setUp(t);
  const web = watch('web.example');
  await web.until(are());
  server.names.set('web.example', { addresses: ['10.0.0.1'] });
  await web.until(are('10.0.0.1'));
  server.names.delete('web.example');
  await web.until(are());
  t.notOk(web.seen.some(failed), 'NXDOMAIN is an answer, not a failure');
});

test('SERVFAIL, REFUSED and silence keep the last addresses, and are got over', async (t) => {
  const { server, watch } = await setUp(t);
  for (const trouble of ['SERVFAIL', 'REFUSED', 'silence'] as const) {
    server.names.set('web.example', { addresses: ['10.0.0.1'] });
    const web = watch('web.example');
    await web.until(are('10.0.0.1'));
    server.names.set('web.example', trouble);
    const now = await web.until(failed, trouble);
    t.match(now, { phase: 'failed', value: ['10.0.0.1'], error: LookUpError }, trouble);
    server.names.set('web.example', { addresses: ['10.0.0.2'] });
    await web.until(are('10.0.0.2'));
    web.stop();
  }
});

test('a failure at first is not sticky, and says why', async (t) => {
  const { server, resolver, watch } = await setUp(t);
  server.names.set('web.example', 'SERVFAIL');
  const web = watch('web.example');
  const now = await web.until(failed);
  t.match(now, { error: { code: 'ESERVFAIL', message: 'looking up web.example failed: ESERVFAIL' } });
  t.notOk('value' in now);
  await t.rejects(resolver.resolveOnce('web.example'), { code: 'ESERVFAIL' });
  server.names.set('web.example', { addresses: ['10.0.0.1'] });
  await web.until(are('10.0.0.1'));
});

test('IPv6 addresses only where there are no IPv4 ones; aliases are followed', async (t) => {
  const { server, resolver } = await setUp(t);
  server.names.set('both.example', { addresses: ['2001:db8::1', '10.0.0.1'] });
  server.names.set('six.example', { addresses: ['2001:db8::2', '2001:db8::1'] });
  server.names.set('nothing.example', { addresses: [] });
  server.names.set('alias.example', { addresses: ['10.0.0.9'], aliases: ['real.example', 'realer.example'] });
  t.same(await resolver.resolveOnce('both.example'), ['10.0.0.1']);
  t.same(await resolver.resolveOnce('six.example'), ['2001:db8::1', '2001:db8::2']);
  t.same(await resolver.resolveOnce('nothing.example'), []);
  t.same(await resolver.resolveOnce('alias.example'), ['10.0.0.9']);
});

test('literals and localhost ask nobody', async (t) => {
  const { server, resolver, watch } = await setUp(t);
  const cases = {
    '10.1.2.3': '10.1.2.3',
    '127.1': '127.0.0.1',
    '10.1.515': '10.1.2.3',
    '167838211': '10.1.2.3',
    '::1': '::1',
    '[2001:db8::1]': '2001:db8::1',
    localhost: '127.0.0.1',
    LocalHost: '127.0.0.1',
    'app.localhost.': '127.0.0.1',
    '': '127.0.0.1',
  };
  for (const [host, address] of Object.entries(cases)) {
    t.same(await resolver.resolveOnce(host), [address], `'${host}' once`);
    await watch(host).until(are(address), host);
  }
  t.same(server.asked, []);
});

test('what cannot be a host name does not exist', async (t) => {
  const { server, resolver } = await setUp(t);
  for (const host of ['a b', 'a\0b', 'a..b', '.', `${'x'.repeat(64)}.example`, 'x.'.repeat(130)]) {
    t.same(await resolver.resolveOnce(host), [], JSON.stringify(host));
  }
  t.same(server.asked, []);
});

test('search list and ndots decide what is tried, in the order of the C library', async (t) => {
  const { server, resolver } = await setUp(t, {
    'resolv.conf': 'search ns.svc.cluster.local svc.cluster.local.\noptions ndots:2 timeout:1 attempts:1',
  });
  const asked = async (host: string) => {
    server.asked.length = 0;
    await resolver.resolveOnce(host);
    return server.asked.map((question) => question.replace('. A', ''));
  };
  t.same(await asked('web'), ['web.ns.svc.cluster.local', 'web.svc.cluster.local', 'web']);
  t.same(await asked('web.ns'), ['web.ns.ns.svc.cluster.local', 'web.ns.svc.cluster.local', 'web.ns']);
  t.same(await asked('www.example.com'), [
    'www.example.com',
    'www.example.com.ns.svc.cluster.local',
    'www.example.com.svc.cluster.local',
  ]);
  t.same(await asked('web.'), ['web'], 'a dot at the end: as it is');
  server.names.set('web.svc.cluster.local', { addresses: ['10.0.0.1'] });
  t.same(await asked('web'), ['web.ns.svc.cluster.local', 'web.svc.cluster.local'], 'until one is found');
});

test('a failing candidate is passed over, but not once it has given the addresses', async (t) => {
  const { server, watch } = await setUp(t, {
    'resolv.conf': 'search a.example b.example\noptions timeout:1 attempts:1',
  });
  server.names.set('web.a.example', 'SERVFAIL');
  server.names.set('web.b.example', { addresses: ['10.0.0.2'] });
  const web = watch('web');
  await web.until(are('10.0.0.2'));
  server.names.set('web.a.example', { addresses: ['10.0.0.1'] });
  await web.until(are('10.0.0.1'));
  server.names.set('web.a.example', 'SERVFAIL');
  t.match(await web.until(failed), { value: ['10.0.0.1'] });
  t.notOk(web.seen.slice(web.seen.findIndex(are('10.0.0.1'))).some(are('10.0.0.2')), 'no wrong host meanwhile');
});

test('the hosts file comes first, and its changes are seen', async (t) => {
  const { dir, server, resolver, watch } = await setUp(t, {
    hosts: '# local\n10.9.0.1 Web.example web # ours\n::9 web\n10.9.0.2 web\nnot-an-address web\n::7 six\n',
  });
  server.names.set('web', { addresses: ['10.0.0.1'] });
  const web = watch('WEB');
  await web.until(are('10.9.0.1', '10.9.0.2'));
  t.same(await resolver.resolveOnce('web.EXAMPLE.'), ['10.9.0.1']);
  t.same(await resolver.resolveOnce('six'), ['::7']);
  t.same(server.asked, []);
  writeFileSync(join(dir, 'new'), '10.9.0.3 web\n');
  renameSync(join(dir, 'new'), join(dir, 'hosts'));
  await web.until(are('10.9.0.3'));
  rmSync(join(dir, 'hosts'));
  await web.until(are('10.0.0.1'), 'the name server is asked once the hosts file is gone');
});

test('a changed resolv.conf counts at once', async (t) => {
  const { dir, server, watch } = await setUp(t, { 'resolv.conf': 'search a.example' }, { maxTtlMs: 3_600_000 });
  server.names.set('web.a.example', { addresses: ['10.0.0.1'], ttl: 3_600 });
  server.names.set('web.b.example', { addresses: ['10.0.0.2'], ttl: 3_600 });
  const web = watch('web');
  await web.until(are('10.0.0.1'));
  writeFileSync(join(dir, 'resolv.conf'), 'search b.example\n');
  await web.until(are('10.0.0.2'));
});

test('the next server is asked when one fails or is silent, and stays first while it answers', async (t) => {
  for (const trouble of ['SERVFAIL', 'silence'] as const) {
    const [broken, good] = [await DnsServer.start(), await DnsServer.start()];
    t.teardown(() => good.close());
    t.teardown(() => broken.close());
    const { resolver } = await setUp(t, {}, { servers: [broken.address, good.address] });
    for (const name of ['a.example', 'b.example']) {
      broken.names.set(name, trouble);
      good.names.set(name, { addresses: ['10.0.0.1'] });
      t.same(await resolver.resolveOnce(name), ['10.0.0.1'], `${trouble}, ${name}`);
    }
    t.equal(broken.asked.length, 1, 'the second name went to the good server at once');
  }
});

test('a limited number of look-ups runs at once, and all of them run', async (t) => {
  const { server, resolver } = await setUp(t, {}, { maxConcurrent: 5 });
  server.delayMs = 5;
  const hosts = Array.from({ length: 40 }, (_, i) => `h${i}.example`);
  for (const host of hosts) server.names.set(host, { addresses: ['10.0.0.1'] });
  const found = await Promise.all(hosts.map((host) => resolver.resolveOnce(host)));
  t.same(
    found,
    hosts.map(() => ['10.0.0.1']),
  );
  t.equal(server.mostAtOnce, 5);
});

test('nobody is asked after the last reader left', async (t) => {
  const { server, watch } = await setUp(t);
  server.names.set('web.example', { addresses: ['10.0.0.1'] });
  server.names.set('other.example', { addresses: ['10.0.0.1'] });
  const web = watch('web.example');
  const other = watch('other.example');
  await web.until(are('10.0.0.1'));
  await other.until(are('10.0.0.1'));
  web.stop();
  await eventually(() => server.count('other.example') > 5);
  const asked = server.count('web.example');
  const since = server.count('other.example');
  await eventually(() => server.count('other.example') > since + 10);
  t.equal(server.count('web.example'), asked);
});

test('closing ends what is under way', async (t) => {
  const { server, resolver } = await setUp(t, { 'resolv.conf': 'options timeout:30 attempts:5' });
  server.names.set('web.example', 'silence');
  const looking = resolver.resolveOnce('web.example');
  await eventually(() => server.asked.length > 0);
  resolver.close();
  await t.rejects(looking, { code: 'ECANCELLED' });
  await t.rejects(resolver.resolveOnce('other.example'), { code: 'ECANCELLED' });
});
