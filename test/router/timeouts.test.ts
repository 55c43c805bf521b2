// servers[].timeoutMs and the l5d-ctx-deadline that it tells the hops behind.
import { test } from 'tap';
import { lastResponse, requestText, send } from '../support/http-client.ts';
import { type Header, header, headerValues, parseRequest } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';

test('a request that is not answered in time: 503, its work is cancelled, and its connection goes on', async (t) => {
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target === '/quick') answer(socket);
  });
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, server: 'timeoutMs: 150' });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(requestText({ target: '/slow' }));
  const late = await lastResponse(connection);
  t.equal(late?.start, 'HTTP/1.1 503 Service Unavailable');
  t.equal(
    late?.body,
    `exceeded 150.milliseconds to 127.0.0.1/${port()} while waiting for a response for an individual request, excluding retries. Remote Info: Not Available`,
  );
  t.equal(header(late?.headers ?? [], 'l5d-retryable'), undefined);
  await until(() => backend.sockets.size === 0);
  connection.received = '';
  await connection.send(requestText({ target: '/quick' }));
  t.match(await lastResponse(connection), { start: 'HTTP/1.1 200 OK', body: 'ok' });
  t.match(await metrics(), {
    [`rt/http/server/127.0.0.1/${port()}/failures`]: 1,
    [`rt/http/server/127.0.0.1/${port()}/pending`]: 0,
    'rt/http/service/svc/web/failures': 1,
  });
});

test('a response that began in time goes on', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n');
    setTimeout(() => socket.write('5\r\nended\r\n0\r\n\r\n'), 400);
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'timeoutMs: 100' });
  t.match(await send(port()), { start: 'HTTP/1.1 200 OK', body: 'begunended' });
});

test('a body that does not end counts too', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => answer(socket));
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'timeoutMs: 100' });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100\r\n\r\nhalf');
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 503 Service Unavailable' });
  await until(() => connection.closed);
  await until(() => backend.sockets.size === 0);
});

async function deadlineWorld(t: Parameters<typeof startWorld>[0], options: WorldOptions = {}) {
  const backend = await RecordingBackend.start(t);
  const { port } = await startWorld(t, { names: { web: [backend.port] }, ...options });
  return async (...headers: readonly Header[]): Promise<string[]> => {
    await send(port(), { headers });
    return headerValues(parseRequest(backend.requests.at(-1)?.raw ?? '')?.message.headers ?? [], 'l5d-ctx-deadline');
  };
}

const NAME = 'l5d-ctx-deadline';
const ns = (ms: number): string => `${ms}000000`;
const times = (values: readonly string[]): number[] => (values[0] ?? '').split(' ').map((time) => Number(time) / 1e6);

test('without a timeout a deadline passes as it is; several become one', async (t) => {
  const deadline = await deadlineWorld(t);
  t.strictSame(await deadline(), []);
  t.strictSame(await deadline([NAME, 'abc']), ['abc']);
  t.strictSame(await deadline([NAME, '5 1']), ['5 1'], 'what is over ends nothing by itself');
  t.strictSame(await deadline([NAME, '1 30'], [NAME, '3 20'], [NAME, '2 25']), ['3 20']);
  t.strictSame(await deadline([NAME, '1 30'], [NAME, 'abc'], [NAME, '3 40']), ['3 30']);
  t.strictSame(await deadline([NAME, 'abc'], [NAME, '1']), ['abc', '1']);
  t.strictSame(await deadline([NAME, '9223372036854775806 5'], [NAME, '9223372036854775807 6']), [
    '9223372036854775807 5',
  ]);
});

test('a timeout makes a deadline, no later than the one that came', async (t) => {
  const deadline = await deadlineWorld(t, { server: 'timeoutMs: 4000' });
  const before = Date.now();
  const [from = 0, to = 0] = times(await deadline());
  t.ok(from >= before && from <= Date.now());
  t.equal(Math.round(to - from), 4000);

  const soon = await deadline([NAME, `${ns(before - 5)} ${ns(before + 1000)}`]);
  t.equal(soon.length, 1);
  t.match(soon[0], new RegExp(` ${ns(before + 1000)}$`));
  t.ok((times(soon)[0] ?? 0) >= before, 'seen now');

  const late = times(await deadline([NAME, `${ns(before)} ${ns(before + 100_000)}`]));
  t.equal(Math.round((late[1] ?? 0) - (late[0] ?? 0)), 4000);
  const unreadable = await deadline([NAME, 'abc']);
  t.equal(unreadable.length, 1);
  t.equal(Math.round((times(unreadable)[1] ?? 0) - (times(unreadable)[0] ?? 0)), 4000);
});

test('at an edge no deadline is believed', async (t) => {
  const plain = await deadlineWorld(t, { server: 'clearContext: true' });
  t.strictSame(await plain([NAME, '1 2'], [NAME, '3 4']), []);
  const timed = await deadlineWorld(t, { server: 'clearContext: true, timeoutMs: 4000' });
  const [from = 0, to = 0] = times(await timed([NAME, '1 2']));
  t.equal(Math.round(to - from), 4000);
});
