/** Requests behind requests on one connection: whatever the first one's body is, the second begins where it ends. */
import { test } from 'tap';
import { header, headerValues, statusOf } from '../support/http-message.ts';
import { Gate, passes, refused, SMUGGLED } from './gate.ts';

const HOST = 'Host: web\r\n';
const next = `GET /next HTTP/1.1\r\n${HOST}\r\n`;

/** The first request's bytes, its body as it must be read, and how many bytes of a request stand in it to tempt a reader. */
const FIRST: Readonly<Record<string, readonly [bytes: string, body: string]>> = {
  'a body on GET': [`GET /1 HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\n0123456789`, '0123456789'],
  'a request as the body of a GET': [
    `GET /1 HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    SMUGGLED,
  ],
  'a request as the body of a HEAD': [
    `HEAD /1 HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    SMUGGLED,
  ],
  'a request as the body of a DELETE in chunks': [
    `DELETE /1 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    SMUGGLED,
  ],
  'a request in a chunk extension': [
    `POST /1 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;GET /smuggled HTTP/1.1\r\nx\r\n0\r\n\r\n`,
    'x',
  ],
  'an empty body': [`POST /1 HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`, ''],
  'no word about a body on POST': [`POST /1 HTTP/1.1\r\n${HOST}\r\n`, ''],
  'an OPTIONS for the server': [`OPTIONS * HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`, 'x'],
};

test('the second request of a segment begins where the first ends', async (t) => {
  const gate = await Gate.start(t);
  for (const [what, [bytes, body]] of Object.entries(FIRST)) {
    await t.test(what, async (t) => {
      const { responses, requests } = await gate.send(bytes + next, (received) => received.endsWith('/next'));
      t.strictSame(
        requests.map((request) => [request.start.split(' ')[1], request.body]),
        [
          [bytes.split(' ')[1], body],
          ['/next', ''],
        ],
      );
      const lengths = requests.map(({ headers }) => headerValues(headers, 'content-length').length);
      t.ok(
        lengths.every((count) => count <= 1),
        'one length at most',
      );
      if (!bytes.startsWith('HEAD')) t.strictSame(responses.map(statusOf), [200, 200]);
    });
  }
});

test('what is malformed behind a sound request does not spoil its answer', async (t) => {
  const gate = await Gate.start(t);
  const first = `POST /1 HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`;
  for (const second of [
    'G\x00T /smuggled HTTP/1.1\r\n\r\n',
    'GET /smuggled\r\n\r\n',
    'Zeros: 1\r\n\r\n',
    `POST /smuggled HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
  ]) {
    const { responses, closed, requests } = await gate.send(first + second + next);
    t.strictSame([responses.map(statusOf), closed], [[200, 400], true], JSON.stringify(second));
    t.strictSame(
      requests.map(({ start }) => start),
      ['POST /1 HTTP/1.1'],
      JSON.stringify(second),
    );
  }
});

test('a hundred requests in one segment are answered in their order', async (t) => {
  const gate = await Gate.start(t);
  const bytes = Array.from({ length: 100 }, (_, i) => `GET /n${i} HTTP/1.1\r\n${HOST}\r\n`).join('');
  const requests = await passes(t, gate, bytes, 100);
  t.strictSame(
    requests.map(({ target }) => target),
    Array.from({ length: 100 }, (_, i) => `/n${i}`),
  );
});

test('nothing is read behind a request that ends the connection', async (t) => {
  const gate = await Gate.start(t);
  for (const first of [
    `GET /1 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    `GET /1 HTTP/1.1\r\n${HOST}Connection: keep-alive, CLOSE\r\n\r\n`,
    `GET /1 HTTP/1.0\r\n${HOST}\r\n`,
  ]) {
    const { responses, closed, forwarded } = await gate.send(first + SMUGGLED);
    t.strictSame([responses.map(statusOf), closed], [[200], true]);
    t.notMatch(forwarded, /smuggled/);
  }
});

test('what follows a CONNECT that is refused is no request', async (t) => {
  const gate = await Gate.start(t);
  for (const authority of ['web:80', 'nowhere:443']) {
    const { responses, closed, forwarded } = await gate.send(`CONNECT ${authority} HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`);
    t.strictSame([responses.map(statusOf), closed, forwarded], [[502], true, '']);
    t.equal(header(responses[0]?.headers ?? [], 'connection'), 'close');
  }
});

test('an upgrade to HTTP/2 would carry requests past the router', async (t) => {
  const gate = await Gate.start(t);
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
  const [request] = await passes(t, gate, `GET /1 HTTP/1.1\r\n${HOST}${upgrade}\r\n`);
  for (const name of ['upgrade', 'connection', 'http2-settings']) {
    t.strictSame(headerValues(request?.headers ?? [], name), [], name);
  }
  const [mixed] = await passes(t, gate, `GET /1 HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: H2C, x y\r\n\r\n`);
  t.notMatch(JSON.stringify(mixed?.headers), /h2c/i);
});

test('an upgrade that is no token goes nowhere', async (t) => {
  const gate = await Gate.start(t);
  for (const value of ['x\r\ny: z', 'x\x00', 'x\ry']) {
    await refused(t, gate, `GET /1 HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: ${value}\x01\r\n\r\n`);
  }
});

test('a request that waits for 100 (Continue) is one request', async (t) => {
  const gate = await Gate.start(t);
  const bytes = `POST /1 HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`;
  const [request] = await passes(t, gate, bytes);
  t.equal(request?.body, SMUGGLED);
});
