// How those that ask namerd connect to it, where there is one and where there are more.
import { test } from 'tap';
import { InMemoryStorage } from '../../namerd/storage/in-memory.ts';
import * as defaults from '../../src/config/defaults.ts';
import { MeshClient } from '../../src/interpreters/mesh/client.ts';
import { Namerds } from '../../src/interpreters/remote/namerds.ts';
import { Security } from '../../src/interpreters/remote/security.ts';
import { Watch } from '../../src/interpreters/remote/watch.ts';
import { variable } from '../../src/live/index.ts';
import { Dtab, type Endpoint, Path } from '../../src/naming/index.ts';
import { eventually } from '../support/eventually.ts';
import { MemoryLog } from '../support/log.ts';
import { MapNamer } from '../support/map-namer.ts';
import { startTestNamerd } from '../support/mesh-server.ts';

const endpoint = (port: number): Endpoint => ({ host: '127.0.0.1', port, weight: 1 });

test('a namerd that was alone is connected to anew, to be pinged more often, when there is another to turn to', async (t) => {
  const namer = new MapNamer();
  namer.bind('/web', 1);
  const storage = new InMemoryStorage({ default: Dtab.parse('/svc => /#/test') });
  const [one, two] = [await startTestNamerd(t, { storage, namer }), await startTestNamerd(t, { storage, namer })];
  const log = new MemoryLog();
  const security = new Security({}, log);
  const retry = { baseMs: 50, maxMs: 100 };
  const connects: string[] = [];
  const addresses = variable<readonly Endpoint[]>([endpoint(one.port)]);
  const namerds = new Namerds({
    addresses,
    log,
    connect: async ({ host, port }, isAlone) => {
      connects.push(`${port === one.port ? 'one' : 'two'}${isAlone ? ', alone' : ''}`);
      await security.open();
      const [pingMs, pingTimeoutMs] = [defaults.meshPingMs, defaults.meshPingTimeoutMs];
      const root = Path.parse('/default');
      return new MeshClient({ host, port, root, retry, pingMs, pingTimeoutMs, streamWindowBytes: 65_536, security });
    },
  });
  t.teardown(() => namerds.close());
  const seen: string[] = [];
  const watch = new Watch({
    namerds,
    retry,
    open: (client, listener) => client.bind(Dtab.empty, Path.parse('/svc/web'), listener),
    reader: {
      onValue: ({ type }) => void seen.push(type),
      onFailed: (message) => void seen.push(`failed: ${message}`),
      onLost: (message) => void seen.push(`lost: ${message}`),
    },
  });
  t.teardown(() => watch.close());
  await eventually(() => seen.length === 1);
  t.same(connects, ['one, alone']);
  t.equal(one.state()['connections'], 1);

  const bound = namerds.upClients()[0];
  addresses.set([endpoint(one.port), endpoint(two.port)]);
  await eventually(() => namerds.upClients().length === 2);
  t.same(connects, ['one, alone', 'one', 'two']);
  t.notOk(namerds.upClients().includes(bound!), 'the patient connection is left');
  await eventually(() => namerds.state().length === 2, 'it is closed when another has its watch');
  await eventually(() => one.state()['connections'] === 1);
  t.equal(two.state()['connections'], 1);
  t.same(new Set(seen), new Set(['leaf']), 'the watch was never without a namerd');

  addresses.set([endpoint(one.port)]);
  await eventually(() => two.state()['connections'] === 0);
  addresses.set([endpoint(one.port), endpoint(two.port)]);
  await eventually(() => namerds.upClients().length === 2);
  t.same(connects, ['one, alone', 'one', 'two', 'two'], 'an impatient connection may stay alone');
});
