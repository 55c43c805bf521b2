import { test } from 'tap';
import { clientSettings, serviceSettings } from '../../src/router/settings.ts';
import { send } from '../support/http-client.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { startWorld } from '../support/world.ts';

test('client settings are merged key by key from all entries that match, later ones winning', (t) => {
  const settings = clientSettings({
    kind: 'io.l5d.static',
    configs: [
      { prefix: '/', connectTimeoutMs: 1, failFast: true, hostConnectionPool: { minSize: 1, maxSize: 2 } },
      { prefix: '/#/io.l5d.fs/*', connectTimeoutMs: 2 },
      { prefix: '/#/io.l5d.fs/{name}', loadBalancer: { kind: 'roundRobin' } },
      { prefix: '/#/io.l5d.fs/special', connectTimeoutMs: 3, hostConnectionPool: { maxSize: 9 } },
      { prefix: '/%/io.l5d.port/{port}/#/io.l5d.fs', connectTimeoutMs: 4 },
      { prefix: '/#/other', failFast: false },
    ],
  });
  const pool = { minSize: 1, maxSize: 2 };
  t.strictSame(settings.of('/$/inet/1.2.3.4/80'), { connectTimeoutMs: 1, failFast: true, hostConnectionPool: pool });
  t.strictSame(settings.of('/#/io.l5d.fs/web'), {
    connectTimeoutMs: 2,
    failFast: true,
    hostConnectionPool: pool,
    loadBalancer: { kind: 'roundRobin' },
  });
  t.match(settings.of('/#/io.l5d.fs/special'), { connectTimeoutMs: 3 });
  t.strictSame(settings.of('/#/io.l5d.fs/special').hostConnectionPool, { maxSize: 9 }, 'a key is replaced whole');
  t.match(settings.of('/%/io.l5d.port/4141/#/io.l5d.fs/web'), { connectTimeoutMs: 4 }, 'the whole id is matched');
  t.match(settings.of('/#/other/web'), { connectTimeoutMs: 1, failFast: false });
  t.end();
});

test('keys beside io.l5d.global, or beside no kind, are for all names; without a config there are none', (t) => {
  t.strictSame(clientSettings({ connectTimeoutMs: 4 }).of('/#/x'), { connectTimeoutMs: 4 });
  t.strictSame(clientSettings({ kind: 'io.l5d.global', failFast: true }).of('/#/x'), { failFast: true });
  t.strictSame(clientSettings(undefined).of('/#/x'), {});
  t.strictSame(clientSettings({ kind: 'io.l5d.static', configs: [{ prefix: '/#/x', failFast: true }] }).of('/#/y'), {});
  t.end();
});

test("an entry's captures stand in its own commonName, whichever entry wins", (t) => {
  const settings = clientSettings({
    kind: 'io.l5d.static',
    configs: [
      { prefix: '/#/io.l5d.k8s/{namespace}/{port}/{name}', tls: { commonName: '{name}.{namespace}.svc' } },
      { prefix: '/#/{namer}', failFast: true },
      { prefix: '/#/{namer}/prod', tls: { commonName: '{namer}-{name}', disableValidation: false } },
    ],
  });
  t.strictSame(settings.of('/#/io.l5d.k8s/dev/http/web').tls, { commonName: 'web.dev.svc' });
  t.strictSame(settings.of('/#/io.l5d.k8s/prod/http/web').tls, {
    commonName: 'io.l5d.k8s-{name}',
    disableValidation: false,
  });
  t.end();
});

test('service settings go by the name of the service', (t) => {
  const settings = serviceSettings({
    kind: 'io.l5d.static',
    configs: [
      { prefix: '/svc', totalTimeoutMs: 1000 },
      { prefix: '/svc/a{rest}', totalTimeoutMs: 2000, responseClassifier: { kind: 'io.l5d.http.retryableRead5XX' } },
      { prefix: '/svc/api', totalTimeoutMs: 3000 },
    ],
  });
  t.strictSame(settings.of('/svc/web'), { totalTimeoutMs: 1000 });
  t.match(settings.of('/svc/api'), { totalTimeoutMs: 3000, responseClassifier: { kind: /Read/ } });
  t.strictSame(settings.of('/other'), {});
  t.strictSame(serviceSettings({ totalTimeoutMs: 5 }).of('/svc/web'), { totalTimeoutMs: 5 });
  t.strictSame(serviceSettings(undefined).of('/svc/web'), {});
  t.end();
});

test('a static client holds for the ids that it matches, end to end', async (t) => {
  const backends = await Promise.all(['a', 'b'].map((body) => socketBackend(t, ({ socket }) => answer(socket, body))));
  const ports = backends.map(({ port }) => port);
  const { port, metrics } = await startWorld(t, {
    names: { web: ports, api: ports },
    router: [
      'client:',
      '  kind: io.l5d.static',
      '  configs:',
      '  - {prefix: /, loadBalancer: {kind: p2c}}',
      '  - {prefix: "/#/io.l5d.fs/a{rest}", loadBalancer: {kind: roundRobin}}',
    ],
  });
  for (const host of ['web', 'api']) await send(port(), { host });
  const counted = await metrics();
  t.equal(counted['rt/http/client/#/io.l5d.fs/api/loadbalancer/algorithm/round_robin'], 1);
  t.equal(counted['rt/http/client/#/io.l5d.fs/web/loadbalancer/algorithm/p2c_least_loaded'], 1);
});
