// However many clients watch one name, it is looked up once, and each is told each change once.
import { test } from 'tap';
import { Dtab } from '../../../../src/naming/index.ts';
import { startController } from '../../../support/controller.ts';
import { parseResponses } from '../../../support/http-message.ts';
import { MapNamer } from '../../../support/map-namer.ts';
import { RawConnection } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';

const CLIENTS = 60;

test('one lookup for all who watch a name, one line for each change', async (t) => {
  const namer = new MapNamer();
  namer.bind('/web', 1);
  namer.bind('/v2', 2);
  const { port, storage, watches } = await startController(t, { namespaces: { default: '/svc => /#/test' }, namer });
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const connection = await RawConnection.open(port);
      t.teardown(() => connection.destroy());
      const endpoint = index % 2 === 0 ? 'bind' : 'resolve';
      await connection.send(`GET /api/1/${endpoint}/default?path=/svc/web&watch=true HTTP/1.1\r\nHost: namerd\r\n\r\n`);
      const body = () => parseResponses(connection.received, ['GET'], connection.closed)[0]?.body ?? '';
      return { lines: () => body().split('\n').slice(0, -1) };
    }),
  );
  const all = (count: number, text: string) =>
    until(() => clients.every(({ lines }) => lines().length === count && lines().at(-1)?.includes(text)));
  await all(1, '"port":1,');
  t.equal(watches(), CLIENTS);
  const asked = () => namer.asked.filter((path) => path === '/web').length;
  // Once for the tree, and once for the addresses of the leaf that `resolve` chooses.
  t.ok(asked() <= 2, `${asked()} lookups for ${CLIENTS} clients`);
  namer.addr('/web', { state: 'bound', endpoints: [{ host: '127.0.0.1', port: 3, weight: 1 }] });
  await all(2, '"port":3,');
  await storage.put('default', Dtab.parse('/svc => /#/test; /x => /y'), {});
  await storage.put('default', Dtab.parse('/svc => /#/test; /svc/web => /#/test/v2'), {});
  await all(3, '"port":2,');
});
