/** Overrides that cost as much as an override can. The base dtab has the same limits: test/naming/limits.test.ts. */
import { test } from 'tap';
import { Dtab } from '../../src/naming/index.ts';
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
  // As long as an override may be: prefixes, elements, alternates, unions, weights, entries.
  (n) => `/${'p'.repeat(480)}=>/${'p'.repeat(480)}/${n};/svc=>/${'p'.repeat(30)}`,
  (n) => `/svc=>/svc${'/s'.repeat(490)}${n}`,
  (n) => `/svc${'/*'.repeat(400)}=>/svc;/svc=>/svc/${n}${'/a'.repeat(50)}`,
  (n) => `/svc=>${Array.from({ length: 150 }, () => '/svc').join('|')}|/n${n}`,
  (n) => `/svc=>${'9'.repeat(300)}*/svc/${n}&0.${'0'.repeat(300)}1*/svc&0*/svc`,
  (n) => `/svc=>${'('.repeat(45)}/svc${Array.from({ length: 45 }, () => '&/svc|/svc)').join('')}|/n${n}`,
  (n) => Array.from({ length: 16 }, (_, i) => `/svc=>/svc/${n}x${i}|/svc/${i}&/svc`).join(';'),
  (n) => `${Array.from({ length: 15 }, (_, i) => `/d${i}=>/d${i + 1}/d${i + 1}/d${i + 1}`).join(';')};/svc=>/d0/${n}`,
  (n) => `/__proto__=>/constructor/${n};/constructor=>/__proto__;/svc=>/__proto__`,
  (n) => `/svc=>/$/io.buoyant.hostportPfx/svc/${'a:'.repeat(200)}${n}`,
];

test('each is an override that is read: it fails for where it leads, not for how it is written', async (t) => {
  for (const [i, loop] of LOOPS.entries()) t.doesNotThrow(() => Dtab.parse(loop(9)), `${i}: ${loop(9).slice(0, 60)}`);
  for (const loop of LOOPS) t.ok(loop(999).length <= 1024, `${loop(999).length} bytes: ${loop(999).slice(0, 60)}`);
});

test('overrides that go round in circles, each another one', async (t) => {
  const target = await startTarget(t);
  const before = target.resident();
  await besideInnocent(t, target, async () => {
    for (let n = 0; n < 20 * LOOPS.length; n += LOOPS.length) {
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

test('weights at either end of what a number holds choose between what there is', async (t) => {
  const target = await startTarget(t);
  const connection = await RawConnection.open(target.port);
  const most = '9'.repeat(308);
  const least = `0.${'0'.repeat(300)}1`;
  for (const [i, [one, other]] of [
    [most, most],
    [most, least],
    [least, least],
    [most, '0'],
    [least, '0'],
  ].entries()) {
    const dtab = `/svc/x=>${one}*/#/io.l5d.fs/web&${other}*/#/io.l5d.fs/web`;
    await connection.send(`GET /w${i} HTTP/1.1\r\nHost: x\r\nl5d-dtab: ${dtab}\r\n\r\n`);
    await until(() => connection.received.endsWith(`/w${i}`));
  }
  connection.destroy();
});
