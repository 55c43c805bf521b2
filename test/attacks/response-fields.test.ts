/** Fields of replies that would frame, switch or tell what is none of the backend's business. */
import { type Test, test } from 'tap';
import { send } from '../support/http-client.ts';
import { type Header, header, headerValues, parseResponses, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { echoTarget, RawBackend } from './raw-backend.ts';

/** The backend answers /attack with `reply`. */
async function start(t: Test, server = '') {
  const state = { reply: '' };
  const backend = await RawBackend.start(t, (target, method) =>
    target === '/attack' ? state.reply : echoTarget(target, method),
  );
  const world = await startWorld(t, { names: { web: [backend.port] }, server });
  /** The answer to /attack and what follows on the same connection. */
  const spring = async (reply: string, fields = '') => {
    state.reply = reply;
    const connection = await RawConnection.open(world.port());
    t.teardown(() => connection.destroy());
    await connection.send(`GET /attack HTTP/1.1\r\nHost: web\r\n${fields}\r\nGET /next HTTP/1.1\r\nHost: web\r\n\r\n`);
    await until(() => connection.received.endsWith('/next'));
    const responses = parseResponses(connection.received, [], false);
    t.equal(responses.length, 2, connection.received);
    return responses[0] as NonNullable<(typeof responses)[0]>;
  };
  return { backend, port: world.port(), spring };
}

test('Connection takes away nothing that frames a reply or signs it', async (t) => {
  const { spring } = await start(t);
  const named = 'Connection: content-length, transfer-encoding, via, L5D-Success-Class, l5d-err, X-Mine, __proto__\r\n';
  const own = 'X-Mine: 1\r\nX-Other: 2\r\nl5d-err: e\r\n__proto__: 3\r\n';
  for (const [framing, body] of [
    ['Content-Length: 3\r\n', 'abc'],
    ['Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'],
  ] as const) {
    const response = await spring(`HTTP/1.1 200 OK\r\n${named}${own}${framing}\r\n${body}`);
    const values = (name: string) => headerValues(response.headers, name);
    t.strictSame([statusOf(response), response.body], [200, 'abc']);
    t.strictSame([values('x-mine'), values('__proto__'), values('connection')], [[], [], []]);
    t.strictSame([values('via'), values('l5d-success-class')], [['1.1 linkerd'], ['1.0']]);
    t.strictSame([values('x-other'), values('l5d-err')], [['2'], ['e']]);
  }
});

test('a long list in Connection costs no more than its bytes', async (t) => {
  const { spring, backend, port } = await start(t);
  const list = `Connection: ${'a,'.repeat(14_000)}${'b,'.repeat(14_000)}x-mine\r\n`;
  const lines = 'c: d\r\n'.repeat(190);
  const response = await spring(
    `HTTP/1.1 200 OK\r\n${list}${lines}X-Mine: 1\r\nContent-Length: 1\r\n\r\nx`,
    list + lines,
  );
  t.strictSame([headerValues(response.headers, 'x-mine'), headerValues(response.headers, 'c').length], [[], 190]);
  t.notMatch(backend.raw, /^connection:/im);
  t.ok(await send(port));
});

const NOT_IN_TRAILERS: readonly string[] = [
  ...['Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close', 'Trailer: X', 'TE: trailers'],
  ...['Upgrade: h2c', 'Via: 1.1 x', 'Keep-Alive: x', 'Proxy-Authenticate: x', 'l5d-success-class: 0.0', 'L5D-Err: x'],
  ...['l5d_err: x', 'l5d-retryable: true', 'baggage: x', 'Set-Cookie: a=b', 'Content-Type: text/html'],
  ...['Content-Encoding: gzip', 'Content-Range: bytes 0-0/1', 'Location: /x', 'Cache-Control: public', 'Vary: *'],
  ...['WWW-Authenticate: x', 'Retry-After: 0', 'Date: x', 'Expires: 0', 'Age: 0'],
];

test('no trailer of a reply can frame, control or say what the content is', async (t) => {
  const { spring } = await start(t);
  const lines = [...NOT_IN_TRAILERS, 'X-Sum: 7', 'grpc-status: 0', '__proto__: a'].join('\r\n');
  const response = await spring(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\nx\r\n0\r\n${lines}\r\n\r\n`,
  );
  t.strictSame(response.trailers, [
    ['X-Sum', '7'],
    ['grpc-status', '0'],
    ['__proto__', 'a'],
  ]);
  t.strictSame(headerValues(response.headers, 'trailer'), []);
});

const INSIDE: readonly Header[] = [
  ['l5d-success-class', '0.0'],
  ['L5D-Dst-Client', '/#/x'],
  ['l5d-retryable', 'true'],
  ['l5d-retries-exhausted', 'true'],
  ['l5d-anything', 'x'],
  ['l5d_dst_client', '/#/x'],
  ['L5D_Err', 'x'],
];

test('an edge tells outsiders nothing of the mesh, however it is written', async (t) => {
  for (const server of ['clearContext: true', 'overrides: {}']) {
    const { backend, port } = await start(t, server);
    const lines = INSIDE.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    for (const [status, fields] of [
      ['200 OK', ''],
      ['500 No', ''],
      ['500 No', 'Connection: l5d-success-class, l5d-anything\r\n'],
    ] as const) {
      const interim = `HTTP/1.1 103 Hints\r\n${lines}\r\n`;
      const head = `HTTP/1.1 ${status}\r\n${fields}${lines}Transfer-Encoding: chunked\r\n\r\n`;
      backend.answer = () => `${interim}${head}1\r\nx\r\n0\r\n${lines}X-Sum: 1\r\n\r\n`;
      const connection = await RawConnection.open(port);
      t.teardown(() => connection.destroy());
      await connection.send('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
      await until(() => connection.received.endsWith('\r\nX-Sum: 1\r\n\r\n'));
      t.match(connection.received, new RegExp(`^HTTP/1\\.1 103 Hints\r\n\r\nHTTP/1\\.1 ${status}\r\n`));
      t.notMatch(connection.received, /l5d[-_]/i);
    }
  }
});

const SWITCHES: Readonly<Record<string, string>> = {
  'to no protocol': '',
  'to an empty one': 'Upgrade:\r\n',
  'to another one': 'Upgrade: other\r\n',
  'to HTTP/2': 'Upgrade: h2c\r\n',
  'to TLS': 'Upgrade: TLS/1.0\r\n',
  'to the one that was asked for and another': 'Upgrade: echo, other\r\n',
  'to the one that was asked for and another, in two lines': 'Upgrade: echo\r\nUpgrade: h2c\r\n',
  'to another version of it': 'Upgrade: echo/2\r\n',
};

test('a reply that goes on in what was not asked for is a 502', async (t) => {
  const { spring } = await start(t);
  for (const [what, lines] of Object.entries(SWITCHES)) {
    const response = await spring(
      `HTTP/1.1 101 Go\r\nConnection: Upgrade\r\n${lines}\r\n`,
      'Connection: Upgrade\r\nUpgrade: echo, h2c, TLS/1.0, HTTP/2.0\r\n',
    );
    t.equal(statusOf(response), 502, what);
    t.ok(header(response.headers, 'l5d-err'), what);
  }
});

test('what carries requests past the router is never offered', async (t) => {
  const { backend, spring } = await start(t);
  for (const value of [
    'h2c',
    'H2C',
    'h2',
    'h2c/1',
    'HTTP/2.0',
    'http',
    'TLS/1.0',
    'tls',
    'h2c, TLS/1.3',
    '"h2c"',
    'h2c;q=1',
    'a b',
  ]) {
    await spring(
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${value}\r\nHTTP2-Settings: AAMAAABk\r\n`,
    );
  }
  t.notMatch(backend.raw, /^(upgrade|connection|http2-settings):/im);
  await spring(
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'Connection: upgrade\r\nUpgrade: h2c, WebSocket, x/1, http\r\n',
  );
  t.match(backend.raw, /\r\nConnection: Upgrade\r\nUpgrade: WebSocket, x\/1\r\n/);
});

test('what an error repeats of a request splits no response', async (t) => {
  const { port } = await start(t);
  const target = '/%0d%0aSet-Cookie:a=b%0d%0a%0d%0a<script>"\'</script>';
  for (const [name, value] of [
    ['l5d-dtab', '/a=>\x85\xa0"\'<b>%0d%0aX: y'],
    ['l5d-dtab', '/svc/web=>/$/inet/%0d%0a/80'],
    ['l5d-dtab', '/svc=>/svc/\\x0d\\x0aX:\\x20y'],
  ] as const) {
    const response = await send(port, { target, headers: [[name, value]] });
    t.match(response?.start, /^HTTP\/1\.1 (400|502) /);
    t.strictSame(
      response?.headers
        .map(([each]) => each.toLowerCase())
        .filter((each) => !/^(date|via|l5d-success-class)$/.test(each))
        .sort(),
      ['content-length', 'content-type', 'l5d-err'],
      JSON.stringify(response?.headers),
    );
    t.equal(header(response?.headers ?? [], 'content-type'), 'text/plain');
    t.match(header(response?.headers ?? [], 'l5d-err'), /^[\w.*+%-]+$/);
  }
});
