// servers[].timeoutMs, service.totalTimeoutMs, client.requestAttemptTimeoutMs, and l5d-ctx-deadline, read and told.
import { test } from 'tap';
import { blackHole } from '../support/black-hole.ts';
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

test('0 is no limit, also for some names only, and makes no deadline', async (t) => {
  const backend = await socketBackend(t, ({ socket, message }) => {
    const told = headerValues(message.headers, 'l5d-ctx-deadline');
    setTimeout(() => answer(socket, told.join()), 150);
  });
  const { port } = await startWorld(t, {
    names: { web: [backend.port], other: [backend.port] },
    server: 'timeoutMs: 0',
    router: [
      'client: {requestAttemptTimeoutMs: 0}',
      'service: {kind: io.l5d.static, configs: [{prefix: /svc, totalTimeoutMs: 50}, {prefix: /svc/web, totalTimeoutMs: 0}]}',
    ],
  });
  t.match(await send(port()), { start: 'HTTP/1.1 200 OK', body: '' });
  t.match(await send(port(), { host: 'other' }), { start: /503/ });
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

test('where bodies are collected, the time of a request runs from its head on', async (t) => {
  const backend = await socketBackend(t, ({ socket, message }) => {
    if (message.body !== 'slowly') answer(socket);
  });
  const { port, metrics } = await startWorld(t, {
    names: { web: [backend.port] },
    server: 'timeoutMs: 300',
    router: ['streamingEnabled: false'],
  });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100\r\n\r\nhalf');
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 503 Service Unavailable', body: /^exceeded 300/ });
  await until(() => connection.closed);
  t.equal(backend.requests.length, 0);
  t.match(await send(port(), { method: 'POST', body: 'slowly' }), { start: /503/, body: /^exceeded 300/ });
  t.match(await send(port(), { method: 'POST', body: 'fast' }), { start: /200/ });
  t.match(await metrics(), { [`rt/http/server/127.0.0.1/${port()}/pending`]: 0 });
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
  const soon = Date.now() + 60_000;
  const [early, late, last] = [`${ns(soon)}`, `${ns(soon + 1)}`, `${ns(soon + 2)}`];
  t.strictSame(await deadline(), []);
  t.strictSame(await deadline([NAME, 'abc']), ['abc']);
  t.strictSame(await deadline([NAME, `5 ${late}`]), [`5 ${late}`]);
  t.strictSame(await deadline([NAME, `1 ${last}`], [NAME, `3 ${early}`], [NAME, `2 ${late}`]), [`3 ${early}`]);
  t.strictSame(await deadline([NAME, `1 ${early}`], [NAME, 'abc'], [NAME, `3 ${late}`]), [`3 ${early}`]);
  t.strictSame(await deadline([NAME, 'abc'], [NAME, '1']), ['abc', '1']);
  t.strictSame(await deadline([NAME, '7 9223372036854775806'], [NAME, '8 9223372036854775807']), [
    '8 9223372036854775806',
  ]);
});

test('a deadline that has passed is answered, and nothing is sent on', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  const past = await send(port(), { headers: [[NAME, `5 ${ns(Date.now() - 1000)}`]] });
  t.match(past, { start: 'HTTP/1.1 503 Service Unavailable', body: /l5d-ctx-deadline/ });
  // Whoever set it had no time left when it did, whatever our clocks say.
  const none = await send(port(), { headers: [[NAME, `${ns(Date.now() + 9000)} ${ns(Date.now() + 8000)}`]] });
  t.match(none, { start: /503/ });
  t.equal(backend.requests.length, 0);
  const server = `rt/http/server/127.0.0.1/${port()}`;
  t.match(await metrics(), {
    [`${server}/admission_control/deadline/exceeded`]: 2,
    [`${server}/admission_control/deadline/rejected`]: 2,
    'rt/http/service/svc/web/failures/com.twitter.finagle.GlobalRequestTimeoutException': 2,
  });
});

test("a client's deadline ends a request, with what is under way for it", async (t) => {
  const backend = await socketBackend(t, () => {});
  const { port } = await startWorld(t, { names: { web: [backend.port] }, server: 'timeoutMs: 60000' });
  const sent = Date.now();
  const late = await send(port(), { headers: [[NAME, `${ns(sent)} ${ns(sent + 200)}`]] });
  t.match(late, { start: /503/, body: /l5d-ctx-deadline/ });
  t.ok(Date.now() >= sent + 200);
  await until(() => backend.sockets.size === 0);
});

test('a clock that is ahead of ours gives a request no more time than it had', async (t) => {
  const backend = await socketBackend(t, () => {});
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const theirs = Date.now() + 3_600_000;
  t.match(await send(port(), { headers: [[NAME, `${ns(theirs)} ${ns(theirs + 200)}`]] }), { start: /503/ });
  t.equal(backend.requests.length, 1);
});

test('totalTimeoutMs: all tries together, connects and waits included', async (t) => {
  const hole = await blackHole(t);
  const backend = await socketBackend(t, () => {});
  const { port, metrics } = await startWorld(t, {
    names: { web: [backend.port], hole: [hole] },
    router: ['service: {totalTimeoutMs: 200}', 'client: {connectTimeoutMs: 60000, hostConnectionPool: {maxSize: 1}}'],
  });
  const late = {
    start: 'HTTP/1.1 503 Service Unavailable',
    body: 'exceeded 200.milliseconds to unspecified while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available',
  };
  t.match(await send(port()), late);
  t.match(await send(port(), { host: 'hole' }), late);
  t.match(await Promise.all([send(port()), send(port())]), [late, late], 'also one that waits for a connection');
  await until(() => backend.sockets.size === 0);
  t.match(await metrics(), {
    'rt/http/service/svc/web/failures/com.twitter.finagle.GlobalRequestTimeoutException': 3,
    'rt/http/client/#/io.l5d.fs/web/loadbalancer/load': 0,
  });
});

test('requestAttemptTimeoutMs: one try, its connect included; nothing sent means that another endpoint may have it', async (t) => {
  const hole = await blackHole(t);
  const backend = await socketBackend(t, ({ socket, target }) => {
    if (target !== '/hang') answer(socket);
  });
  const { port, metrics } = await startWorld(t, {
    names: { web: [backend.port], both: [hole, backend.port] },
    router: ['client: {requestAttemptTimeoutMs: 150, connectTimeoutMs: 60000}'],
  });
  const late = await send(port(), { target: '/hang' });
  t.equal(late?.start, 'HTTP/1.1 503 Service Unavailable');
  t.match(
    late?.body,
    new RegExp(
      '^exceeded 150\\.milliseconds to #/io\\.l5d\\.fs/web while waiting for a response for an individual request, excluding ' +
        'retries\\. Remote Info: Upstream Address: Not Available, Upstream id: Not Available, Downstream Address: ' +
        `/127\\.0\\.0\\.1:${backend.port}, Downstream label: #/io\\.l5d\\.fs/web, Trace Id: ([0-9a-f]{16})\\.[0-9a-f]{16}<:\\1$`,
    ),
  );
  await until(() => backend.sockets.size === 0);
  for (let i = 0; i < 6; i++) {
    t.match(await send(port(), { host: 'both', method: 'POST', body: 'x' }), { start: 'HTTP/1.1 200 OK' });
  }
  t.match(await metrics(), {
    'rt/http/client/#/io.l5d.fs/web/failures/com.twitter.finagle.IndividualRequestTimeoutException': 1,
    'rt/http/service/svc/web/failures/com.twitter.finagle.IndividualRequestTimeoutException': 1,
  });
});

test('each try tells the next hop how long it may take', async (t) => {
  const deadline = await deadlineWorld(t, { router: ['client: {requestAttemptTimeoutMs: 30000}'] });
  const [from = 0, to = 0] = times(await deadline());
  t.equal(Math.round(to - from), 30_000);
  const soon = Date.now() + 100_000;
  const [, until = 0] = times(await deadline([NAME, `5 ${ns(soon)}`]));
  t.ok(until < soon);
  const both = await deadlineWorld(t, {
    router: ['client: {requestAttemptTimeoutMs: 30000}', 'service: {totalTimeoutMs: 20000}'],
    server: 'timeoutMs: 40000',
  });
  const before = Date.now();
  const [seen = 0, least = 0] = times(await both());
  // Of the whole request, which began before the try: how long before depends on how long its name took to be bound.
  t.ok(
    before + 20_000 <= least && least <= seen + 20_000 + 1,
    `the least of all: ${least - seen} ms after ${seen - before}`,
  );
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
