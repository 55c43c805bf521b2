/** Limits, one below, at and one above each: what exceeds one is refused, never cut short. */
import { type Test, test } from 'tap';
import { send } from '../support/http-client.ts';
import { header, statusOf } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { startWorld } from '../support/world.ts';
import { brokenOff, Gate, passes, refused, SMUGGLED } from './gate.ts';
import { echoTarget } from './raw-backend.ts';

const HOST = 'Host: web\r\n';

const get = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n`;
const requestLine = (bytes: number): string => `GET /${'x'.repeat(bytes - 14)} HTTP/1.1\r\n${HOST}\r\n`;
/** So many bytes of header lines in all. */
const headers = (bytes: number): string => get(`X: ${'y'.repeat(bytes - HOST.length - 5)}\r\n`);
/** So many header lines in all. */
const lines = (count: number): string => get('A: b\r\n'.repeat(count - 1));

async function holds(
  t: Test,
  gate: Gate,
  make: (amount: number) => string,
  limit: number,
  status: number,
): Promise<void> {
  for (const amount of [limit - 1, limit]) await passes(t, gate, make(amount));
  await refused(t, gate, make(limit + 1), status);
}

test('defaults', async (t) => {
  const gate = await Gate.start(t);
  await t.test('8 KiB of request line', (t) => holds(t, gate, requestLine, 8 * 1024, 414));
  await t.test('60 KiB of header lines', (t) => holds(t, gate, headers, 60 * 1024, 431));
  await t.test('200 header lines', (t) => holds(t, gate, lines, 200, 431));
  const chunked = (body: string) => `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body}`;
  await t.test('4 KiB of chunk extensions in all', async (t) => {
    const extensions = (bytes: number) => chunked(`1;${'e'.repeat(bytes - 10)}\r\nx\r\n0;${'e'.repeat(10)}\r\n\r\n`);
    for (const bytes of [4095, 4096]) await passes(t, gate, extensions(bytes));
    await brokenOff(t, gate, extensions(4097));
  });
  await t.test('trailers: as many as header lines', async (t) => {
    const trailers = (count: number) => chunked(`0\r\n${'A: b\r\n'.repeat(count)}\r\n`);
    for (const count of [199, 200]) await passes(t, gate, trailers(count));
    await brokenOff(t, gate, trailers(201), 431);
    await brokenOff(t, gate, chunked(`0\r\nX: ${'y'.repeat(60 * 1024)}\r\n\r\n`), 431);
  });
});

test('the keys of a config that was written for Linkerd', async (t) => {
  const gate = await Gate.start(t, { router: ['maxHeadersKB: 8', 'maxInitialLineKB: 4'] });
  await holds(t, gate, requestLine, 4 * 1024, 414);
  await holds(t, gate, headers, 8 * 1024, 431);
});

test('an edge takes 100 header lines, unless it says how many', async (t) => {
  const edge = await Gate.start(t, { server: 'clearContext: true' });
  await holds(t, edge, lines, 100, 431);
  const own = await Gate.start(t, { server: 'overrides: {}, maxHeaders: 150' });
  await holds(t, own, lines, 150, 431);
});

test('what stands behind more lines than are read frames nothing', async (t) => {
  const gate = await Gate.start(t);
  const many = 'a: b\r\n'.repeat(1100);
  for (const hidden of [
    'Transfer-Encoding: chunked\r\n',
    `Content-Length: ${SMUGGLED.length}\r\n`,
    'Content-Length: 0\r\n',
  ]) {
    await refused(t, gate, `POST / HTTP/1.1\r\n${HOST}${many}${hidden}\r\n0\r\n\r\n`, 431);
  }
});

test('a reply beyond the limits is a 502', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, reply] of [
    ['the status line', `HTTP/1.1 200 ${'x'.repeat(8 * 1024)}\r\nContent-Length: 0\r\n\r\n`],
    ['header lines', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(60 * 1024)}\r\nContent-Length: 0\r\n\r\n`],
    ['the number of header lines', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(200)}Content-Length: 0\r\n\r\n`],
  ] as const) {
    gate.backend.answer = (target, method) => (target === '/large' ? reply : echoTarget(target, method));
    const response = await send(gate.port, { target: '/large' });
    t.equal(statusOf(response as NonNullable<typeof response>), 502, what);
    t.match(response?.body, /Malformed response/, what);
  }
});

test('a proxy that leads to itself is left by the number of its Via entries', async (t) => {
  const [port = 0] = await freePorts(1);
  const world = await startWorld(t, {
    routers: `- {protocol: http, dtab: "/svc => /$/inet/127.0.0.1/${port}", servers: [{port: ${port}, maxCallDepth: 10}]}`,
  });
  const response = await send(world.port());
  t.match(response, { start: /400/, body: /Maximum number of calls \(10\) has been exceeded/ });
  t.equal(
    (await world.metrics())[`rt/http/server/127.0.0.1/${port}/requests`],
    12,
    'the first, ten more, and the one too many',
  );
  const forged = await send(world.port(), { headers: [['Via', Array.from({ length: 11 }, () => '1.1 a').join(',')]] });
  t.match(forged, { start: /400/ }, 'however they are written');
  t.ok(header(forged?.headers ?? [], 'l5d-err'));
});
