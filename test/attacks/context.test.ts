/**
 * What outsiders write into the headers that the mesh believes: dtabs, context, identities. And where an override may lead
 * a request, from outside and from within.
 */
import { type Test, test } from 'tap';
import { send } from '../support/http-client.ts';
import { httpRequest } from '../support/http-get.ts';
import { type Header, header, parseRequest, statusOf } from '../support/http-message.ts';
import { RawConnection } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';
import { RawBackend } from './raw-backend.ts';

/** Names `web`, and `secret`, which outsiders have no business with. */
async function start(t: Test, server: string, dtab = '/svc => /#/io.l5d.fs') {
  const [web, secret] = [await RawBackend.start(t), await RawBackend.start(t)];
  const world = await startWorld(t, { names: { web: [web.port], secret: [secret.port] }, server, dtab });
  const ask = async (headers: readonly (readonly [string, string])[], host = 'web') => {
    const before = web.requests.length;
    const response = await send(world.port(), { host, headers });
    const forwarded = web.requests.slice(before).map((raw) => parseRequest(raw)?.message.headers ?? []);
    return { status: response === undefined ? 0 : statusOf(response), response, forwarded: forwarded[0] ?? [] };
  };
  return { web, secret, world, ask };
}

const CONTEXT: readonly Header[] = [
  ['l5d-dtab', '/svc => /#/io.l5d.fs/secret'],
  ['L5D-DTAB', '/svc => /#/io.l5d.fs/secret'],
  ['l5d-ctx-dtab', '/svc => /#/io.l5d.fs/secret'],
  ['L5d-Ctx-Dtab', '/svc => /#/io.l5d.fs/secret'],
  ['l5d-ctx-trace', 'AAAAAAAAAAEAAAAAAAAAAQAAAAAAAAABAAAAAAAAAAA='],
  ['l5d-ctx-deadline', '1 2'],
  ['l5d-sample', '1.0'],
  ['l5d-reqid', '0000000000000001'],
  ['l5d-dst-service', '/svc/admin'],
  ['l5d-dst-client', '/#/admin'],
  ['l5d-dst-residual', '/admin'],
  ['l5d-err', 'x'],
  ['l5d-retryable', 'true'],
  ['l5d-success-class', '1.0'],
  ['l5d-name', '/svc/secret'],
  ['L5D-anything', 'x'],
  ['l5d-', 'x'],
  ['dtab-local', '/svc=>/#/io.l5d.fs/secret'],
  ['DTAB-Local', '/svc=>/#/io.l5d.fs/secret'],
  ['X-Dtab-00-A', 'L3N2Yw=='],
  ['x-dtab-00-b', 'L3N2Yy9zZWNyZXQ='],
  ['baggage', 'user=admin'],
  ['X-Forwarded-Client-Cert', 'Hash=00;Subject="CN=admin"'],
  ['x_forwarded_client_cert', 'Hash=00;Subject="CN=admin"'],
  ['finagle-http-retryable-request', ''],
  // The same to whoever reads headers as CGI does.
  ['l5d_dtab', '/svc => /#/io.l5d.fs/secret'],
  ['L5D_CTX_DTAB', '/svc => /#/io.l5d.fs/secret'],
  ['l5d_ctx_trace', 'AAAAAAAAAAEAAAAAAAAAAQAAAAAAAAABAAAAAAAAAAA='],
  ['L5d_dst-service', '/svc/admin'],
  ['dtab_local', '/svc=>/#/io.l5d.fs/secret'],
  ['X_Dtab-00_A', 'L3N2Yw=='],
  ['X_FORWARDED-Client_Cert', 'Hash=00;Subject="CN=admin"'],
];

const isContext = ([name]: Header): boolean =>
  /^(l5d[-_]|dtab[-_]|x[-_]dtab[-_]|baggage$|x[-_]forwarded[-_]client[-_]cert$|finagle-)/i.test(name);

for (const server of [
  'clearContext: true',
  'overrides: {allow: [/nothing]}',
  'clearContext: true, overrides: {allow: [/nothing]}',
]) {
  test(`an edge (${server}) takes off all context, however it is written`, async (t) => {
    const { ask, secret, web, world } = await start(t, server);
    const isOpen = server.includes('overrides');
    const sent = CONTEXT.filter(([name]) => !isOpen || name.toLowerCase() !== 'l5d-dtab');
    const { forwarded, status } = await ask([...sent, ['X-Mine', 'kept'], ['X-Forwarded-For', '1.2.3.4']]);
    t.equal(status, 200);
    t.strictSame(
      forwarded
        .filter(isContext)
        .map(([name]) => name)
        .sort(),
      ['l5d-ctx-trace', 'l5d-dst-client', 'l5d-dst-service', 'l5d-reqid'],
      'what is there is our own',
    );
    t.strictSame(
      [header(forwarded, 'l5d-dst-service'), header(forwarded, 'l5d-dst-client')],
      ['/svc/web', '/#/io.l5d.fs/web'],
    );
    t.not(header(forwarded, 'l5d-reqid'), '0000000000000001', 'a trace of our own');
    t.strictSame([header(forwarded, 'x-mine'), header(forwarded, 'x-forwarded-for')], ['kept', '1.2.3.4']);

    const trailers = sent.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const connection = await RawConnection.open(world.port());
    t.teardown(() => connection.destroy());
    await connection.send(
      `POST /t HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${trailers}X-Sum: 1\r\n\r\n`,
    );
    await until(() => connection.received.endsWith('/t'));
    t.strictSame(parseRequest(web.requests.at(-1) ?? '')?.message.trailers, [['X-Sum', '1']], 'in trailers too');
    t.equal(secret.requests.length, 0);
  });
}

test('what an edge takes off stays off when Connection names it, and what it adds stays', async (t) => {
  const { ask, secret } = await start(t, 'clearContext: true');
  const named = [...new Set(CONTEXT.map(([name]) => name.toLowerCase()))].join(', ');
  const { forwarded, status } = await ask([['Connection', named], ...CONTEXT, ...CONTEXT, ['X-Mine', 'kept']]);
  t.equal(status, 200);
  t.strictSame(
    forwarded
      .filter(isContext)
      .map(([name]) => name)
      .sort(),
    ['l5d-ctx-trace', 'l5d-dst-client', 'l5d-dst-service', 'l5d-reqid'],
  );
  t.strictSame([header(forwarded, 'l5d-dst-service'), header(forwarded, 'x-mine')], ['/svc/web', 'kept']);
  t.equal(secret.requests.length, 0);
});

test('within the mesh what only looks like an override is none, and Connection takes none away', async (t) => {
  const { ask, secret } = await start(t, '');
  const looks = ['l5d_dtab', 'L5D_Dtab', 'l5d_ctx_dtab', 'l5d-dtab-', 'xl5d-dtab', 'l5d-dtabs', 'dtab-local'];
  const { status } = await ask(looks.map((name) => [name, '/svc => /#/io.l5d.fs/secret'] as const));
  t.strictSame([status, secret.requests.length], [200, 0]);
  const dtab = '/svc => /#/io.l5d.fs/secret';
  for (const name of ['l5d-dtab', 'L5D-CTX-DTAB']) {
    const { forwarded } = await ask([
      ['Connection', name],
      [name, dtab],
    ]);
    t.strictSame(forwarded, [], 'it went where the override led');
  }
  t.equal(secret.requests.length, 2);
  t.match(secret.requests.at(-1), /\r\nl5d-ctx-dtab: \/svc=>\/#\/io\.l5d\.fs\/secret\r\n/);
});

test('Connection takes away no context that this hop adds', async (t) => {
  const { ask } = await start(t, 'clearContext: true');
  const { forwarded } = await ask([['Connection', 'l5d-ctx-trace, l5d-dst-service, via, L5D-REQID']]);
  for (const name of ['l5d-ctx-trace', 'l5d-dst-service', 'l5d-reqid', 'via']) t.ok(header(forwarded, name), name);
});

test('within the mesh no client writes another’s certificate', async (t) => {
  const { ask } = await start(t, '');
  const { forwarded } = await ask(CONTEXT.filter(([name]) => /client.cert/i.test(name)));
  t.strictSame(
    forwarded.filter(([name]) => /client.cert/i.test(name)),
    [],
  );
});

test('an edge with overrides accepts what its block says, and says why not', async (t) => {
  const { ask, secret } = await start(
    t,
    'overrides: {allow: [/svc], maxLength: 60}',
    '/svc => /#/io.l5d.fs; /svc/v2 => /#/io.l5d.fs/web',
  );
  const override = (dtab: string) => ask([['l5d-dtab', dtab]], 'other');
  t.equal((await override('/svc/other => /svc/v2')).status, 200);
  for (const [dtab, why] of [
    ['/svc/other => /#/io.l5d.fs/secret', /may not lead to \/#\/io\.l5d\.fs\/secret here/],
    ['/svc/other => /svc/v2 | /#/io.l5d.fs/secret', /may not lead to/],
    ['/svc/other => /$/inet/127.0.0.1/1', /may not lead to/],
    [`/svc/other => /svc/${'x'.repeat(60)}`, /longer than 60 bytes/],
    ['nonsense', /expected/],
  ] as const) {
    const { status, response } = await override(dtab);
    t.equal(status, 400, dtab);
    t.match(response?.body, why);
    t.ok(header(response?.headers ?? [], 'l5d-err'), 'says why');
  }
  const ctx = await ask([['l5d-ctx-dtab', '/svc/other => /svc/v2']], 'other');
  t.equal(ctx.status, 502, 'the context of another hop is not read');
  t.equal(secret.requests.length, 0);
});

const METADATA: readonly string[] = [
  '/svc => /$/inet/169.254.169.254/80',
  '/svc/web => /$/inet/169.254.169.254/80',
  '/svc/web => /$/inet/2852039166/80',
  '/svc/web => /$/inet/::ffff:169.254.169.254/80',
  '/svc/web => /$/inet/fe80::1/80',
  '/svc/web => /$/inet/fd00:ec2::254/80',
  '/svc/web => /$/fixedinet/169.254.169.254/80',
  '/svc/web => /$/io.buoyant.rinet/80/169.254.169.254',
  '/svc/web => /$/io.buoyant.http.anyMethod/GET/$/inet/169.254.169.254/80',
  '/svc/web => /net/169.254.169.254/80',
  '/a => /$/inet/169.254.169.254; /svc/web => /a/80',
  '/svc/web => /#/io.l5d.fs/nothing | /$/inet/169.254.169.254/80',
  '/svc/web => 1 * /#/io.l5d.fs/web & 1 * /$/inet/169.254.169.254/80',
];

test('no override leads to link-local and metadata addresses, by whatever path', async (t) => {
  const { ask, web } = await start(t, '', '/svc => /#/io.l5d.fs; /net => /$/inet');
  for (const header of ['l5d-dtab', 'l5d-ctx-dtab']) {
    for (const dtab of METADATA) {
      const { status, response } = await ask([[header, dtab]]);
      t.equal(status, 400, `${header}: ${dtab}`);
      t.match(response?.body, /may not lead to link-local and metadata addresses/, dtab);
    }
  }
  t.equal(web.requests.length, 0);
  const local = await ask([['l5d-dtab', `/svc/web => /$/inet/127.0.0.1/${web.port}`]]);
  t.equal(local.status, 200, 'other addresses are reached, as in the original');
  t.equal((await ask([['l5d-dtab', '/svc/x => /#/io.l5d.fs/web']], 'x')).status, 200, 'and every name');
});

test('delegator.json and explain say the same', async (t) => {
  const { world } = await start(t, 'overrides: {allow: [/svc, /net], inet: deny-link-local}');
  const asked = (override: string) => {
    const query = new URLSearchParams({
      namespace: 'http',
      dtab: '/svc => /#/io.l5d.fs; /net => /$/inet',
      path: '/svc/web',
      override,
    });
    return httpRequest(`${world.signpost.adminUrl}/delegator.json?${query}`);
  };
  t.match(await asked('/svc/web => /svc/secret'), { status: 200, body: /"id":"\/#\/io\.l5d\.fs\/secret"/ });
  t.match(await asked('/svc/web => /#/io.l5d.fs/secret'), {
    status: 400,
    body: /^Invalid override: .*may not lead to/,
  });
  t.match(await asked('/svc/web => /net/169.254.1.1/1'), { status: 400, body: /^Invalid override: .*link-local/ });
  t.match(await asked('nonsense'), { status: 400, body: /^Invalid override: / });
  t.match(await asked(''), { status: 200 });
});
