/** What comes slowly, what has no end, and who never reads. */
import { test } from 'tap';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { echoTarget, RawBackend } from './raw-backend.ts';
import { besideInnocent, grewByAtMost, MIB, startTarget } from './target.ts';

test('a thousand heads that never end, a byte at a time', async (t) => {
  const target = await startTarget(t);
  const before = target.resident();
  await besideInnocent(t, target, async () => {
    const slow = await Promise.all(Array.from({ length: 1000 }, () => RawConnection.open(target.impatientPort)));
    for (const connection of slow) await connection.send('GET / HTTP/1.1\r\nHost: web\r\nX-Slow: ');
    let drips = 0;
    const drip = setInterval(() => {
      drips++;
      for (const connection of slow) if (!connection.closed) void connection.send('x');
    }, 200);
    t.teardown(() => clearInterval(drip));
    await until(() => drips > 3);
    grewByAtMost(t, target.resident() - before, 48 * MIB);
    await until(() => slow.every(({ closed }) => closed), { timeoutMs: 60_000 });
    clearInterval(drip);
    const statuses = slow.map(({ received }) => /^HTTP\/1\.1 (\d+)/.exec(received)?.[1]);
    t.strictSame([...new Set(statuses)], ['408'], 'each is told, and closed');
    for (const connection of slow) connection.destroy();
  });
  t.equal(target.backend.requests.filter((raw) => raw.includes('X-Slow')).length, 0);
});

test('a long head a byte at a time costs no more than its bytes', async (t) => {
  const target = await startTarget(t);
  const connection = await RawConnection.open(target.port);
  const head = `GET /long HTTP/1.1\r\nHost: web\r\n${'X-Pad: 0123456789012345678901234567890123456789\r\n'.repeat(150)}\r\n`;
  // Each byte a segment of its own, as far as the kernels on the way let it be.
  for (let at = 0; at < head.length; at += 64) {
    for (const byte of head.slice(at, at + 64)) await connection.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => connection.received.endsWith('/long'), { timeoutMs: 60_000 });
  connection.destroy();
});

const ENDLESS: Readonly<Record<string, readonly [start: string, piece: string, status: number]>> = {
  'a method': ['', 'M', 414],
  'a request line': ['GET /', 'x', 414],
  'a header name': ['GET / HTTP/1.1\r\nHost: web\r\n', 'X', 431],
  'a header value': ['GET / HTTP/1.1\r\nHost: web\r\nX: ', 'x', 431],
  'header lines': ['GET / HTTP/1.1\r\nHost: web\r\n', 'X-A: b\r\n', 431],
  'a chunk size': ['POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n', '0', 400],
  'a chunk extension': ['POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1;', 'x', 400],
  'extensions of chunks': [
    'POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n',
    '1;abcdefgh\r\nx\r\n',
    400,
  ],
  trailers: ['POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X-A: b\r\n', 431],
};

test('what has no end is refused at its limit', async (t) => {
  const target = await startTarget(t);
  for (const [what, [begin, piece, status]] of Object.entries(ENDLESS)) {
    await t.test(what, async (t) => {
      const before = target.resident();
      const connection = await RawConnection.open(target.port);
      await connection.send(begin);
      const bulk = piece.repeat(Math.ceil(4096 / piece.length));
      // Goes on for as long as anybody reads, or for 32 MiB.
      for (let sent = 0; !connection.closed && sent < 32 * MIB; sent += bulk.length) {
        await connection.send(bulk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => connection.closed);
      connection.destroy();
      t.equal(connection.received.slice(9, 12), String(status), connection.received.slice(0, 200));
      grewByAtMost(t, target.resident() - before, 32 * MIB);
    });
  }
});

test('a reply that has no end is a 502 at its limit', async (t) => {
  const target = await startTarget(t);
  for (const [what, begin, piece] of [
    ['a reason', 'HTTP/1.1 200 ', 'x'],
    ['a header value', 'HTTP/1.1 200 OK\r\nX: ', 'x'],
    ['header lines', 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'],
    ['interim replies', '', 'HTTP/1.1 103 Hints\r\n\r\n'],
  ] as const) {
    const attacker = await RawBackend.start(t, () => '');
    const connection = await RawConnection.open(target.port);
    await connection.send(
      `GET / HTTP/1.1\r\nHost: web\r\nl5d-dtab: /svc => /$/inet/127.0.0.1/${attacker.port}\r\n\r\n`,
    );
    await until(() => attacker.requests.length === 1);
    const peer = attacker.connections[0];
    peer?.socket.write(begin, 'latin1');
    const bulk = piece.repeat(Math.ceil(4096 / piece.length));
    for (let sent = 0; peer?.closed === false && sent < 32 * MIB; sent += bulk.length) {
      peer.socket.write(bulk, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => /HTTP\/1\.1 502 /.test(connection.received));
    t.ok(peer?.closed, `${what}: the backend's connection is given up`);
    connection.destroy();
  }
});

test('clients that never read what they asked for', async (t) => {
  const body = 'z'.repeat(32 * MIB);
  const target = await startTarget(t, (path, method) =>
    path === '/big' ? `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}` : echoTarget(path, method),
  );
  const before = target.resident();
  await besideInnocent(t, target, async () => {
    const readers = await Promise.all(Array.from({ length: 8 }, () => RawConnection.open(target.port)));
    for (const reader of readers) {
      reader.pause();
      await reader.send('GET /big HTTP/1.1\r\nHost: web\r\n\r\n');
    }
    await until(() => target.backend.requests.filter((raw) => raw.startsWith('GET /big')).length === 8);
    const waiting = () => target.backend.connections.reduce((sum, { socket }) => sum + socket.writableLength, 0);
    let last = -1;
    await until(async () => {
      const stands = waiting() === last;
      last = waiting();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return stands && waiting() === last;
    });
    t.ok(last > 4 * body.length, `most of it waits at the backend, where it comes from: ${last} bytes`);
    grewByAtMost(t, target.resident() - before, 64 * MIB);
    for (const reader of readers) reader.destroy();
    await until(
      () =>
        waiting() === 0 ||
        target.backend.connections.every(({ socket, closed }) => closed || socket.writableLength === 0),
    );
  });
});
