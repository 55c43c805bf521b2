// streamAfterContentLengthKB and streamingEnabled: which bodies are kept, collected, or passed on as they come.
import { type Test, test } from 'tap';
import { lastResponse, requestText, send } from '../support/http-client.ts';
import { header, requestLine } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { type Arrived, answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

/** Closes every connection when its second request comes, so that only requests that can be sent again succeed. */
async function staleWorld(t: Test, router: readonly string[]) {
  const backend = await socketBackend(t, ({ socket, message, nth }) => {
    if (nth === 1) answer(socket, message.body);
    else socket.destroy();
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, router });
  /** The status of a PUT of so many bytes over a stale connection; its second half comes later. */
  return async (bytes: number): Promise<string | undefined> => {
    t.match(await send(port()), { start: /200/ });
    const connection = await RawConnection.open(port());
    t.teardown(() => connection.destroy());
    const body = 'b'.repeat(bytes);
    const text = requestText({ method: 'PUT', body });
    const half = text.length - Math.floor(bytes / 2);
    await connection.send(`${text.slice(0, half)}<<sleep 0.03s>>${text.slice(half)}`);
    const response = await lastResponse(connection, 'PUT');
    if (response?.start === 'HTTP/1.1 200 OK') t.equal(response.body, body);
    return response?.start.split(' ')[1];
  };
}

test('a body up to streamAfterContentLengthKB can be sent again, also when it comes in pieces', async (t) => {
  const put = await staleWorld(t, []);
  t.equal(await put(0), '200');
  t.equal(await put(5 * 1024), '200');
  t.equal(await put(5 * 1024 + 1), '502');
  const larger = await staleWorld(t, ['streamAfterContentLengthKB: 100']);
  t.equal(await larger(100 * 1024), '200');
  const none = await staleWorld(t, ['streamAfterContentLengthKB: 0']);
  t.equal(await none(0), '200');
  t.equal(await none(1), '502');
  const collected = await staleWorld(t, ['streamingEnabled: false']);
  t.equal(await collected(300 * 1024), '200');
});

const BUFFERED = ['streamingEnabled: false', 'maxBufferedBodyKB: 64'];

async function bufferedWorld(t: Test, server = '') {
  const backend = await RecordingBackend.start(t);
  const world = await startWorld(t, { names: { web: [backend.port] }, router: BUFFERED, server });
  const connection = await RawConnection.open(world.port());
  t.teardown(() => connection.destroy());
  return { ...world, backend, connection };
}

test('without streaming a request goes on when it is whole, with its length and no trailers', async (t) => {
  const { connection, backend } = await bufferedWorld(t);
  const head = 'POST /be/ok HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n';
  await connection.send(`${head}5\r\nhello\r\n<<sleep 0.05s>>`);
  t.equal(backend.requests.length, 0);
  await connection.send('6\r\n world\r\n0\r\nX-T: tv\r\n\r\n');
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 200 OK' });
  const raw = backend.requests[0]?.raw ?? '';
  t.match(raw, /^Content-Length: 11\r$/im);
  t.notMatch(raw, /transfer-encoding|^x-t:/im);
  t.match(raw, /\r\n\r\nhello world$/);
});

test('a client that waits for 100 is asked for its body', async (t) => {
  const { connection, backend } = await bufferedWorld(t);
  await connection.send('POST /be/ok HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await until(() => connection.received === 'HTTP/1.1 100 Continue\r\n\r\n');
  await connection.send('hello');
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 200 OK' });
  t.notMatch(backend.requests[0]?.raw, /expect/i);
});

test('a response is collected: it has a length, and one that is cut or too long is a 502', async (t) => {
  const answers: Record<string, string[]> = {
    '/chunked': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', '1\r\nc\r\n0\r\nX-T: tv\r\n\r\n'],
    '/zeros': ['HTTP/1.1 200 OK\r\nContent-Length: 003\r\n\r\na', 'bc'],
    '/cut': ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab', 'end'],
    '/close': ['HTTP/1.1 200 OK\r\n\r\nab', 'c', 'end'],
    '/large': [`HTTP/1.1 200 OK\r\nContent-Length: ${65 * 1024}\r\n\r\n`],
    '/endless': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      ...Array(70).fill(`400\r\n${'z'.repeat(1024)}\r\n`),
    ],
    '/exact': [`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024}\r\n\r\n`, 'z'.repeat(64 * 1024)],
  };
  const backend = await socketBackend(t, async ({ socket, target }) => {
    for (const part of answers[target] ?? []) {
      if (part === 'end') socket.end();
      else await new Promise((resolve) => socket.write(part, resolve));
      await new Promise((resolve) => setTimeout(resolve, target === '/endless' ? 0 : 10));
    }
  });
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, router: BUFFERED });
  for (const target of ['/chunked', '/zeros', '/close']) {
    const response = await send(port(), { target });
    t.match(response, { start: 'HTTP/1.1 200 OK', body: 'abc', trailers: [] }, target);
    t.equal(header(response?.headers ?? [], 'content-length'), '3', target);
    t.equal(header(response?.headers ?? [], 'transfer-encoding'), undefined, target);
  }
  t.match(await send(port(), { target: '/cut' }), { start: /502/, body: 'The response ended before it was complete.' });
  for (const target of ['/large', '/endless']) {
    const response = await send(port(), { target });
    t.match(response, { start: /502/, body: "The response's body is longer than 65536 bytes." }, target);
  }
  t.equal((await send(port(), { target: '/exact' }))?.body.length, 64 * 1024);
  t.match(await metrics(), {
    'rt/http/service/svc/web/requests': 7,
    'rt/http/service/svc/web/failures': 3,
    [`rt/http/server/127.0.0.1/${port()}/pending`]: 0,
  });
});

test('a request that is too long is 413, by its length or when that shows', async (t) => {
  const { port, backend, metrics } = await bufferedWorld(t);
  const tooLong = { start: 'HTTP/1.1 413 Content Too Large', body: "The request's body is longer than 65536 bytes." };
  const sized = await RawConnection.open(port());
  await sized.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 65537\r\n\r\n');
  const refused = await lastResponse(sized, 'POST');
  t.match(refused, tooLong);
  t.equal(header(refused?.headers ?? [], 'connection'), 'close');
  const chunked = await RawConnection.open(port());
  await chunked.send('POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n');
  await chunked.send(`10001\r\n${'b'.repeat(65_537)}\r\n0\r\n\r\n`);
  t.match(await lastResponse(chunked, 'POST'), tooLong);
  await until(() => sized.closed && chunked.closed);
  t.match(await send(port(), { method: 'POST', target: '/be/ok', body: 'b'.repeat(65_536) }), { start: /200/ });
  t.equal(backend.requests.length, 1);
  t.match(await metrics(), {
    [`rt/http/server/127.0.0.1/${port()}/requests`]: 3,
    [`rt/http/server/127.0.0.1/${port()}/failures`]: 2,
    [`rt/http/server/127.0.0.1/${port()}/pending`]: 0,
  });
});

test('a request that is broken or broken off while it is collected', async (t) => {
  const { port, backend, connection, metrics } = await bufferedWorld(t);
  await connection.send(
    'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n<<sleep 0.02s>>x\r\n',
  );
  t.match(await lastResponse(connection, 'POST'), { start: 'HTTP/1.1 400 Bad Request', body: /^Malformed request: / });
  const quitter = await RawConnection.open(port());
  await quitter.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9\r\n\r\nhalf<<sleep 0.02s>>');
  quitter.destroy();
  const connections = `rt/http/server/127.0.0.1/${port()}/connections`;
  await until(async () => connection.closed && (await metrics())[connections] === 0);
  t.equal(backend.requests.length, 0);
  t.match(await metrics(), { [`rt/http/server/127.0.0.1/${port()}/pending`]: 0 });
});

test('interim responses, tunnels and several requests of a connection pass without streaming as with it', async (t) => {
  const { port, connection } = await bufferedWorld(t);
  await connection.send(requestText({ target: '/be/1xx' }));
  await until(() => connection.received.endsWith('after102\n'));
  t.match(connection.received, /^HTTP\/1\.1 102 Processing\r\n\r\n[\s\S]*HTTP\/1\.1 200 OK/);
  connection.received = '';
  await connection.send(requestText({ target: '/be/chunked' }) + requestText({ target: '/be/s404' }));
  await until(() => connection.received.endsWith('status 404\n'));
  t.match(connection.received, /hello worldHTTP\/1\.1 404/);
  const tunnel = await RawConnection.open(port());
  t.teardown(() => tunnel.destroy());
  await tunnel.send('GET /be/upgrade HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await until(() => tunnel.received.startsWith('HTTP/1.1 101 '));
  tunnel.received = '';
  await tunnel.send('echo');
  await until(() => tunnel.received === 'echo');
});

test('a POST of a connection that went stale is not sent again, however short', async (t) => {
  const arrived: Arrived[] = [];
  const backend = await socketBackend(t, (request) => {
    arrived.push(request);
    if (request.nth === 1) answer(request.socket);
    else request.socket.destroy();
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, router: ['streamAfterContentLengthKB: 100'] });
  await send(port());
  t.match(await send(port(), { method: 'POST', body: 'once' }), { start: /502/ });
  t.equal(arrived.filter(({ message }) => requestLine(message).method === 'POST').length, 1);
});
