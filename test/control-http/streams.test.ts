// Streams of states: what a slow reader gets, how they end, and what they cost while nobody reads.
import { connect, type Socket } from 'node:net';
import { test } from 'tap';
import { ControlServer, liveStates } from '../../src/control-http/index.ts';
import { type Activity, failed, ok, pending, variable } from '../../src/live/index.ts';
import { parseResponses } from '../support/http-message.ts';
import { MemoryLog } from '../support/log.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

interface State {
  readonly key: string;
  readonly text: string;
}

const state = (text: string, key = text): Activity<State> => ok({ key, text });

async function world(t: { teardown(fn: () => Promise<void>): void }, pingMs?: number) {
  const live = variable<Activity<State>>(pending());
  const log = new MemoryLog();
  let readers = 0;
  const server = new ControlServer({
    name: 'test server',
    log,
    route: () => () => ({
      status: 200,
      contentType: 'text/plain',
      body: {
        pingMs,
        subscribe: (reader) => {
          readers++;
          const stop = liveStates(live).subscribe(reader);
          return () => {
            readers--;
            stop();
          };
        },
      },
    }),
  });
  const port = await server.listen('127.0.0.1', 0);
  t.teardown(() => server.close());
  const open = async () => {
    const connection = await RawConnection.open(port);
    await connection.send('GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const message = () => parseResponses(connection.received, ['GET'], connection.closed)[0];
    return { connection, message, lines: () => (message()?.body ?? '').split('\n').slice(0, -1) };
  };
  return { live, log, server, port, open, readers: () => readers };
}

test('the head comes at once, then each state; the same one is told once', async (t) => {
  const { live, open } = await world(t);
  const { message, lines, connection } = await open();
  await until(() => message() !== undefined);
  t.strictSame(lines(), []);
  for (const each of ['a', 'a', 'b', 'c']) {
    live.set(state(each));
    await until(() => lines().at(-1) === each);
  }
  live.set(failed(new Error('away'), live.value));
  live.set(state('d'));
  await until(() => lines().at(-1) === 'd');
  t.strictSame(lines(), ['a', 'b', 'c', 'd'], 'a failure that keeps its value says nothing');
  live.set(failed(new Error('no such thing')));
  await until(() => message()?.complete === true);
  t.equal(lines().at(-1), 'no such thing', 'one that has none ends it with the reason');
  connection.destroy();
});

test('an empty line comes when there is nothing to tell, for those who asked', async (t) => {
  const { live, open } = await world(t, 10);
  live.set(state('a'));
  const { message, lines } = await open();
  await until(() => (message()?.body ?? '').startsWith('a\n\n\n\n'));
  live.set(state('b'));
  await until(() => lines().includes('b'));
  t.strictSame(
    lines().filter((line) => line !== ''),
    ['a', 'b'],
  );
});

test('a reader that stops reading gets the newest state and no backlog', async (t) => {
  const { live, port, server } = await world(t);
  const large = (i: number) => state(`${i} ${'x'.repeat(400_000)}`, String(i));
  const socket: Socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.pause();
  socket.write('GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(() => server.streams === 1);
  const before = process.memoryUsage().rss;
  const count = 2_000;
  for (let i = 1; i <= count; i++) {
    live.set(large(i));
    await new Promise(setImmediate);
  }
  t.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024, '800 MB were told');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.resume();
  await until(() => received.includes(`\n${count} `) && received.endsWith('x\n\r\n'));
  const numbers = [...received.matchAll(/(?:^|\n)(\d+) x/g)].map(([, number]) => Number(number));
  t.ok(numbers.length < 50, `${numbers.length} of ${count} states were sent`);
  t.strictSame(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
});

test('a stream whose reader has gone is stopped; one is ended when the server closes', async (t) => {
  const { live, open, readers, server, log } = await world(t);
  live.set(state('a'));
  const leaving = await open();
  const staying = await open();
  await until(() => staying.lines().length === 1 && leaving.lines().length === 1);
  t.equal(readers(), 2);
  leaving.connection.destroy();
  await until(() => readers() === 1);
  await server.close(5_000);
  await until(() => staying.message()?.complete === true);
  t.strictSame(staying.lines(), ['a']);
  t.equal(readers(), 0);
  t.strictSame(log.lines, []);
});
