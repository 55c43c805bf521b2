// compressionLevel, over real sockets.
import { connect } from 'node:net';
import { gunzipSync, inflateSync } from 'node:zlib';
import { test } from 'tap';
import { lastResponse, requestText, send } from '../support/http-client.ts';
import { type Header, header, type Message } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

const GZIP: readonly Header[] = [['Accept-Encoding', 'gzip']];
const bytesOf = (message: Message | undefined): Buffer => Buffer.from(message?.body ?? '', 'latin1');
const coding = (message: Message | undefined) => header(message?.headers ?? [], 'content-encoding');

test('bodies of every size and framing, as the client likes them', async (t) => {
  const bodies: Record<string, string> = {
    '/small': 'hello',
    '/large': Array.from({ length: 200_000 }, (_, i) => `${i * i} `).join(''),
  };
  const backend = await socketBackend(t, ({ socket, target, message }) => {
    const body = bodies[target.replace('?chunked', '')] ?? '';
    const fields = `ETag: "x"\r\nX-Asked: ${header(message.headers, 'accept-encoding') ?? ''}\r\n`;
    if (!target.endsWith('?chunked')) answer(socket, body, fields);
    else {
      socket.write(`HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`);
      socket.write(`${body}\r\n0\r\nX-T: tv\r\n\r\n`);
    }
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 6'] });
  for (const path of Object.keys(bodies)) {
    for (const target of [path, `${path}?chunked`]) {
      const zipped = await send(port(), { target, headers: GZIP });
      t.equal(gunzipSync(bytesOf(zipped)).toString(), bodies[path], target);
      const fields = zipped?.headers ?? [];
      t.equal(header(fields, 'content-encoding'), 'gzip');
      t.equal(header(fields, 'transfer-encoding'), 'chunked');
      t.equal(header(fields, 'content-length'), undefined);
      t.equal(header(fields, 'etag'), 'W/"x"');
      t.equal(header(fields, 'vary'), 'Accept-Encoding');
      t.equal(header(fields, 'x-asked'), 'gzip', 'the backend may compress itself');
      t.strictSame(zipped?.trailers, target.endsWith('chunked') ? [['X-T', 'tv']] : []);

      const deflated = await send(port(), { target, headers: [['Accept-Encoding', 'deflate;q=0.5']] });
      t.equal(inflateSync(bytesOf(deflated)).toString(), bodies[path], target);
      const plain = await send(port(), { target });
      t.equal(plain?.body, bodies[path], target);
      t.equal(header(plain?.headers ?? [], 'vary'), 'Accept-Encoding', 'caches must know for this client too');
      t.equal(header(plain?.headers ?? [], 'etag'), '"x"');
    }
  }
});

test('what is left alone', async (t) => {
  const fields: Record<string, string> = {
    '/coded': 'Content-Encoding: br\r\n',
    '/fixed': 'Cache-Control: no-transform\r\n',
    '/image': 'Content-Type: image/png\r\n',
  };
  const backend = await socketBackend(t, ({ socket, target, message }) => {
    if (target === '/range')
      socket.write('HTTP/1.1 206 Part\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok');
    else if (target === '/none') socket.write('HTTP/1.1 304 Same\r\nETag: "x"\r\n\r\n');
    else if (message.start.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    else answer(socket, 'ok', fields[target] ?? 'Content-Type: text/plain\r\n');
  });
  const all = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 9'] });
  const text = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: -1'] });
  const none = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 0'] });
  for (const target of ['/coded', '/fixed', '/range', '/none']) {
    const response = await send(all.port(), { target, headers: GZIP });
    t.equal(response?.body, target === '/none' ? '' : 'ok', target);
    t.equal(header(response?.headers ?? [], 'vary'), undefined, target);
  }
  t.equal(coding(await send(all.port(), { method: 'HEAD', headers: GZIP })), undefined);
  t.equal(coding(await send(all.port(), { headers: [...GZIP, ['Cache-Control', 'no-transform']] })), undefined);
  t.equal(coding(await send(all.port(), { target: '/image', headers: GZIP })), 'gzip');
  t.equal(coding(await send(text.port(), { target: '/image', headers: GZIP })), undefined);
  t.equal(coding(await send(text.port(), { headers: GZIP })), 'gzip');
  t.equal(coding(await send(none.port(), { headers: GZIP })), undefined);
  const old = await RawConnection.open(all.port());
  await old.send('GET / HTTP/1.0\r\nHost: web\r\nAccept-Encoding: gzip\r\n\r\n');
  t.match(await lastResponse(old), { start: 'HTTP/1.1 200 OK', body: 'ok' });
});

test('what came is sent on before more comes, and several requests use one connection', async (t) => {
  let more: (() => void) | undefined;
  const backend = await socketBackend(t, ({ socket, nth }) => {
    if (nth > 1) return answer(socket, 'second');
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    more = () => socket.write('4\r\nlast\r\n0\r\n\r\n');
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 1'] });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(requestText({ headers: GZIP }));
  // A block that was flushed ends with these bytes (RFC 1951 3.2.4).
  await until(() => connection.received.endsWith('\x00\x00\xff\xff\r\n'));
  more?.();
  t.equal(gunzipSync(bytesOf(await lastResponse(connection))).toString(), 'firstlast');
  connection.received = '';
  await connection.send(requestText({ headers: GZIP }));
  t.equal(gunzipSync(bytesOf(await lastResponse(connection))).toString(), 'second');
  t.equal(backend.connections(), 1);
});

test('a slow reader holds the backend; one that leaves lets it go', async (t) => {
  const size = 200_000_000;
  let taken = 0;
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    // Bytes that can't be made shorter.
    const chunk = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
    const write = (): void => {
      while (!socket.destroyed && taken < size) {
        taken += chunk.length;
        if (!socket.write(chunk)) break;
      }
    };
    socket.on('drain', write);
    write();
  });
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 1'] });
  const reader = connect({ port: port(), host: '127.0.0.1' }).on('error', () => {});
  t.teardown(() => reader.destroy());
  reader.pause();
  reader.write(requestText({ headers: GZIP }));
  await until(() => taken > 0);
  let before = -1;
  await until(async () => {
    const still = taken === before;
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return still && taken === before;
  });
  t.ok(taken < size / 4, `${taken} bytes were read from the backend`);
  reader.destroy();
  await until(() => backend.sockets.size === 0);
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
});

test('a response that the backend cuts is cut for the client too', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n', () =>
      setTimeout(() => socket.destroy(), 30),
    );
  });
  const { port } = await startWorld(t, { names: { web: [backend.port] }, router: ['compressionLevel: 1'] });
  const connection = await RawConnection.open(port());
  await connection.send(requestText({ headers: GZIP }));
  await until(() => connection.closed);
  t.match(connection.received, /^HTTP\/1\.1 200 OK/);
  t.notOk(connection.received.endsWith('0\r\n\r\n'));
});

test('collected and then compressed', async (t) => {
  const backend = await socketBackend(t, ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    setTimeout(() => socket.write('4\r\nlast\r\n0\r\n\r\n'), 20);
  });
  const { port } = await startWorld(t, {
    names: { web: [backend.port] },
    router: ['compressionLevel: 1', 'streamingEnabled: false'],
  });
  const response = await send(port(), { method: 'POST', body: 'x'.repeat(100_000), headers: GZIP });
  t.equal(gunzipSync(bytesOf(response)).toString(), 'firstlast');
  t.equal((backend.requests[0]?.message.body ?? '').length, 100_000);
});

test('our own errors are text as well', async (t) => {
  const { port } = await startWorld(t, { router: ['compressionLevel: -1'] });
  const response = await send(port(), { host: 'nowhere', headers: GZIP });
  t.match(gunzipSync(bytesOf(response)).toString(), /^Unable to route request!/);
});
