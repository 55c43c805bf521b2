import { test } from 'tap';
import { variable } from '../../src/live/index.ts';
import type { Addr } from '../../src/naming/index.ts';
import { errorResponse, formEncode, type RouteError, showDuration } from '../../src/router/errors.ts';
import { bound, startDataSide } from '../support/data-side.ts';
import { send } from '../support/http-client.ts';
import { header, headerValues } from '../support/http-message.ts';
import { RecordingBackend } from '../support/recording-backend.ts';
import { type Arrived, answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld } from '../support/world.ts';

test("a name that is bound to nothing: the original's text, with both dtabs", async (t) => {
  const { port } = await startWorld(t, { dtab: '/a => /b; /svc => /#/io.l5d.fs' });
  const response = await send(port(), { host: 'nowhere', headers: [['l5d-dtab', '/x=>/y']] });
  t.equal(response?.start, 'HTTP/1.1 502 Bad Gateway');
  const text = `Unable to route request!

service name: /svc/nowhere
dtab:

base dtab:
  /a => /b
  /svc => /#/io.l5d.fs
override dtab:
  /x => /y
`;
  t.equal(response?.body, text);
  t.equal(header(response?.headers ?? [], 'l5d-err'), formEncode(text));
  t.strictSame((response?.headers ?? []).map(([name]) => name.toLowerCase()).sort(), [
    'content-length',
    'content-type',
    'l5d-err',
  ]);
  t.match(await send(port(), { host: 'nowhere', method: 'HEAD' }), { start: /502/, body: '' });
});

test('! and ~ and $ lead nowhere too; an unknown utility says so', async (t) => {
  const { port } = await startWorld(t, {
    dtab: '/svc/fail => !; /svc/empty => $; /svc/neg => ~; /svc/odd => /$/io.buoyant.nosuch/418',
  });
  for (const host of ['fail', 'empty', 'neg']) {
    t.match(await send(port(), { host }), { start: /502/, body: /^Unable to route request!/ }, host);
  }
  t.match(await send(port(), { host: 'odd' }), { start: /502/, body: /io\.buoyant\.nosuch/ });
});

test('a dtab that turns in circles is an error, quickly', async (t) => {
  const { port } = await startWorld(t, { dtab: '/svc => /svc' });
  t.match(await send(port()), { start: /502/, body: 'Max recursion level: 100 reached in Namer lookup' });
});

test('a name that is not bound in time', async (t) => {
  const data = await startDataSide(t, { bindingTimeoutMs: 150 });
  const late = {
    start: 'HTTP/1.1 502 Bad Gateway',
    body: 'Exceeded 150.milliseconds binding timeout while resolving name: /svc/web',
  };
  t.match(await send(data.port), late);
  data.bind('/svc/web', bound('web', variable<Addr>({ state: 'pending' })));
  t.match(await send(data.port), late, 'also when its addresses are not known in time');
});

test('maxConcurrentRequests: one more is refused, and let in when there is room again', async (t) => {
  const waiting: Arrived[] = [];
  const backend = await socketBackend(t, (arrived) => waiting.push(arrived));
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] }, server: 'maxConcurrentRequests: 2' });
  const replies = Promise.all([send(port()), send(port())]);
  await until(() => waiting.length === 2);
  const refused = await send(port());
  t.match(refused?.start, 'HTTP/1.1 503 Service Unavailable');
  const headers = refused?.headers ?? [];
  t.equal(header(headers, 'finagle-http-nack'), 'true');
  t.equal(header(headers, 'retry-after'), '1');
  t.equal(header(headers, 'l5d-retryable'), 'true');
  t.match(header(headers, 'l5d-err'), /limit\+of\+2\+concurrent/);
  t.equal(refused?.body.length, Number(header(headers, 'content-length')));
  for (const { socket } of waiting.splice(0)) answer(socket);
  await replies;
  const again = send(port());
  await until(() => waiting.length === 1);
  for (const { socket } of waiting.splice(0)) answer(socket);
  t.match(await again, { start: 'HTTP/1.1 200 OK' });
  t.match(await metrics(), { [`rt/http/server/127.0.0.1/${port()}/pending`]: 0 });
});

test('what a backend breaks is told with where it happened', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port } = await startWorld(t, { names: { web: [backend.port] } });
  const garbage = await send(port(), { target: '/be/garbage' });
  t.match(garbage, {
    start: /502/,
    body: /^Malformed response from 127\.0\.0\.1:\d+: .*\n\nservice name: \/svc\/web\n/,
  });
  const dropped = await send(port(), { target: '/be/drop' });
  t.match(dropped, { start: /502/, body: /^No complete response from 127\.0\.0\.1:\d+: the connection was closed\./ });
});

test('a malformed request is answered and its connection closed', async (t) => {
  const backend = await RecordingBackend.start(t);
  const { port, metrics } = await startWorld(t, { names: { web: [backend.port] } });
  const response = await send(port(), { headers: [['bad name', 'x']] });
  t.match(response, { start: 'HTTP/1.1 400 Bad Request', body: /^Malformed request: / });
  t.strictSame(headerValues(response?.headers ?? [], 'connection'), ['close']);
  t.match(await send(port(), { target: `/${'a'.repeat(9000)}` }), { start: 'HTTP/1.1 414 URI Too Long' });
  t.match(await send(port(), { headers: [['x', 'a'.repeat(61 * 1024)]] }), { start: /HTTP\/1\.1 431/ });
  t.match(await send(port(), { headers: Array.from({ length: 200 }, (_, i) => [`x${i}`, ''] as const) }), {
    start: /431/,
  });
  t.equal(backend.requests.length, 0);
  t.match(await metrics(), { [`rt/http/server/127.0.0.1/${port()}/failures`]: 4 });
});

test('at an edge no error tells of the inside', (t) => {
  const inside = {
    service: '/svc/web',
    client: '/#/io.l5d.fs/web',
    addresses: ['10.1.2.3:80'],
    address: '10.1.2.3:80',
  };
  const errors: Record<RouteError['type'], RouteError> = {
    unidentified: { type: 'unidentified', request: 'Request("GET /", from /10.1.2.3:5)', reason: 'no Host' },
    badOverride: { type: 'badOverride', reason: 'expected' },
    callDepth: { type: 'callDepth', limit: 3 },
    badRequest: { type: 'badRequest', status: 400, reason: 'a bare CR' },
    unbound: { type: 'unbound', service: '/svc/web', base: '/svc => /#/io.l5d.fs', override: '/a => /b' },
    bindingFailed: { type: 'bindingFailed', cause: 'Unknown namer: x for path: /$/x' },
    bindingTimeout: { type: 'bindingTimeout', service: '/svc/web', ms: 5 },
    connectFailed: { type: 'connectFailed', ...inside },
    backendClosed: { type: 'backendClosed', cause: 'the connection failed (ECONNRESET)', ...inside },
    backendMalformed: { type: 'backendMalformed', cause: 'bad chunk', ...inside },
    nacked: { type: 'nacked' },
    overloaded: { type: 'overloaded', limit: 3, retryAfterSecs: 1 },
    outOfMemory: { type: 'outOfMemory', retryAfterSecs: 1 },
    tooManyWaiters: { type: 'tooManyWaiters', limit: 3, ...inside },
    totalTimeout: { type: 'totalTimeout', ms: 5 },
    attemptTimeout: { type: 'attemptTimeout', ms: 5, trace: 'aa.bb<:cc', ...inside },
    deadlinePassed: { type: 'deadlinePassed' },
    serverTimeout: { type: 'serverTimeout', server: '10.1.2.3/4140', ms: 5 },
    requestTooLarge: { type: 'requestTooLarge', limit: 3 },
    responseTooLarge: { type: 'responseTooLarge', limit: 3 },
    responseCut: { type: 'responseCut' },
  };
  for (const error of Object.values(errors)) {
    const limits = { bodyBytes: 1000, headerBytes: 1000 };
    const edge = errorResponse(error, { ...limits, edge: true });
    const inner = errorResponse(error, { ...limits, edge: false });
    const text = edge.body.toString();
    t.match(text, /^[^\n/#]{8,120}$/, error.type);
    t.notMatch(text, /\d\.\d|svc|io\.l5d/, error.type);
    t.equal(edge.head.get('l5d-err'), formEncode(text), error.type);
    t.equal(edge.head.status, inner.head.status, error.type);
  }
  t.end();
});

test('limits of the text, and its encoding', (t) => {
  const error = { type: 'bindingFailed', cause: 'ü /*~ text' } as const;
  const { head, body } = errorResponse(error, { bodyBytes: 4, headerBytes: 9, edge: false });
  t.equal(body.toString(), 'ü /');
  t.equal(head.get('l5d-err'), '%C3%BC+%2');
  t.equal(head.get('content-length'), '4');
  t.equal(formEncode("a b\n'(~)*-._é"), 'a+b%0A%27%28%7E%29*-._%C3%A9');
  t.strictSame([0, 500, 10_000, 1500, 61_000, 90_061_001].map(showDuration), [
    '0.seconds',
    '500.milliseconds',
    '10.seconds',
    '1.seconds+500.milliseconds',
    '1.minutes+1.seconds',
    '1.days+1.hours+1.minutes+1.seconds+1.milliseconds',
  ]);
  t.end();
});
