/**
 * Attacks from the backend's side: replies that two readers could take apart differently, and bytes that nobody asked for.
 * Every reply carries a second one behind it, `POISON`, which may never become anybody's answer.
 */
import { type Test, test } from 'tap';
import { header, headerValues, type Message, parseResponses, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { reached, until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { echoTarget, RawBackend } from './raw-backend.ts';

const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

class Trap {
  readonly port: number;
  readonly backend: RawBackend;
  /** What a request for /attack is answered with; every other request is answered with its target. */
  reply = '';

  static async start(t: Test): Promise<Trap> {
    let trap: Trap;
    const backend = await RawBackend.start(t, (target, method) =>
      target === '/attack' ? trap.reply : echoTarget(target, method),
    );
    const world = await startWorld(t, { names: { web: [backend.port] } });
    trap = new Trap(world.port(), backend);
    return trap;
  }

  private constructor(port: number, backend: RawBackend) {
    this.port = port;
    this.backend = backend;
  }

  /** The responses to a request that is answered with `reply`, and to one behind it that is answered as usual. */
  async spring(reply: string, method = 'GET'): Promise<{ responses: Message[]; received: string; closed: boolean }> {
    this.reply = reply;
    const connection = await RawConnection.open(this.port);
    try {
      const bytes = `${method} /attack HTTP/1.1\r\nHost: web\r\n\r\nGET /next HTTP/1.1\r\nHost: web\r\n\r\n`;
      await connection.send(bytes);
      await reached(() => connection.closed || connection.received.endsWith('/next'));
      const { received, closed } = connection;
      return { responses: parseResponses(received, [method], closed), received, closed };
    } finally {
      connection.destroy();
    }
  }

  /** The backend's connection that got the last attack has been given up. */
  async isGivenUp(): Promise<boolean> {
    const used = this.backend.connections.filter(({ raw }) => raw.includes(' /attack '));
    return reached(() => used.every(({ closed }) => closed));
  }
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const reply = (lines: string, body = ''): string => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;

const HEADS: Readonly<Record<string, string>> = {
  'no HTTP at all': 'this is not HTTP at all\r\n\r\n',
  'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
  'a status below 100': 'HTTP/1.1 099 No\r\n\r\n',
  'a status with a letter': 'HTTP/1.1 200X\r\n\r\n',
  'a signed status': 'HTTP/1.1 +20 OK\r\n\r\n',
  'no status': 'HTTP/1.1\r\n\r\n',
  'two blanks before the status': 'HTTP/1.1  200 OK\r\n\r\n',
  'another version': 'HTTP/2.0 200 OK\r\n\r\n',
  'a longer version': 'HTTP/1.11 200 OK\r\n\r\n',
  'a version in lower case': 'http/1.1 200 OK\r\n\r\n',
  'an empty line before': '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'line feeds alone': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
  'a bare CR in the reason': 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n',
  'a NUL in the reason': 'HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n',
  'a folded line': reply('X: a\r\n b\r\nContent-Length: 0\r\n'),
  'a folded first line': reply(' X: a\r\nContent-Length: 0\r\n'),
  'a blank before a colon': reply('Content-Length : 0\r\n'),
  'a line without a colon': reply('Content-Length 0\r\n'),
  'a line without a name': reply(': 0\r\n'),
  'a NUL in a value': reply('X: \x00\r\nContent-Length: 0\r\n'),
  'a bare LF in a value': reply('X: a\nContent-Length: 0\r\n\r\n'),
  'a bare CR in a value': reply('X: a\rContent-Length: 0\r\n\r\n'),
  'a bare CR before the end': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\rX',
  'a separator in a name': reply('Content[Length: 0\r\n'),
  'a length with a sign': reply('Content-Length: +1\r\n', 'x'),
  'a length with an underscore': reply('Content-Length: 1_0\r\n', 'x'),
  'a length with a fraction': reply('Content-Length: 1.0\r\n', 'x'),
  'a length with an exponent': reply('Content-Length: 1e1\r\n', 'x'),
  'a length with a vertical tab': reply('Content-Length: 1\x0b\r\n', 'x'),
  'a length with a no-break space': reply('Content-Length: 1\xa0\r\n', 'x'),
  'a length beyond 64 bits': reply('Content-Length: 18446744073709551617\r\n', 'x'),
  'an empty length before another': reply('Content-Length:\r\nContent-Length: 1\r\n', 'x'),
  'a length in hexadecimal': reply('Content-Length: 0x1\r\n', 'x'),
  'a length below 0': reply('Content-Length: -1\r\n', 'x'),
  'a length of letters': reply('Content-Length: one\r\n', 'x'),
  'an empty length': reply('Content-Length:\r\n', 'x'),
  'a length beyond what a double holds': reply('Content-Length: 9007199254740993\r\n', 'x'),
  'a list of lengths': reply('Content-Length: 1, 1\r\n', 'x'),
  'two lengths': reply('Content-Length: 1\r\nContent-Length: 2\r\n', 'x'),
  'two equal lengths': reply('Content-Length: 1\r\nContent-Length: 1\r\n', 'x'),
  'a length beside chunks': reply('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'chunks beside a length': reply('Transfer-Encoding: chunked\r\nContent-Length: 1\r\n', '0\r\n\r\n'),
  'chunked twice': reply('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'another coding before chunked': reply('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  'another coding behind chunked': reply('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'an unknown coding': reply('Transfer-Encoding: blegh\r\n', '0\r\n\r\n'),
  'an empty member before chunked': reply('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'),
  'chunked twice in one line': reply('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  'chunked with a parameter': reply('Transfer-Encoding: chunked;x\r\n', '0\r\n\r\n'),
  'chunked with a vertical tab': reply('Transfer-Encoding: chunked\x0b\r\n', '0\r\n\r\n'),
  'chunked in no-break spaces': reply('Transfer-Encoding: \xa0chunked\xa0\r\n', '0\r\n\r\n'),
  'a byte above ASCII before chunked': reply('Transfer-Encoding: \xffchunked\r\n', '0\r\n\r\n'),
  identity: reply('Transfer-Encoding: identity\r\n'),
  'an empty coding': reply('Transfer-Encoding:\r\n', '0\r\n\r\n'),
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a length and chunks in a 204': 'HTTP/1.1 204 No\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a flood of interim replies': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(17),
  'a flood of interim replies of several kinds': 'HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 102 P\r\n\r\n'.repeat(9),
  'another protocol that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  'an interim reply in chunks': `HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'an interim reply with a body': 'HTTP/1.1 103 Hints\r\nContent-Length: 4\r\n\r\nbody',
  'an interim reply with two lengths': 'HTTP/1.1 103 Hints\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'a byte above ASCII in a name': reply('Content\x85Length: 0\r\n'),
  'a control character in a name': reply('Content\x01Length: 0\r\n'),
  'a DEL in a value': reply('X: \x7f\r\nContent-Length: 0\r\n'),
  'a version that wraps around': 'HTTP/4294967297.1 200 OK\r\n\r\n',
  'a status that wraps around': 'HTTP/1.1 4294967496 OK\r\n\r\n',
  'a tab before the status': 'HTTP/1.1\t200 OK\r\n\r\n',
  'a malformed interim reply': 'HTTP/1.1 103 Hints\r\nX : a\r\n\r\n',
};

test('a head that makes no sense is a 502', async (t) => {
  const trap = await Trap.start(t);
  for (const [what, bytes] of Object.entries(HEADS)) {
    await t.test(what, async (t) => {
      const { responses, received, closed } = await trap.spring(bytes + POISON);
      const final = responses.filter((response) => statusOf(response) >= 200);
      t.strictSame(final.map(statusOf), [502, 200], received);
      t.ok(header(final[0]?.headers ?? [], 'l5d-err'), 'says what is wrong');
      t.equal(final[1]?.body, '/next', 'the next request has its own answer');
      t.notOk(closed, 'the client did nothing wrong');
      t.notMatch(received, /poison/);
      t.ok(await trap.isGivenUp(), 'the connection to the backend is not used again');
    });
  }
});

const BODIES: Readonly<Record<string, string>> = {
  'a size with a prefix': '0x1\r\nx\r\n0\r\n\r\n',
  'a size with a sign': '+1\r\nx\r\n0\r\n\r\n',
  'a size with an underscore': '0_1\r\nx\r\n0\r\n\r\n',
  'a size with a blank behind': '1 \r\nx\r\n0\r\n\r\n',
  'a size of 17 digits': '10000000000000001\r\nx\r\n0\r\n\r\n',
  'no size': '\r\nx\r\n0\r\n\r\n',
  'a bare LF after the size': '1\nx\r\n0\r\n\r\n',
  'a bare CR after the size': '1\r\r;x\r\n0\r\n\r\n',
  'a bare LF in an extension': '1;a\nx\r\n0\r\n\r\n',
  'a bare LF after the data': '1\r\nx\n0\r\n\r\n',
  'other bytes after the data': '1\r\nxYY0\r\n\r\n',
  'more data than the size says': '1\r\nxx\r\n0\r\n\r\n',
  'an empty line before the last chunk': '1\r\nx\r\n\r\n0\r\n\r\n',
  'a reply as a trailer': '1\r\nx\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n',
  'a folded trailer': '1\r\nx\r\n0\r\nA: b\r\n c\r\n\r\n',
  'a bare LF at the end': '1\r\nx\r\n0\r\n\n',
};

test('a body that makes no sense breaks the connection off', async (t) => {
  const trap = await Trap.start(t);
  for (const [what, body] of Object.entries(BODIES)) {
    await t.test(what, async (t) => {
      const { responses, received, closed } = await trap.spring(CHUNKED + body + POISON);
      t.ok(closed);
      t.ok(responses.length === 1 && (responses[0]?.complete === false || statusOf(responses[0]!) === 502), received);
      t.notMatch(received, /poison/);
      t.ok(await trap.isGivenUp(), 'the connection to the backend is not used again');
    });
  }
});

test('a length with a leading zero is written anew', async (t) => {
  const trap = await Trap.start(t);
  const { responses } = await trap.spring(reply('Content-Length: 010\r\n', '0123456789'));
  t.strictSame(
    responses.map(({ headers, body }) => [headerValues(headers, 'content-length'), body]),
    [
      [['10'], '0123456789'],
      [['5'], '/next'],
    ],
  );
});

test('a body where there can be none is nobody’s answer', async (t) => {
  const trap = await Trap.start(t);
  for (const [what, method, bytes, status] of [
    ['204 with a length', 'GET', 'HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\npoison', 204],
    ['204 and bytes', 'GET', `HTTP/1.1 204 No\r\n\r\n${POISON}`, 204],
    ['204 in chunks', 'GET', 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n', 204],
    ['304 with a length', 'GET', `HTTP/1.1 304 Same\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`, 304],
    ['304 in chunks', 'GET', 'HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n', 304],
    ['HEAD with a body', 'HEAD', `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`, 200],
    ['HEAD in chunks', 'HEAD', `${CHUNKED}6\r\npoison\r\n0\r\n\r\n`, 200],
    ['HEAD of a body until the end', 'HEAD', `HTTP/1.1 200 OK\r\n\r\n${POISON}`, 200],
  ] as const) {
    await t.test(what, async (t) => {
      const { responses, received } = await trap.spring(bytes, method);
      t.strictSame(responses.map(statusOf), [status, 200], received);
      t.equal(responses[1]?.body, '/next');
      t.notMatch(received, /poison/);
      t.ok(await trap.isGivenUp(), 'the connection to the backend is not used again');
    });
  }
});

test('bytes that nobody asked for end the connection that brings them', async (t) => {
  const trap = await Trap.start(t);
  await t.test('with the answer', async (t) => {
    const { responses } = await trap.spring(reply('Content-Length: 1\r\n', 'x') + POISON);
    t.strictSame(
      responses.map(({ body }) => body),
      ['x', '/next'],
    );
    t.ok(await trap.isGivenUp());
  });
  await t.test('after a last chunk', async (t) => {
    const { responses } = await trap.spring(`${CHUNKED}1\r\nx\r\n0\r\n\r\nX`);
    t.strictSame(
      responses.map(({ body }) => body),
      ['x', '/next'],
    );
    t.ok(await trap.isGivenUp());
  });
  for (const bytes of [POISON, 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n', 'x', '\r\n', '\x00']) {
    await t.test(`later: ${JSON.stringify(bytes.slice(0, 20))}`, async (t) => {
      const { responses } = await trap.spring(reply('Content-Length: 1\r\n', 'x'));
      t.equal(responses.length, 2);
      const idle = trap.backend.connections.filter(({ closed }) => !closed);
      for (const { socket } of idle) socket.write(bytes, 'latin1');
      await until(() => idle.every(({ closed }) => closed));
      const after = await trap.spring(reply('Content-Length: 1\r\n', 'y'));
      t.strictSame(
        after.responses.map(({ body }) => body),
        ['y', '/next'],
      );
    });
  }
});

test('an interim reply is never the final one', async (t) => {
  const trap = await Trap.start(t);
  const interim = 'HTTP/1.1 100 Continue\r\nContent-Length: 6\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n';
  const { responses } = await trap.spring(interim + reply('Content-Length: 1\r\n', 'x'));
  t.strictSame(responses.map(statusOf), [100, 103, 200, 200]);
  t.strictSame(
    responses.map(({ body }) => body),
    ['', '', 'x', '/next'],
  );
  t.strictSame(headerValues(responses[0]?.headers ?? [], 'content-length'), []);
});

test('more header fields than are read never hide those behind them', async (t) => {
  const trap = await Trap.start(t);
  const many = 'a: b\r\n'.repeat(1100);
  for (const hidden of ['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n']) {
    const { responses, received } = await trap.spring(reply(many + hidden, '0\r\n\r\n') + POISON);
    t.strictSame(responses.map(statusOf), [502, 200]);
    t.notMatch(received, /poison/);
  }
});
