/**
 * What is passed on: made-up messages go through a running Signpost, and llhttp must read on the other side what our codec
 * read on this one, message for message. What was refused must not arrive as anything whole.
 */
import { METHODS } from 'node:http';
import { type Test, test } from 'tap';
import { RawBackend } from '../attacks/raw-backend.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { RequestReader, ResponseReader } from './llhttp.ts';
import { makeInput } from './messages.ts';
import { readByOurs } from './ours.ts';
import { Random } from './random.ts';
import { type Fields, type ReadMessage, upToFinal, upToLast } from './reading.ts';

const REQUESTS = 250;
const RESPONSES = 250;

/** Every request has the same name, whatever its Host. */
async function startRelay(t: Test, backend: RawBackend): Promise<number> {
  const world = await startWorld(t, {
    dtab: `/svc => /$/inet/127.0.0.1/${backend.port}`,
    router: ['identifier: {kind: io.l5d.static, path: /any}'],
    // The client ends its direction with its last byte, so that what is incomplete is not waited for.
    server: 'allowHalfClose: true',
  });
  return world.port();
}

/** Fields that hops set, change or take off (RFC 9110 7.6.1 and docs/differences.md). */
const OF_THE_HOP =
  /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|content-length|via|host|l5d-.*|x-forwarded-client-cert|expect)$/i;

function endToEnd(fields: Fields): string {
  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) =>
      value
        .toLowerCase()
        .split(',')
        .map((option) => option.trim()),
    );
  const own = ([name]: readonly [string, string]) => !OF_THE_HOP.test(name) && !named.includes(name.toLowerCase());
  return fields
    .filter(own)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** Made-up trailers of these names are left out: they say who asks, or what the content is (RFC 9110 6.5.1). */
const NO_TRAILER = /^(cookie|content-type)$/i;

function trailing(fields: Fields): string {
  return endToEnd(fields.filter(([name]) => !NO_TRAILER.test(name)));
}

/** What of a request must be the same on both sides. An absolute target arrives as a path. */
function essence({ start, fields, body, trailers }: ReadMessage): string {
  const [method, target = '', version] = start.split(' ');
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+(.*)$/i.exec(target)?.[1];
  const origin = path === undefined ? target : path === '' && method === 'OPTIONS' ? '*' : path.replace(/^(?!\/)/, '/');
  return JSON.stringify([method, origin, version, endToEnd(fields), body, trailing(trailers)]);
}

test('requests', async (t) => {
  const backend = await RawBackend.start(t);
  const port = await startRelay(t, backend);
  const random = new Random(1001);
  const reader = new RequestReader();
  let passed = 0;
  for (let tried = 0; passed < REQUESTS && tried < 20 * REQUESTS; tried++) {
    const bytes = makeInput(random, 'request', []);
    const ours = upToLast(readByOurs('request', [bytes], 'GET'));
    const whole = ours.messages.filter(({ complete }) => complete);
    const skips = ({ start, fields }: ReadMessage) =>
      start.startsWith('CONNECT') ||
      !METHODS.includes(start.split(' ')[0] ?? '') ||
      /x, |expect: x/i.test(fields.join());
    if (ours.messages.some(skips) || (whole.length === 0 && !random.chance(0.2))) continue;
    passed++;
    const before = backend.connections.map(({ raw }) => raw.length);
    const connection = await RawConnection.open(port);
    await connection.send(bytes);
    connection.end();
    await until(() => connection.closed);
    connection.destroy();
    const arrived: string[] = [];
    for (const [i, { raw }] of backend.connections.entries()) {
      const { messages } = await reader.read(raw.slice(before[i] ?? 0));
      arrived.push(...messages.filter(({ complete }) => complete).map(essence));
    }
    t.strictSame(arrived.sort(), whole.map(essence).sort(), JSON.stringify(bytes));
  }
  t.equal(passed, REQUESTS);
});

test('responses', async (t) => {
  let reply = '';
  const backend = await RawBackend.start(t, () => reply);
  const port = await startRelay(t, backend);
  const random = new Random(2002);
  const reader = new ResponseReader();
  for (let passed = 0; passed < RESPONSES; passed++) {
    reply = makeInput(random, 'response', []);
    const ours = readByOurs('response', [reply], 'GET').messages;
    const final = ours.find(({ start, complete }) => complete && !start.startsWith('1'));
    const connection = await RawConnection.open(port);
    const sent = backend.requests.length;
    await connection.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await until(() => backend.requests.length > sent);
    // The reply ends with its connection, as the reading above has it.
    for (const { socket } of backend.connections) socket.end();
    await until(() => connection.closed);
    connection.destroy();
    const theirs = upToFinal(await reader.read(connection.received, 'GET')).messages;
    const got = theirs.find(({ start, complete }) => complete && !start.startsWith('1'));
    if (final !== undefined) {
      const essential = ({ start, body, fields, trailers }: ReadMessage) => [
        start.replace(/ 1\.[01]$/, ''),
        endToEnd(fields),
        body,
        trailing(trailers),
      ];
      t.strictSame(got === undefined ? got : essential(got), essential(final), JSON.stringify(reply));
    } else {
      t.ok(got === undefined || got.start.startsWith('502 '), JSON.stringify(reply));
    }
  }
});
