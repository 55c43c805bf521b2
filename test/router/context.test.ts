import { test } from 'tap';
import { startTrace } from '../../src/router/http/trace.ts';
import { send } from '../support/http-client.ts';
import { type Header, header, headerValues, parseRequest } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { until } from '../support/until.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';

async function world(t: Parameters<typeof startWorld>[0], options: WorldOptions = {}) {
  const backend = await RecordingBackend.start(t);
  const other = await RecordingBackend.start(t);
  const started = await startWorld(t, { names: { web: [backend.port], other: [other.port] }, ...options });
  const ask = async (headers: readonly Header[] = [], target = '/', host = 'web') => {
    const before = backend.requests.length;
    const response = await send(started.port(), { headers, target, host });
    const raw = backend.requests[before]?.raw;
    return {
      status: response?.start.split(' ')[1],
      response: response?.headers ?? [],
      body: response?.body,
      sent: raw === undefined ? undefined : parseRequest(raw)?.message.headers,
    };
  };
  return { ...started, backend, other, ask };
}

const named = (headers: readonly Header[] | undefined, name: string) => headerValues(headers ?? [], name);

test("both override headers are read, the user's last, and sent on merged", async (t) => {
  const { ask, other } = await world(t);
  const to = (name: string) => `/svc/web => /#/io.l5d.fs/${name}`;
  const { sent } = await ask([
    ['l5d-dtab', to('web')],
    ['L5D-Ctx-Dtab', to('nowhere')],
  ]);
  t.strictSame(named(sent, 'l5d-ctx-dtab'), ['/svc/web=>/#/io.l5d.fs/nowhere;/svc/web=>/#/io.l5d.fs/web']);
  t.strictSame(named(sent, 'l5d-dtab'), []);
  await ask([
    ['l5d-ctx-dtab', to('web')],
    ['l5d-dtab', '/x => /y'],
    ['l5d-dtab', to('other')],
  ]);
  t.equal(other.requests.length, 1, "a second line of the user's wins over all");
  t.equal((await ask([['l5d-dtab', '']])).status, '200', 'an empty one is none');
});

test('a bad or long override is refused with 400, and bound nowhere', async (t) => {
  const { ask, backend } = await world(t);
  const bad = await ask([['l5d-dtab', '/a => ']]);
  t.equal(bad.status, '400');
  t.match(header(bad.response, 'l5d-err'), /expected/);
  const dentries = (count: number) => Array.from({ length: count }, (_, i) => `/x${i}=>/y`).join(';');
  t.equal((await ask([['l5d-dtab', dentries(16)]])).status, '200');
  t.match(await ask([['l5d-dtab', dentries(17)]]), { status: '400', body: /more than 16 entries/ });
  t.match(
    await ask([
      ['l5d-dtab', dentries(9)],
      ['l5d-ctx-dtab', dentries(9)],
    ]),
    { status: '400' },
  );
  t.match(await ask([['l5d-dtab', `/a=>/${'b'.repeat(1024)}`]]), { status: '400', body: /longer than 1024 bytes/ });
  t.equal((await ask([['l5d-dtab', `/a=>/${'b'.repeat(1000)}`]])).status, '200');
  const blown = `/a=>/${'\\x01'.repeat(240)}`;
  t.equal((await ask([['l5d-dtab', blown]])).status, '200', 'escapes as they are written');
  t.equal(backend.requests.length, 3);
});

test('clearContext: nothing of the mesh comes in, and nothing goes out', async (t) => {
  const { ask } = await world(t, { server: 'clearContext: true' });
  const { sent, response, status } = await ask(
    [
      ['l5d-dtab', 'not a dtab'],
      ['l5d-ctx-dtab', '/svc/web => /#/io.l5d.fs/other'],
      ['l5d-ctx-trace', 'AAAAAAAAAAEAAAAAAAAAAQAAAAAAAAABAAAAAAAAAAA='],
      ['l5d-ctx-deadline', '1 2'],
      ['l5d-sample', '1'],
      ['l5d-reqid', 'x'],
      ['l5d-ctx-user', 'me'],
      ['L5d-Anything', 'x'],
      ['x-mine', 'kept'],
    ],
    '/be/hdrs',
  );
  t.equal(status, '200');
  const l5d = (headers: readonly Header[] = []) =>
    headers.filter(([name]) => /^l5d-/i.test(name)).map(([name]) => name);
  t.strictSame(l5d(sent).sort(), ['l5d-ctx-trace', 'l5d-dst-client', 'l5d-dst-service', 'l5d-reqid']);
  t.not(header(sent ?? [], 'l5d-reqid'), '0000000000000001', 'a trace of our own');
  t.equal(header(sent ?? [], 'x-mine'), 'kept');
  t.strictSame(l5d(response), []);
});

test("at an edge our own error names nothing of the inside, and an inner hop's has no body", async (t) => {
  const { ask } = await world(t, { server: 'clearContext: true' });
  const unbound = await ask([], '/', 'nowhere');
  t.match(unbound, { status: '502', body: 'Unable to route request!' });
  t.equal(header(unbound.response, 'l5d-err'), 'Unable+to+route+request%21');
  const { port } = await startWorld(t, { server: 'clearContext: true', names: { web: await freePorts(1) } });
  const refused = await send(port());
  t.match(refused, { start: /502/, body: 'Unable to establish connection to the service.' });
  t.equal(header(refused?.headers ?? [], 'l5d-err'), 'Unable+to+establish+connection+to+the+service.');
  const inner = await ask([], '/be/s503~err');
  t.match(inner, { status: '503', body: '' });
  t.equal(header(inner.response, 'l5d-err'), undefined);
});

test('l5d-* in trailers pass neither way', async (t) => {
  const { port, backend } = await world(t);
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(
    'POST /be/ok HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nL5d-Dtab: /a=>/b\r\nX-Ok: 1\r\n\r\n',
  );
  await until(() => backend.requests[0]?.complete === true);
  const sent = parseRequest(backend.requests[0]?.raw ?? '')?.message;
  t.strictSame(sent?.trailers, [['X-Ok', '1']]);
});

const b64 = (...parts: string[]) => Buffer.from(parts.join(''), 'hex').toString('base64');
const A = 'aaaaaaaaaaaaaaaa';
const B = 'bbbbbbbbbbbbbbbb';
const C = 'cccccccccccccccc';
const D = 'dddddddddddddddd';
const ZERO = '0000000000000000';

/** span, parent, trace, flags, high */
function fields(context: string | undefined): string[] {
  const hex = Buffer.from(context ?? '', 'base64').toString('hex');
  return hex.match(/.{16}/g) ?? [];
}

test('a request without a trace begins one; with one it continues it, in both lengths', async (t) => {
  const { ask } = await world(t);
  const fresh = (await ask()).sent ?? [];
  const [span, parent, trace, flags, high] = fields(header(fresh, 'l5d-ctx-trace'));
  t.equal(parent, trace, 'the root is this hop');
  t.not(span, parent);
  t.equal(flags, ZERO);
  t.equal(high, undefined);
  t.equal(header(fresh, 'l5d-reqid'), trace);

  for (const last of [[], [D]]) {
    const received = b64(A, B, C, '0000000000000006', ...last);
    const sent = (await ask([['l5d-ctx-trace', received]])).sent ?? [];
    const [ours, from, same, kept, ...rest] = fields(header(sent, 'l5d-ctx-trace'));
    t.strictSame([same, kept, rest], [C, '0000000000000006', last]);
    t.notOk([A, B, C].includes(ours ?? '') || [A, B, C].includes(from ?? ''), 'two spans of our own');
    t.equal(header(sent, 'l5d-reqid'), C);
    t.strictSame(named(sent, 'l5d-ctx-trace').length, 1);
  }
  for (const bad of ['', 'x', b64(A, B, C), b64(A, B, C, D, A, B)]) {
    const sent = (await ask([['l5d-ctx-trace', bad]])).sent ?? [];
    const [, root, own] = fields(header(sent, 'l5d-ctx-trace'));
    t.equal(root, own, `"${bad}" is no trace`);
  }
});

test('the headers of a trace are base64 and hexadecimal, whatever the ids', async (t) => {
  for (let i = 0; i < 256; i++) {
    const byte = i.toString(16).padStart(2, '0');
    for (const high of [[], [byte.repeat(8)]]) {
      const received = b64(A, B, byte.repeat(8), byte.repeat(8), ...high);
      const [, context = '', id] =
        /^l5d-ctx-trace: (.*)\r\nl5d-reqid: (.*)\r\n$/.exec(startTrace(received, undefined).http1) ?? [];
      t.equal(Buffer.from(context, 'base64').toString('base64'), context);
      t.match(fields(context), { length: 4 + high.length, 2: byte.repeat(8), ...(high.length > 0 && { 4: high[0] }) });
      t.equal(id, byte.repeat(8));
    }
  }
});

test('debug is sampled; l5d-sample decides by the trace id, always alike', async (t) => {
  const flagsOf = (trace: string, flags: string, sample?: string) => {
    const [, context] = /^l5d-ctx-trace: (.*)\r\n/.exec(startTrace(b64(A, B, trace, flags), sample).http1) ?? [];
    return Number.parseInt(fields(context)[3] ?? '', 16);
  };
  t.equal(flagsOf(C, '0000000000000001'), 7);
  t.equal(flagsOf(C, ZERO, '1.0'), 6);
  t.equal(flagsOf(C, ZERO, '7'), 6, 'clamped');
  t.equal(flagsOf(C, '0000000000000006', '0.0'), 2);
  t.equal(flagsOf(C, ZERO, '-1'), 2, 'clamped');
  t.equal(flagsOf(C, ZERO, 'often'), 0, 'no number, no decision');
  let sampled = 0;
  for (let i = 0; i < 4000; i++) {
    const trace = Math.imul(i, 2654435761).toString(16).replace('-', 'f').padStart(16, '0');
    const once = flagsOf(trace, ZERO, '0.5');
    if (once !== flagsOf(trace, ZERO, '0.5')) t.fail('decided differently');
    if (once === 6) sampled++;
  }
  t.ok(sampled > 1800 && sampled < 2200, `half of them: ${sampled}`);
  const { ask } = await world(t);
  t.strictSame(named((await ask([['l5d-sample', '1']])).sent, 'l5d-sample'), []);
});

test('Via: one line, this hop last; too many entries over all lines are a loop', async (t) => {
  const { ask } = await world(t, { server: 'maxCallDepth: 3' });
  const { sent, response } = await ask([['Via', '1.0 a, 1.1 b']], '/be/hdrs');
  t.strictSame(named(sent, 'via'), ['1.0 a, 1.1 b, 1.1 linkerd']);
  t.strictSame(named(response, 'via'), ['1.0 other, 1.1 linkerd']);
  t.equal(
    (
      await ask([
        ['Via', '1.1 a'],
        ['Via', '1.1 b,1.1 c'],
      ])
    ).status,
    '200',
  );
  const loop = await ask([
    ['Via', '1.1 a'],
    ['Via', '1.1 b, 1.1 c'],
    ['Via', '1.1 d'],
  ]);
  t.match(loop, {
    status: '400',
    body: 'Maximum number of calls (3) has been exceeded. Please check for proxy loops.',
  });
});

test('Forwarded: labelers, quoting, and the scheme of an absolute target', async (t) => {
  const addForwarded = (by: string, from: string, more = '') =>
    `addForwardedHeader: {by: {kind: ${by}}, for: {kind: ${from}}}${more}`;
  const of = async (server: string, target = '/', host = 'web') => {
    const { ask } = await world(t, { server });
    const { sent } = await ask([['Forwarded', 'for=earlier']], target, host);
    const [first, ours, ...more] = named(sent, 'forwarded');
    t.equal(first, 'for=earlier', 'those of others are kept');
    t.strictSame(more, []);
    return ours;
  };
  t.match(await of('addForwardedHeader: {}'), /^by=_\w{6};for=_\w{6};host=web$/);
  t.match(await of(addForwarded('ip', '"ip:port"')), /^by=127\.0\.0\.1;for="127\.0\.0\.1:\d+";host=web$/);
  t.match(await of(addForwarded('router', 'static, label: me')), /^by=_http;for=_me;host=web$/);
  t.match(await of(addForwarded('static, label: _edge', 'static, label: me')), /^by=_edge;for=_me;host=web$/);
  t.match(
    await of(addForwarded('connectionRandom', 'requestRandom'), 'http://web/'),
    /^by=_\w{6};for=_\w{6};host=web;proto=http$/,
  );
});

test('Forwarded names IPv6 addresses in quoted brackets', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port } = await startWorld(t, {
    server: 'ip: "::1", addForwardedHeader: {by: {kind: ip}, for: {kind: "ip:port"}}',
    dtab: `/svc => /$/inet/127.0.0.1/${backend.port}`,
  });
  const connection = await RawConnection.open(port(), '::1');
  t.teardown(() => connection.destroy());
  await connection.send('GET / HTTP/1.1\r\nHost: web:80\r\n\r\n');
  await until(() => backend.requests.length === 1);
  t.match(backend.requests[0]?.raw, /^Forwarded: by="\[::1\]";for="\[::1\]:\d+";host="web:80"\r$/m);
});

test('originator: a gauge says that requests enter the mesh here', async (t) => {
  const routers = ['originator: true', 'originator: false'].map(
    (line, i) => `- {protocol: http, label: r${i}, ${line}, servers: [{port: 0}]}`,
  );
  const { metrics } = await startWorld(t, { routers: routers.join('\n') });
  const found = await metrics();
  t.equal(found['rt/r0/originator'], 1);
  t.equal(found['rt/r1/originator'], undefined);
});

test('timestampHeader is added behind what came, as the original does', async (t) => {
  const { ask } = await world(t, { server: 'timestampHeader: X-Start' });
  const before = Date.now();
  const { sent } = await ask([['x-start', '1']]);
  const [received, ours, ...more] = named(sent, 'x-start').map(Number);
  t.equal(received, 1);
  t.ok((ours ?? 0) >= before && (ours ?? 0) <= Date.now());
  t.strictSame(more, []);
});
