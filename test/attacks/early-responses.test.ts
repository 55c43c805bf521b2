/**
 * Answers that come before their request is complete, and what becomes of the connections on both sides: the rest of such a
 * request must never be taken for another one, nor a later answer for the next one's.
 */
import { type Test, test } from 'tap';
import { parseResponses, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { reached, until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { SMUGGLED } from './gate.ts';
import { echoTarget, RawBackend, type RawSocket } from './raw-backend.ts';

interface Early {
  readonly backend: RawBackend;
  readonly client: RawConnection;
  /** The backend's connection that has the beginning of the request. */
  readonly upstream: RawSocket;
  readonly port: number;
}

/** Sends a request of which the backend does not get the whole, so that a test answers it when it likes. */
async function begin(t: Test, request: string): Promise<Early> {
  const backend = await RawBackend.start(t, echoTarget);
  const world = await startWorld(t, { names: { web: [backend.port] } });
  const client = await RawConnection.open(world.port());
  t.teardown(() => client.destroy());
  await client.send(request);
  await until(() => backend.raw.includes(' /early '));
  const upstream = backend.connections.find(({ raw }) => raw.includes(' /early '));
  if (upstream === undefined) throw new Error('it never came');
  return { backend, client, upstream, port: world.port() };
}

const LENGTH = `POST /early HTTP/1.1\r\nHost: web\r\nContent-Length: ${1000 + SMUGGLED.length}\r\n\r\n`;
const CHUNKED = 'POST /early HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n';

const REPLIES: Readonly<Record<string, readonly [first: string, rest: string]>> = {
  'at once': ['HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno', ''],
  'without a body': ['HTTP/1.1 204 No\r\n\r\n', ''],
  'in two parts': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nn', 'o'],
  'in chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nn\r\n', '1\r\no\r\n0\r\n\r\n'],
  'with an interim one': ['HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nn', 'o'],
};

for (const [coding, head] of [
  ['with a length', LENGTH],
  ['in chunks', CHUNKED],
] as const) {
  test(`a request ${coding} that is answered before all of it was sent`, async (t) => {
    for (const [what, [first, rest]] of Object.entries(REPLIES)) {
      await t.test(what, async (t) => {
        const { backend, client, upstream, port } = await begin(t, `${head}${'x'.repeat(10)}`);
        upstream.socket.write(first, 'latin1');
        await until(() => client.received.includes('\r\n\r\n'));
        upstream.socket.write(rest, 'latin1');
        await until(() => parseResponses(client.received, ['POST'], false).at(-1)?.complete === true);
        // What is left of the body, which ends in a request, and another one behind it.
        await client.send('x'.repeat(990) + SMUGGLED + SMUGGLED);
        await until(() => client.closed);
        const responses = parseResponses(client.received, ['POST'], true).filter((each) => statusOf(each) >= 200);
        t.strictSame(responses.length, 1, client.received);
        t.ok(await reached(() => upstream.closed), 'the backend is not left waiting for the rest');

        const next = await RawConnection.open(port);
        t.teardown(() => next.destroy());
        await next.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
        await until(() => next.received.endsWith('/next'));
        t.notMatch(backend.requests.join(), /smuggled/, 'nobody took it for a request');
        t.notMatch(upstream.raw, /\/next/, 'nor is the connection used again');
      });
    }
  });
}

test('a client that goes away in the middle of its request leaves nothing behind', async (t) => {
  for (const head of [LENGTH, CHUNKED]) {
    const { backend, client, upstream, port } = await begin(t, `${head}${'x'.repeat(10)}`);
    client.destroy();
    t.ok(await reached(() => upstream.closed), 'nor does its connection to the backend stay');
    const next = await RawConnection.open(port);
    t.teardown(() => next.destroy());
    await next.send(SMUGGLED.replace('smuggled', 'next'));
    await until(() => next.received.endsWith('/next'));
    t.equal(backend.requests.length, 1);
    t.notMatch(upstream.raw, /\/next/);
  }
});

test('an answer to a request that turns out to be malformed is nobody else’s', async (t) => {
  const { client, upstream, port } = await begin(t, `${CHUNKED}${'x'.repeat(1000)}\r\n`);
  await client.send(`ZZ\r\n${SMUGGLED}`);
  await until(() => client.closed);
  upstream.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', 'latin1');
  t.ok(await reached(() => upstream.closed));
  t.match(client.received, /^HTTP\/1\.1 400 /);
  const next = await RawConnection.open(port);
  t.teardown(() => next.destroy());
  await next.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
  await until(() => next.received.endsWith('/next'));
  t.notMatch(client.received + next.received, /poison/);
});

test('a second answer to one request is nobody else’s', async (t) => {
  const { client, upstream, port } = await begin(t, `${LENGTH}${'x'.repeat(1000)}`);
  await client.send(SMUGGLED);
  await until(() => client.received.endsWith('/early'));
  upstream.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', 'latin1');
  t.ok(await reached(() => upstream.closed), 'the connection that brings it is given up');
  for (const connection of [client, await RawConnection.open(port)]) {
    t.teardown(() => connection.destroy());
    await connection.send('GET /next HTTP/1.1\r\nHost: web\r\n\r\n');
    await until(() => connection.received.endsWith('/next'));
    t.notMatch(connection.received, /poison/);
  }
});
