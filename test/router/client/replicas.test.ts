/** Which endpoints requests may go to: with every balancer, full pools, failFast and probation. */
import { createServer } from 'node:net';
import { test } from 'tap';
import type { Address } from '../../../src/port/data-end.ts';
import { balancerKinds } from '../../../src/router/client/balancers/index.ts';
import type { Endpoint } from '../../../src/router/client/endpoint.ts';
import type { Http1ClientConnection } from '../../../src/wire/http1/client-connection.ts';
import { freePorts, portOf } from '../../support/ports.ts';
import { SharedWorld, type WorkerReplicas } from '../../support/replicas.ts';
import { until } from '../../support/until.ts';

const ACCRUAL = { kind: 'io.l5d.consecutiveFailures', failures: 3, backoff: { kind: 'constant', ms: 2000 } };

for (const { kind } of balancerKinds) {
  const balancer = kind === 'aperture' ? { kind, minAperture: 10 } : { kind };

  test(`${kind}: an endpoint that fails is left alone, probed and used again`, (t) => {
    const shared = new SharedWorld(t, { balancer, accrual: ACCRUAL });
    const a = shared.worker();
    a.replicas.update(shared.addresses(1, 2, 3));
    let works = false;
    const isGood = (port: number): boolean => port !== 2 || works;
    a.run(100, isGood);
    t.ok(a.at(2).health.isOut);
    const while_ = a.run(300, isGood);
    t.strictSame([...while_.keys()].sort(), [1, 3]);
    t.ok(
      [...while_.values()].every((count) => count > 100),
      'the others share its part',
    );
    shared.nowMs += 2000;
    t.equal(a.run(300, isGood).get(2), 1, 'one probe');
    works = true;
    shared.nowMs += 2000;
    t.ok((a.run(300, isGood).get(2) ?? 0) > 60, 'and then its share again');
    t.end();
  });

  test(`${kind}: another endpoint is picked than those that were tried`, (t) => {
    const shared = new SharedWorld(t, { balancer, accrual: ACCRUAL });
    const a = shared.worker();
    a.replicas.update(shared.addresses(1, 2, 3, [4, 0]));
    const [one, two, three] = [a.at(1), a.at(2), a.at(3)] as [Endpoint, Endpoint, Endpoint];
    for (let i = 0; i < 50; i++) {
      t.not(a.replicas.pick([one]), one);
      t.equal(a.replicas.pick([one, three]), two);
    }
    t.equal(a.replicas.pick([one, two, three]), null);
    for (let i = 0; i < 3; i++) a.beginAt(two).end(false);
    t.equal(a.replicas.pick([one, three]), two, 'rather one that is out than none');
    t.end();
  });

  test(`${kind}: no maxEffort makes a request search for long`, (t) => {
    const effort = kind === 'heap' ? {} : { maxEffort: 2 ** 31 - 1 };
    const shared = new SharedWorld(t, { balancer: { ...balancer, ...effort }, pool: { maxSize: 1 } });
    const a = shared.worker();
    a.replicas.update(shared.addresses(1));
    const startedMs = performance.now();
    t.equal(a.replicas.pick([a.at(1)]), null);
    t.ok(performance.now() - startedMs < 1000);
    t.end();
  });

  test(`${kind}: an endpoint without a connection to spare is passed over`, (t) => {
    const shared = new SharedWorld(t, { balancer, pool: { maxSize: 1 } });
    const a = shared.worker();
    a.replicas.update(shared.addresses(1, 2, 3, 4));
    const waiting = { wantsFresh: false, onConnection: () => {}, onConnectFailed: () => {} };
    for (const port of [1, 2, 3]) {
      a.at(port).enter();
      a.at(port).wait(waiting);
    }
    for (let i = 0; i < 20; i++) {
      // Drawn at random a few times: not sure to find the last one.
      const picked = a.replicas.pick(null) as Endpoint;
      if (kind !== 'p2c' && kind !== 'ewma' && kind !== 'aperture') t.equal(picked.port, 4, kind);
      else t.ok(picked);
    }
    a.at(4).enter();
    a.at(4).wait(waiting);
    const before = a.counted('loadbalancer/max_effort_exhausted');
    t.ok(a.replicas.pick(null), 'when all are full, one of them');
    t.equal(a.counted('loadbalancer/max_effort_exhausted'), before + 1);
    a.replicas.close();
    t.end();
  });
}

test('no endpoint, or none of any weight: there is none to pick', (t) => {
  const shared = new SharedWorld(t);
  const a = shared.worker();
  t.equal(a.replicas.pick(null), null);
  a.replicas.update(shared.addresses());
  t.equal(a.replicas.pick(null), null);
  a.replicas.update(shared.addresses([1, 0]));
  t.equal(a.replicas.pick(null), null);
  t.equal(a.counted('loadbalancer/max_effort_exhausted'), 0);
  t.end();
});

/** An address whose cell is that of the shared world. */
const at = (shared: SharedWorld, port: number): [string, Address] => {
  const key = `127.0.0.1 ${port}`;
  return [key, { host: '127.0.0.1', port, weight: 1, cell: shared.cell(key) }];
};

/** Opens a connection and closes it; the code if there is none. */
function connect(endpoint: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    const onConnection = (connection: unknown): void => {
      (connection as Http1ClientConnection).destroy();
      resolve('connected');
    };
    endpoint.wait({ wantsFresh: true, onConnection, onConnectFailed: resolve });
  });
}

test('failFast: one failed connect is enough; one worker tries for all, further and further apart', async (t) => {
  const shared = new SharedWorld(t, { failFast: true, accrual: { kind: 'none' } });
  const [refused, other] = (await freePorts(2)) as [number, number];
  const [a, b] = [shared.worker(), shared.worker()] as [WorkerReplicas, WorkerReplicas];
  for (const each of [a, b]) each.replicas.update(new Map([at(shared, refused), at(shared, other)]));
  t.equal(await connect(a.at(refused)), 'ECONNREFUSED');
  const ports = (worker: WorkerReplicas): number[] =>
    Array.from({ length: 30 }, () => (worker.replicas.pick(null) as Endpoint).port);
  t.notOk(ports(a).includes(refused));
  t.notOk(ports(b).includes(refused), 'the other worker knows');
  const dead = ({ counted }: WorkerReplicas) => [counted('failfast/marked_dead'), counted('failfast/marked_available')];
  t.strictSame(
    [dead(a), dead(b)],
    [
      [1, 0],
      [0, 0],
    ],
  );

  const failed = (worker: WorkerReplicas): number => worker.at(refused).health.unreachable(shared.nowMs)?.tries ?? 0;
  t.equal(failed(a), 1);
  shared.nowMs += 1000;
  ports(b);
  ports(a);
  await until(() => failed(a) === 2);
  t.equal(failed(b), 2);
  ports(a);
  ports(b);
  t.notOk(ports(b).includes(refused));
  shared.nowMs += 999;
  ports(a);
  shared.nowMs += 1001;
  ports(a);
  await until(() => failed(a) === 3);
  t.match(a.at(refused).health.state(shared.nowMs), { status: 'unreachable' });

  shared.nowMs += 32_000;
  a.replicas.measure();
  await until(() => failed(a) === 4);

  const server = createServer().listen(refused, '127.0.0.1');
  t.teardown(() => server.close());
  await until(() => server.listening);
  shared.nowMs += 32_000;
  ports(b);
  await until(() => ports(a).includes(refused));
  t.ok(ports(b).includes(refused), 'both use it again');
  t.strictSame(
    [dead(a), dead(b)],
    [
      [1, 0],
      [0, 1],
    ],
  );
  for (const each of [a, b]) each.replicas.close();
});

test('failFast: if no endpoint can be connected to, all are tried', async (t) => {
  const shared = new SharedWorld(t, { failFast: true, accrual: { kind: 'none' } });
  const [refused] = (await freePorts(1)) as [number];
  const a = shared.worker();
  a.replicas.update(new Map([at(shared, refused)]));
  t.equal(await connect(a.at(refused)), 'ECONNREFUSED');
  const server = createServer().listen(refused, '127.0.0.1');
  t.teardown(() => server.close());
  await until(() => server.listening);
  const picked = a.replicas.pick(null) as Endpoint;
  t.equal(picked.port, refused);
  t.equal(await connect(picked), 'connected');
  t.notOk(picked.health.isUnreachable, 'a connect that is through is proof enough');
  a.replicas.close();
});

test('without failFast a failed connect marks nothing', async (t) => {
  const shared = new SharedWorld(t, { accrual: { kind: 'none' } });
  const [refused] = (await freePorts(1)) as [number];
  const a = shared.worker();
  a.replicas.update(new Map([at(shared, refused)]));
  t.equal(await connect(a.at(refused)), 'ECONNREFUSED');
  t.ok(a.at(refused).health.isGood);
});

test('enableProbation: what discovery lost is used as long as it works', async (t) => {
  const balancer = { kind: 'p2c', enableProbation: true };
  const shared = new SharedWorld(t, { balancer, accrual: ACCRUAL });
  const a = shared.worker();
  t.strictSame(a.replicas.update(shared.addresses(1, 2)), { adds: 2, removes: 0 });
  t.strictSame(a.replicas.update(shared.addresses()), { adds: 0, removes: 0 });
  shared.cell('10.0.0.1 1').words.fill(-1); // another endpoint's by now
  t.equal(a.run(100).size, 2);
  t.strictSame(a.replicas.update(shared.addresses(3)), { adds: 1, removes: 0 });
  t.equal(a.run(300).size, 3);
  a.run(100, (port) => port !== 2);
  t.strictSame([...a.run(100).keys()].sort(), [1, 3], 'the one that failed has gone for good');
  t.throws(() => a.at(2));
  t.equal(a.counted('loadbalancer/max_effort_exhausted'), 0);

  shared.cell('10.0.0.1 1').words.fill(0);
  const kept = a.at(1);
  t.strictSame(a.replicas.update(shared.addresses(1, 3)), { adds: 0, removes: 0 });
  t.equal(a.at(1), kept, 'discovered again');
  t.notOk(kept.isOnProbation);
  for (let i = 0; i < 3; i++) a.beginAt(kept).end(false);
  t.ok(kept.health.isOut);
  t.not(shared.cell('10.0.0.1 1').words[0], 0, 'and judged with all workers');
  t.strictSame(a.replicas.update(shared.addresses(3)), { adds: 0, removes: 1 }, 'one that is out is not kept');
});

test('enableProbation: a connect that fails ends it, whatever accrual says', async (t) => {
  const [refused] = (await freePorts(1)) as [number];
  const balancer = { kind: 'p2c', enableProbation: true };
  const shared = new SharedWorld(t, { balancer, accrual: { kind: 'none' } });
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await until(() => server.listening);
  const a = shared.worker();
  a.replicas.update(new Map([at(shared, refused), at(shared, portOf(server))]));
  a.replicas.update(new Map());
  t.equal(await connect(a.at(portOf(server))), 'connected');
  t.equal(await connect(a.at(refused)), 'ECONNREFUSED');
  for (let i = 0; i < 20; i++) t.equal((a.replicas.pick(null) as Endpoint).port, portOf(server));
  a.replicas.close();
});
