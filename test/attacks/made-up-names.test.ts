/** Names that do not exist, by the hundred thousand, and names that mean something to JavaScript. */
import { test } from 'tap';
import { parseResponses, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { besideInnocent, grewByAtMost, MIB, startTarget } from './target.ts';

/** Sends as many requests for names that do not exist, a window of them on each of a few connections. */
async function askForMadeUpNames(port: number, count: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  let asked = 0;
  const one = async (id: number): Promise<void> => {
    const connection = await RawConnection.open(port);
    while (asked < count) {
      const window = Math.min(100, count - asked);
      asked += window;
      const requests = Array.from({ length: window }, (_, i) => {
        const host = ((asked + i) * 2_654_435_761 + id).toString(36);
        return `GET / HTTP/1.1\r\nHost: made-up-${host}\r\n\r\n`;
      });
      connection.received = '';
      await connection.send(requests.join(''));
      await until(() => connection.received.split('HTTP/1.1 ').length > window, { timeoutMs: 60_000 });
      for (const [, status] of connection.received.matchAll(/^HTTP\/1\.1 (\d+)/gm)) statuses.add(Number(status));
      await until(() => parseResponses(connection.received, [], false).at(-1)?.complete === true);
    }
    connection.destroy();
  };
  await Promise.all(Array.from({ length: 8 }, (_, id) => one(id)));
  return statuses;
}

test('a hundred thousand names that do not exist', async (t) => {
  const target = await startTarget(t);
  await besideInnocent(t, target, async () => {
    t.strictSame([...(await askForMadeUpNames(target.port, 20_000))], [502]);
    const [memory, metrics] = [target.resident(), Object.keys(await target.metrics()).length];
    t.strictSame([...(await askForMadeUpNames(target.port, 80_000))], [502]);
    // The first made caches full; from then on each name takes the place of another.
    grewByAtMost(t, target.resident() - memory, 96 * MIB);
    const after = Object.keys(await target.metrics()).length;
    t.ok(after < 1.5 * metrics && after < 40_000, `${after} metrics, ${metrics} before`);
  });
  const metrics = await target.metrics();
  t.ok((metrics['rt/http/bindcache/path/evicts'] ?? 0) > 90_000, 'each made-up name took the place of another');
  t.equal(target.backend.connections.length, 1, 'the name that is in use was never driven out');
});

test('names of Object.prototype, wherever a name can stand', async (t) => {
  const target = await startTarget(t);
  const words = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];
  for (const word of words) {
    const connection = await RawConnection.open(target.port);
    await connection.send(
      [
        `GET /${word} HTTP/1.1\r\nHost: ${word}\r\n\r\n`,
        `GET /${word} HTTP/1.1\r\nHost: web\r\n${word}: x\r\n${word}: y\r\n\r\n`,
        `${word} / HTTP/1.1\r\nHost: web\r\nConnection: ${word}\r\n\r\n`,
        `GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /${word}=>/${word};/svc/web=>/#/${word}\r\n\r\n`,
        `GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc/web=>/$/${word}/${word}\r\n\r\n`,
        'GET /last HTTP/1.1\r\nHost: web\r\n\r\n',
      ].join(''),
    );
    await until(() => connection.received.endsWith('/last'));
    const statuses = parseResponses(connection.received, [], false).map(statusOf);
    t.strictSame(statuses, [502, 200, 200, 200, 502, 200], word);
    connection.destroy();
  }
  t.type((await target.metrics())['rt/http/requests'] ?? 0, 'number');
});
