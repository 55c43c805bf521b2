// What reaches an application that is down: two hops that would both like to try again, and how many tries that makes.
import http from 'node:http';
import { type Test, test } from 'tap';
import { httpRequest } from '../support/http-get.ts';
import { freePorts } from '../support/ports.ts';
import { socketBackend } from '../support/socket-backend.ts';
import { startWorld, type World } from '../support/world.ts';

const REQUESTS = 3000;
const CONCURRENT = 50;
/** What the issue allows. */
const MOST_PER_REQUEST = 1.5;

/** Everything that can be tried again is. */
const ROUTER = ['service: {responseClassifier: {kind: io.l5d.http.retryableAll5XX}}'];

/** client -> outgoing hop -> incoming hop -> endpoints */
async function twoHops(t: Test, endpoints: readonly number[], workers = 0, router: readonly string[] = ROUTER) {
  const incoming = await startWorld(t, { names: { web: endpoints }, router, workers });
  const outgoing = await startWorld(t, { names: { web: [incoming.port()] }, router, workers });
  return { incoming, outgoing };
}

/** Sends so many GETs; the statuses of the responses. */
async function load(t: Test, port: number): Promise<Map<number, number>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONCURRENT });
  t.teardown(() => agent.destroy());
  const statuses = new Map<number, number>();
  let left = REQUESTS;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const { status } = await httpRequest(`http://127.0.0.1:${port}/`, { headers: { host: 'web' }, agent });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, client));
  return statuses;
}

const CLIENT = 'rt/http/client/#/io.l5d.fs/web';
const SERVICE = 'rt/http/service/svc/web';

async function countsOf(world: World) {
  const metrics = await world.metrics();
  const of = (name: string): number => metrics[name] ?? 0;
  return {
    requests: of(`${SERVICE}/requests`),
    retries: of(`${SERVICE}/retries/total`),
    requeues: of(`${CLIENT}/retries/requeues`),
    refused: of(`${CLIENT}/service_creation/failures`),
  };
}

/** What so many budgets allow: 0.2 a request each, and 10 a second for as long as it took. */
function mostTries(startedMs: number, budgets: number): number {
  const seconds = 10 + (performance.now() - startedMs) / 1000;
  return REQUESTS + budgets * (REQUESTS * 0.2 + 10 * seconds);
}

for (const workers of [0, 3]) {
  test(`all endpoints answer 503, ${workers} workers`, async (t) => {
    const response = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
    const backends = await Promise.all([0, 1, 2].map(() => socketBackend(t, ({ socket }) => socket.write(response))));
    const { incoming, outgoing } = await twoHops(
      t,
      backends.map(({ port }) => port),
      workers,
    );
    const startedMs = performance.now();
    t.strictSame([...(await load(t, outgoing.port())).entries()], [[503, REQUESTS]]);
    const tries = backends.reduce((sum, { requests }) => sum + requests.length, 0);
    t.ok(tries <= mostTries(startedMs, 1), `${tries} tries of ${REQUESTS} requests`);
    t.ok(tries <= MOST_PER_REQUEST * REQUESTS);
    t.ok(tries > REQUESTS, 'there were some');
    t.match(await countsOf(incoming), { requests: REQUESTS, retries: tries - REQUESTS, requeues: 0 });
    t.match(await countsOf(outgoing), { requests: REQUESTS, retries: 0, requeues: 0 });
  });
}

test('all endpoints refuse connections', async (t) => {
  const { incoming, outgoing } = await twoHops(t, await freePorts(3));
  t.strictSame([...(await load(t, outgoing.port())).entries()], [[502, REQUESTS]]);
  const { refused, requests } = await countsOf(incoming);
  t.ok(refused <= MOST_PER_REQUEST * REQUESTS, `${refused} connects for ${REQUESTS} requests`);
  t.ok(refused > REQUESTS);
  t.equal(requests, REQUESTS);
  t.match(await countsOf(outgoing), { retries: 0, requeues: 0 });
});

test('all endpoints say that they have not acted on the request', async (t) => {
  const response = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n';
  const backends = await Promise.all([0, 1].map(() => socketBackend(t, ({ socket }) => socket.write(response))));
  const { outgoing } = await twoHops(
    t,
    backends.map(({ port }) => port),
  );
  const startedMs = performance.now();
  t.strictSame([...(await load(t, outgoing.port())).entries()], [[502, REQUESTS]]);
  const tries = backends.reduce((sum, { requests }) => sum + requests.length, 0);
  t.ok(tries <= mostTries(startedMs, 2) && tries > REQUESTS, `${tries} tries of ${REQUESTS} requests`);
  t.ok(tries <= MOST_PER_REQUEST * REQUESTS);
  t.match(await countsOf(outgoing), { retries: 0, requeues: 0 });
});

test('where the inner hop may not try again, the outer one does', async (t) => {
  const response = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
  const backend = await socketBackend(t, ({ socket }) => socket.write(response));
  const incoming = await startWorld(t, { names: { web: [backend.port] } });
  const outgoing = await startWorld(t, { names: { web: [incoming.port()] }, router: ROUTER });
  const startedMs = performance.now();
  t.strictSame([...(await load(t, outgoing.port())).entries()], [[503, REQUESTS]]);
  const tries = backend.requests.length;
  t.ok(tries <= mostTries(startedMs, 1) && tries > REQUESTS, `${tries} tries of ${REQUESTS} requests`);
  t.match(await countsOf(outgoing), { retries: tries - REQUESTS });
});
