import { test } from 'tap';
import { replyTo } from './backend-replies.ts';
import { header, parseRequest, parseResponses } from './http-message.ts';
import { exchange, RawConnection } from './raw-client.ts';
import { RecordingBackend } from './recording-backend.ts';
import { until } from './until.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;

test('the backend sends a mode byte for byte, and the client shows it', async (t) => {
  const backend = await RecordingBackend.start(t);
  for (const mode of [
    'ok',
    'chunked',
    'trailer',
    'chunkcut',
    'close',
    'http10',
    'eof',
    'partial',
    'garbage',
    'bighdr7',
  ]) {
    const sent = get(`/be/${mode}`);
    const parsed = parseRequest(sent);
    if (parsed === undefined) throw new Error('not a request');
    const reply = replyTo(parsed.message, 0);
    const bytes = reply.parts.filter((part) => typeof part === 'string').join('');
    const closes = reply.after === 'close';
    const result = await exchange(
      backend.port,
      sent,
      (connection) => !closes && connection.received.length >= bytes.length,
    );
    t.strictSame([result.received, result.closed], [bytes, closes], mode);
    t.equal(backend.requests.at(-1)?.raw, sent);
  }
});

test('absolute-form chooses a mode too', async (t) => {
  const backend = await RecordingBackend.start(t);
  const result = await exchange(backend.port, get('http://web/be/s404?x'), ({ received }) =>
    received.endsWith('404\n'),
  );
  t.match(result.received, /^HTTP\/1\.1 404 Not Found\r\n/);
});

test('a mode that fails a number of times recovers, per target', async (t) => {
  const backend = await RecordingBackend.start(t);
  const path = '/be/s500~retry~x2?a';
  const script = get(path).repeat(3) + get('/be/s500~retry~x2?b');
  const result = await exchange(backend.port, script, ({ received }) => received.split('HTTP/1.1 ').length === 5);
  const starts = parseResponses(result.received, [], false).map((message) => message.start.slice(9, 12));
  t.strictSame(starts, ['500', '500', '200', '500']);
});

test('pauses, bodies in pieces, and connection numbers', async (t) => {
  const backend = await RecordingBackend.start(t);
  const script =
    'POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n<<sleep 0.02s>>5\r\nhel<<sleep 0.02s>>lo\r\n0\r\nX-T: v\r\n\r\n';
  const first = await RawConnection.open(backend.port);
  t.teardown(() => first.destroy());
  await first.send(script);
  await until(() => first.received.includes('hello from backend'));
  const second = await RawConnection.open(backend.port);
  t.teardown(() => second.destroy());
  await second.send(get('/'));
  await until(() => backend.requests.length === 2 && second.received !== '');
  const [one, two] = backend.requests;
  t.match(one, { connection: 1, raw: script.replace(/<<.*?>>/g, ''), complete: true });
  t.equal(two?.connection, 2);
});

test('a request without its body is kept as incomplete, and a 100 comes before the body', async (t) => {
  const backend = await RecordingBackend.start(t);
  const connection = await RawConnection.open(backend.port);
  t.teardown(() => connection.destroy());
  await connection.send('POST /be/100c HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await until(() => connection.received === 'HTTP/1.1 100 Continue\r\n\r\n');
  t.equal(backend.requests[0]?.complete, false);
  await connection.send('ab');
  await until(() => connection.received.endsWith('after100\n'));
  t.equal(backend.requests[0]?.complete, true);
});

test('HEAD has no body; an upgraded connection echoes', async (t) => {
  const backend = await RecordingBackend.start(t);
  const head = await exchange(backend.port, 'HEAD /be/s200 HTTP/1.1\r\n\r\n', ({ received }) => received !== '');
  t.equal(head.received, 'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n');

  const connection = await RawConnection.open(backend.port);
  t.teardown(() => connection.destroy());
  await connection.send('GET /be/upgrade HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until(() => connection.received.endsWith('\r\n\r\n'));
  await connection.send('any bytes');
  await until(() => connection.received.endsWith('any bytes'));
  const [switched] = parseResponses(connection.received, ['GET'], false);
  t.equal(header(switched?.headers ?? [], 'upgrade'), 'websocket');
});
