// Retries and requeues: what is sent again, what never is, and who is told.
import type { Socket } from 'node:net';
import { test } from 'tap';
import { lastResponse, requestText, type Sent, send } from '../support/http-client.ts';
import { header } from '../support/http-message.ts';
import { freePorts } from '../support/ports.ts';
import { RawConnection } from '../support/raw-client.ts';
import { type Arrived, answer, socketBackend } from '../support/socket-backend.ts';
import { until } from '../support/until.ts';
import { startWorld, type WorldOptions } from '../support/world.ts';

type Test = Parameters<typeof startWorld>[0];

const ALL =
  'service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}, retries: {backoff: {kind: constant, ms: 0}}}';
const READ =
  'service: {responseClassifier: {kind: io.l5d.http.retryableRead5XX}, retries: {backoff: {kind: constant, ms: 0}}}';

function respond(socket: Socket, status: string, fields = '', body = 'no'): void {
  socket.write(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
}

/** A backend of which each request of a target is answered by the next of `steps`, and then by the last. */
async function stepped(t: Test, steps: readonly ((arrived: Arrived) => void)[]) {
  const counts = new Map<string, number>();
  const backend = await socketBackend(t, (arrived) => {
    const nth = counts.get(arrived.target) ?? 0;
    counts.set(arrived.target, nth + 1);
    (steps[Math.min(nth, steps.length - 1)] as (arrived: Arrived) => void)(arrived);
  });
  return { ...backend, attempts: (target = '/'): number => counts.get(target) ?? 0 };
}

const fails = ({ socket }: Arrived): void => respond(socket, '503 Service Unavailable');
const succeeds = ({ socket, message }: Arrived): void => answer(socket, message.body || 'ok');

async function retryWorld(t: Test, steps: readonly ((arrived: Arrived) => void)[], options: WorldOptions = {}) {
  const backend = await stepped(t, steps);
  const world = await startWorld(t, { names: { web: [backend.port] }, router: [ALL], ...options });
  return { backend, ...world, send: (sent: Sent = {}) => send(world.port(), sent) };
}

test('a body is sent again whole, also when it comes in pieces', async (t) => {
  const { backend, port, send } = await retryWorld(t, [fails, succeeds]);
  t.match(await send({ method: 'POST', body: 'hello' }), { start: /200/, body: 'hello' });
  t.equal(backend.attempts(), 2);
  const body = 'x'.repeat(4000);
  const text = requestText({ method: 'POST', target: '/pieces', body });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(
    `${text.slice(0, -3000)}<<sleep 0.05s>>${text.slice(-3000, -10)}<<sleep 0.05s>>${text.slice(-10)}`,
  );
  t.match(await lastResponse(connection, 'POST'), { start: /200/, body });
});

test('a failure that comes before the body does: the rest goes to the next try', async (t) => {
  // Answers as soon as the head is there, then reads no more.
  let early = 0;
  const backend = await socketBackend(t, succeeds);
  const { createServer } = await import('node:net');
  const hasty = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      early++;
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => hasty.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void hasty.close());
  const { port } = await startWorld(t, {
    names: { web: [(hasty.address() as { port: number }).port, backend.port] },
    router: [ALL, 'client: {loadBalancer: {kind: roundRobin}}'],
  });
  for (let i = 0; i < 4; i++) {
    const connection = await RawConnection.open(port());
    t.teardown(() => connection.destroy());
    await connection.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9\r\n\r\nfirst<<sleep 0.1s>>last');
    t.match(await lastResponse(connection, 'POST'), { start: /200/, body: 'firstlast' });
  }
  t.ok(early > 0);
});

test('what is too long, or chunked, is sent once', async (t) => {
  const { backend, port, send } = await retryWorld(t, [fails, succeeds]);
  t.match(await send({ method: 'PUT', target: '/long', body: 'x'.repeat(5 * 1024 + 1) }), { start: /503/ });
  t.equal(backend.attempts('/long'), 1);
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send('PUT /chunked HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n');
  t.match(await lastResponse(connection, 'PUT'), { start: /503/ });
  t.equal(backend.attempts('/chunked'), 1);
});

test('methods that the classifier does not know as safe are sent once', async (t) => {
  const { backend, send } = await retryWorld(t, [fails, succeeds], { router: [READ] });
  t.match(await send({ method: 'POST', target: '/post', body: 'x' }), { start: /503/ });
  t.match(await send({ method: 'BREW', target: '/brew' }), { start: /503/ });
  t.match(await send({ target: '/get' }), { start: /200/ });
  t.strictSame(['/post', '/brew', '/get'].map(backend.attempts), [1, 1, 2]);
});

test('nothing is sent again once a byte of a response has reached the client, an interim one included', async (t) => {
  const hints = ({ socket }: Arrived): void => {
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    respond(socket, '503 Service Unavailable');
  };
  const cut = ({ socket }: Arrived): void => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
  };
  const { backend, port, send } = await retryWorld(t, [
    (arrived) => (arrived.target === '/hints' ? hints : cut)(arrived),
    succeeds,
  ]);
  t.match(await send({ target: '/hints' }), { start: /503/ });
  t.equal(backend.attempts('/hints'), 1);
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(requestText({ target: '/cut' }));
  await until(() => connection.closed);
  t.match(connection.received, /half$/);
  t.equal(backend.attempts('/cut'), 1);
});

test('at most maxPerRequest further tries, whatever their reason; 0 is none', async (t) => {
  const { backend, send, metrics } = await retryWorld(t, [fails]);
  t.match(await send(), { start: /503/, body: 'no' });
  t.equal(backend.attempts(), 4);
  t.match(await metrics(), {
    'rt/http/service/svc/web/retries/total': 3,
    'rt/http/service/svc/web/retries/backoffs_exhausted': 1,
    'rt/http/service/svc/web/retries/budget': 97,
    'rt/http/service/svc/web/requests': 1,
    'rt/http/client/#/io.l5d.fs/web/requests': 4,
    'rt/http/client/#/io.l5d.fs/web/status/503': 4,
    'rt/http/client/#/io.l5d.fs/web/service/svc/web/failures': 4,
    'rt/http/client/#/io.l5d.fs/web/retries/budget': 100,
  });
  const none = await retryWorld(t, [fails], {
    router: ['service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}, retries: {maxPerRequest: 0}}'],
  });
  t.match(await none.send(), { start: /503/ });
  t.equal(none.backend.attempts(), 1);
});

test('another endpoint is asked where there is one', async (t) => {
  const [bad, good] = [await stepped(t, [fails]), await stepped(t, [succeeds])];
  const { port } = await startWorld(t, { names: { web: [bad.port, good.port] }, router: [ALL] });
  for (let i = 0; i < 20; i++) t.match(await send(port()), { start: /200/ });
  t.ok(bad.attempts() > 0 && bad.attempts() <= 20);
});

test('Retry-After is waited for, and a long one is passed on', async (t) => {
  const busy = (value: string) => (arrived: Arrived) =>
    respond(arrived.socket, '503 Service Unavailable', `Retry-After: ${value}\r\n`);
  const soon = await retryWorld(t, [busy('1'), succeeds]);
  const startedMs = performance.now();
  t.match(await soon.send(), { start: /200/ });
  t.ok(performance.now() - startedMs >= 990);
  for (const value of ['2', '9'.repeat(20), new Date(Date.now() + 60_000).toUTCString()]) {
    const late = await retryWorld(t, [busy(value), succeeds]);
    const response = await late.send();
    t.match(response, { start: /503/ });
    t.equal(header(response?.headers ?? [], 'retry-after'), value);
    t.equal(late.backend.attempts(), 1);
  }
  for (const value of ['soon', new Date(Date.now() - 60_000).toUTCString()]) {
    t.match(await (await retryWorld(t, [busy(value), succeeds])).send(), { start: /200/ }, value);
  }
});

test('a wait that is longer than a timer can be does not end at once', async (t) => {
  const busy = ({ socket }: Arrived): void => respond(socket, '503 Service Unavailable', 'Retry-After: 2147483\r\n');
  const { backend, port } = await retryWorld(t, [busy, succeeds], {
    router: [
      'service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}, retries: {maxRetryAfterMs: 2147483647, backoff: {kind: constant, ms: 9999}}}',
    ],
  });
  const connection = await RawConnection.open(port());
  t.teardown(() => connection.destroy());
  await connection.send(`${requestText({})}<<sleep 0.2s>>`);
  t.strictSame([backend.attempts(), connection.received], [1, '']);
});

test('a nack is tried again at once, whatever the method; then the client is told', async (t) => {
  for (const field of ['finagle-http-nack: true\r\n', 'Retry-After: 0\r\n']) {
    const nacks = ({ socket }: Arrived): void => respond(socket, '503 Service Unavailable', field);
    const busy = await stepped(t, [nacks]);
    const idle = await stepped(t, [succeeds]);
    const { port, metrics } = await startWorld(t, { names: { web: [busy.port, idle.port], busy: [busy.port] } });
    // Which of the two is asked first is drawn: once in a thousand times ten draws are all for the other one.
    for (let i = 0; i < 10 || (busy.attempts() === 0 && i < 100); i++) {
      t.match(await send(port(), { method: 'POST', body: 'x' }), { start: /200/ });
    }
    t.ok(busy.attempts() > 0);
    t.match(await send(port(), { host: 'busy' }), {
      start: 'HTTP/1.1 502 Bad Gateway',
      body: 'The request was Nacked by the server',
    });
    t.match(await metrics(), {
      'rt/http/client/#/io.l5d.fs/web/retries/requeues': busy.attempts() - 4,
      'rt/http/client/#/io.l5d.fs/busy/retries/requeues': 3,
      'rt/http/client/#/io.l5d.fs/busy/retries/request_limit': 1,
    });
    const connection = await RawConnection.open(port());
    t.teardown(() => connection.destroy());
    await connection.send('POST / HTTP/1.1\r\nHost: busy\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n');
    t.match(
      await lastResponse(connection, 'POST'),
      { start: /503/, body: 'no' },
      'what can not be repeated is passed on',
    );
    t.match(await metrics(), { 'rt/http/client/#/io.l5d.fs/busy/retries/cannot_retry': 1 });
  }
  const refuses = ({ socket }: Arrived): void =>
    respond(socket, '503 Service Unavailable', 'finagle-http-nonretryable-nack: true\r\n');
  const { backend, send: ask } = await retryWorld(t, [refuses, succeeds]);
  t.match(await ask(), { start: /503/ });
  t.equal(backend.attempts(), 1, 'a refusal that is meant for good');
});

test('a nack of the only endpoint is tried again there', async (t) => {
  const nacks = ({ socket }: Arrived): void =>
    respond(socket, '503 Service Unavailable', 'finagle-http-nack: true\r\n');
  const { backend, send: ask } = await retryWorld(t, [nacks, nacks, succeeds]);
  t.match(await ask({ method: 'POST', body: 'x' }), { start: /200/ });
  t.equal(backend.attempts(), 3);
});

test('a nack that names a time: others are asked meanwhile, and the client is told the time', async (t) => {
  const nacks = ({ socket }: Arrived): void =>
    respond(socket, '503 Service Unavailable', 'finagle-http-nack: true\r\nRetry-After: 7\r\n');
  const [busy, other, idle] = [await stepped(t, [nacks]), await stepped(t, [nacks]), await stepped(t, [succeeds])];
  const { port } = await startWorld(t, {
    names: { web: [busy.port, other.port, idle.port], busy: [busy.port, other.port], only: [busy.port] },
    router: [ALL, 'client: {failureAccrual: {kind: none}}'],
  });
  for (let i = 0; i < 10; i++) t.match(await send(port(), { method: 'POST', body: 'x' }), { start: /200/ });
  const told = async (host: string, target: string, headers: readonly (readonly [string, string])[] = []) => {
    const response = await send(port(), { host, target, headers });
    t.match(response, { start: /503/, body: 'no' });
    t.equal(header(response?.headers ?? [], 'retry-after'), '7');
    return header(response?.headers ?? [], 'l5d-retries-exhausted');
  };
  const fromHop = [['l5d-dst-client', '/#/before']] as const;
  t.equal(await told('only', '/only', fromHop), undefined, 'the hop before may have another way');
  t.equal(await told('busy', '/busy', fromHop), 'true', 'all have been asked');
  t.strictSame([busy.attempts('/only'), busy.attempts('/busy'), other.attempts('/busy')], [1, 1, 1]);
});

test('a hop that is full for a while: the client of the hop before it is told for how long', async (t) => {
  const waiting: Arrived[] = [];
  const backend = await socketBackend(t, (arrived) => waiting.push(arrived));
  const full = await startWorld(t, { names: { web: [backend.port] }, server: 'maxConcurrentRequests: 1' });
  const { port } = await startWorld(t, {
    names: { web: [full.port()] },
    router: ['service: {retries: {maxRetryAfterMs: 0}}'],
  });
  const first = send(port());
  await until(() => waiting.length === 1);
  const refused = await send(port());
  t.equal(refused?.start, 'HTTP/1.1 503 Service Unavailable');
  t.match(refused?.body, 'The limit of 1 concurrent requests is reached.');
  t.match(header(refused?.headers ?? [], 'retry-after'), /^[1-9]\d*$/);
  t.match(await full.metrics(), { [`rt/http/server/127.0.0.1/${full.port()}/nacks`]: 1 }, 'asked once');
  for (const { socket } of waiting) answer(socket);
  await first;
});

test('l5d-retryable: a failure says that the request is safe to repeat, unless the config does not believe it', async (t) => {
  const marked = ({ socket }: Arrived): void => respond(socket, '500 Oops', 'l5d-retryable: true\r\n');
  const believed = await retryWorld(t, [marked, succeeds], { router: [] });
  t.match(await believed.send({ method: 'POST', body: 'x' }), { start: /200/ });
  const long = await believed.send({ method: 'POST', target: '/long', body: 'x'.repeat(6000) });
  t.match(long, { start: /500/ });
  t.equal(believed.backend.attempts('/long'), 1, 'only what can be repeated');
  const ignored = await retryWorld(t, [marked, succeeds], { router: ['service: {retries: {retryableHeader: false}}'] });
  t.match(await ignored.send(), { start: /500/ });
  t.equal(ignored.backend.attempts(), 1);
});

test('a connection that is reset before an answer: what may be repeated is, on a new one', async (t) => {
  const resets = ({ socket }: Arrived): void => void socket.resetAndDestroy();
  const { backend, send, metrics } = await retryWorld(t, [resets, succeeds], { router: [] });
  t.match(await send({ method: 'PUT', body: 'x' }), { start: /200/, body: 'x' });
  t.match(await send({ method: 'POST', target: '/post', body: 'x' }), { start: /502/ });
  t.strictSame([backend.attempts(), backend.attempts('/post')], [2, 1]);
  t.match(await metrics(), {
    'rt/http/client/#/io.l5d.fs/web/retries/requeues': 1,
    'rt/http/client/#/io.l5d.fs/web/retries/cannot_retry': 1,
  });
});

test('requeues have a budget of their own', async (t) => {
  const resets = ({ socket }: Arrived): void => void socket.resetAndDestroy();
  const { backend, send, metrics } = await retryWorld(t, [resets], {
    router: ['client: {requeueBudget: {minRetriesPerSec: 0, percentCanRetry: 0.5, ttlSecs: 60}}'],
  });
  for (let i = 0; i < 10; i++) t.match(await send(), { start: /502/ });
  t.equal(backend.attempts(), 15);
  t.match(await metrics(), {
    'rt/http/client/#/io.l5d.fs/web/retries/requeues': 5,
    'rt/http/client/#/io.l5d.fs/web/retries/budget': 0,
  });
  const exhausted = (await metrics())['rt/http/client/#/io.l5d.fs/web/retries/budget_exhausted'] ?? 0;
  t.equal(exhausted, 10, 'each request has wanted one more than there was');
});

test('the only endpoint is asked again after a backoff, not at once', async (t) => {
  const [refused] = await freePorts(1);
  const { port, metrics } = await startWorld(t, { names: { web: [refused as number] }, router: [READ] });
  t.match(await send(port()), { start: /502/, body: /^Unable to establish connection/ });
  t.match(await metrics(), {
    'rt/http/service/svc/web/retries/total': 3,
    'rt/http/client/#/io.l5d.fs/web/retries/requeues': 0,
    'rt/http/client/#/io.l5d.fs/web/retries/not_open': 4,
    'rt/http/client/#/io.l5d.fs/web/service_creation/failures': 4,
  });
});

test('a queue that is full sends requests to other endpoints', async (t) => {
  const [one, other] = [await stepped(t, [() => {}]), await stepped(t, [succeeds])];
  const { port } = await startWorld(t, {
    names: { web: [one.port, other.port] },
    router: ['client: {loadBalancer: {kind: roundRobin}, hostConnectionPool: {maxSize: 1, maxWaiters: 0}}'],
  });
  const hanging: RawConnection[] = [];
  while (one.attempts() === 0) {
    const connection = await RawConnection.open(port());
    hanging.push(connection);
    await connection.send(requestText({}));
    await until(() => connection.received.includes('200') || one.attempts() > 0);
  }
  for (let i = 0; i < 6; i++) t.match(await send(port()), { start: /200/ });
  for (const connection of hanging) connection.destroy();
});

test('a response that is tried again is read to its end if that is near, and its connection goes on', async (t) => {
  const inPieces = ({ socket }: Arrived): void => {
    socket.write('HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n');
    setTimeout(() => socket.write('5\r\nlater\r\n0\r\n\r\n'), 20);
  };
  const { backend, send, metrics } = await retryWorld(t, [inPieces, succeeds]);
  t.match(await send(), { start: /200/ });
  await until(async () => (await metrics())['rt/http/client/#/io.l5d.fs/web/pool_cached'] === 2);
  t.equal(backend.sockets.size, 2);
});

test('one that goes on for too long is given up', async (t) => {
  const endless = ({ socket }: Arrived): void => {
    socket.write('HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n');
    const more = setInterval(() => socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`), 1);
    socket.on('close', () => clearInterval(more));
  };
  const stalls = ({ socket }: Arrived): void => {
    socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nhalf');
  };
  for (const step of [endless, stalls]) {
    const { backend, send } = await retryWorld(t, [step, succeeds]);
    t.match(await send(), { start: /200/ });
    await until(() => backend.sockets.size === 1);
  }
});

test('a client that leaves takes its further tries along, and what it waits for', async (t) => {
  const { backend, port, metrics } = await retryWorld(t, [fails], {
    router: [
      'service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}, retries: {backoff: {kind: constant, ms: 60000}}}',
    ],
  });
  const client = await RawConnection.open(port());
  await client.send(requestText({}));
  await until(async () => (await metrics())['rt/http/service/svc/web/retries/total'] === 1);
  client.end();
  await until(async () => (await metrics())[`rt/http/server/127.0.0.1/${port()}/pending`] === 0);
  t.equal(backend.attempts(), 1);
  t.match(await metrics(), { 'rt/http/client/#/io.l5d.fs/web/loadbalancer/load': 0 });
  client.destroy();
});

test('a backoff never outlasts the time of a request: the failure is answered at once', async (t) => {
  const classifier = 'responseClassifier: {kind: io.l5d.http.retryableAll5XX}';
  const { backend, send, metrics } = await retryWorld(t, [fails], {
    router: [`service: {totalTimeoutMs: 30000, ${classifier}, retries: {backoff: {kind: constant, ms: 40000}}}`],
  });
  t.match(await send(), { start: /503/, body: 'no' });
  t.equal(backend.attempts(), 1);
  t.match(await metrics(), {
    'rt/http/service/svc/web/retries/backoffs_exhausted': 1,
    'rt/http/service/svc/web/retries/budget': 100,
  });
});

const fromHop = [['l5d-dst-client', '/#/io.l5d.fs/inner']] as const;
const EXHAUSTED = 'l5d-retries-exhausted';

test('a hop is told that there have been enough tries, and nobody else', async (t) => {
  const { send } = await retryWorld(t, [fails]);
  const marked = async (sent: Sent) => header((await send(sent))?.headers ?? [], EXHAUSTED);
  t.equal(await marked({ headers: fromHop }), 'true');
  t.equal(await marked({}), undefined);
  const edge = await retryWorld(t, [fails], { server: 'clearContext: true' });
  t.equal(header((await edge.send({ headers: fromHop }))?.headers ?? [], EXHAUSTED), undefined);
  const once = await retryWorld(t, [fails], { router: [] });
  t.equal(
    header((await once.send({ headers: fromHop }))?.headers ?? [], EXHAUSTED),
    undefined,
    'who has not tried again',
  );
  const drops = await retryWorld(t, [({ socket }) => socket.destroy()]);
  const error = await drops.send({ headers: fromHop });
  t.match(error, { start: /502/ });
  t.equal(header(error?.headers ?? [], EXHAUSTED), 'true', 'also in an error of our own');
});

test('what a hop behind has tried enough is not tried again, and the hop before is told', async (t) => {
  const exhausted = ({ socket }: Arrived): void => respond(socket, '503 Service Unavailable', `${EXHAUSTED}: true\r\n`);
  const { backend, send } = await retryWorld(t, [exhausted, succeeds]);
  const passed = await send({ headers: fromHop });
  t.match(passed, { start: /503/ });
  t.equal(header(passed?.headers ?? [], EXHAUSTED), 'true');
  t.equal(backend.attempts(), 1);
  const outside = await send({ target: '/outside' });
  t.equal(header(outside?.headers ?? [], EXHAUSTED), undefined);
  t.equal(header(outside?.headers ?? [], 'l5d-success-class'), '0.0');
});

test('allSuccessful: a 5xx is a success of service, client and server; a request without a response is none', async (t) => {
  const steps = ({ target, socket }: Arrived): void =>
    target === '/drop' ? void socket.destroy() : respond(socket, '500 Oops', 'l5d-retryable: true\r\n');
  const { backend, send, port, metrics } = await retryWorld(t, [steps], {
    router: ['service: {responseClassifier: {kind: io.l5d.http.allSuccessful}}'],
  });
  const response = await send();
  t.equal(header(response?.headers ?? [], 'l5d-success-class'), '1.0');
  t.equal(backend.attempts(), 1);
  t.match(await send({ target: '/drop', method: 'POST', body: 'x' }), { start: /502/ });
  t.match(await metrics(), {
    'rt/http/service/svc/web/success': 1,
    'rt/http/service/svc/web/failures': 1,
    'rt/http/client/#/io.l5d.fs/web/success': 1,
    'rt/http/client/#/io.l5d.fs/web/failures': 1,
    [`rt/http/server/127.0.0.1/${port()}/success`]: 1,
    [`rt/http/server/127.0.0.1/${port()}/failures`]: 1,
  });
});
