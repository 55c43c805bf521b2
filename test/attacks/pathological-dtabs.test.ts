/** Overrides that cost as much as an override can. The base dtab has the same limits: test/naming/limits.test.ts. */
import { test } from 'tap';
import { parseResponses, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { besideInnocent, grewByAtMost, MIB, startTarget } from './target.ts';

const LOOPS: readonly ((n: number) => string)[] = [
  (n) => `/svc=>/svc/${n}`,
  (n) => `/svc=>/svc/a${n} & /svc/b`,
  (n) => `/svc=>/svc/a${n} | /svc/b`,
  (n) => `/svc=>${Array.from({ length: 120 }, () => '/svc').join('&')}&/n${n}`,
  (n) => `/svc=>/svc/${'a/'.repeat(300)}${n}`,
  (n) => `${Array.from({ length: 14 }, (_, i) => `/a${i}=>/a${i + 1}&/a${i + 1}&/a${i + 1}`).join(';')};/svc=>/a0/${n}`,
  (n) =>
    `${Array.from({ length: 8 }, (_, i) => `/a${i}=>${Array.from({ length: 9 }, () => `/a${i + 1}`).join('|')}`).join(';')};/svc=>/a0/${n}`,
  (n) => `/svc=>${'('.repeat(99)}/svc/${n}${')'.repeat(99)}`,
  (n) => `/*=>/svc/${n}/b & /a/svc/b;/svc=>/a`,
  (n) => `/svc=>/$/io.buoyant.http.anyMethodPfx/svc/GET/svc/${n}`,
];

test('overrides that go round in circles, each another one', async (t) => {
  const target = await startTarget(t);
  const before = target.resident();
  await besideInnocent(t, target, async () => {
    for (let n = 0; n < 200; n += LOOPS.length) {
      const connection = await RawConnection.open(target.port);
      const requests = LOOPS.map((loop, i) => `GET / HTTP/1.1\r\nHost: x\r\nl5d-dtab: ${loop(n + i)}\r\n\r\n`);
      await connection.send(requests.join(''));
      const responses = () => parseResponses(connection.received, [], false).filter(({ complete }) => complete);
      await until(() => responses().length === LOOPS.length, { timeoutMs: 60_000 });
      const statuses = new Set(responses().map(statusOf));
      t.ok(
        [...statuses].every((status) => status === 502 || status === 400),
        [...statuses].join(),
      );
      connection.destroy();
    }
  });
  grewByAtMost(t, target.resident() - before, 128 * MIB);
});
