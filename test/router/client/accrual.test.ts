/** Failure accrual: when an endpoint is taken out and comes back, for all workers alike. */
import { test } from 'tap';
import { SharedWorld, type WorkerReplicas } from '../../support/replicas.ts';

const THREE = { kind: 'io.l5d.consecutiveFailures', failures: 3, backoff: { kind: 'constant', ms: 2000 } };

const fail = (worker: WorkerReplicas, port: number, times = 1): void => {
  for (let i = 0; i < times; i++) worker.beginAt(worker.at(port)).end(false);
};
const succeed = (worker: WorkerReplicas, port: number): void => worker.beginAt(worker.at(port)).end(true);

const counts = ({ counted }: WorkerReplicas) => ({
  removals: counted('failure_accrual/removals'),
  revivals: counted('failure_accrual/revivals'),
  probes: counted('failure_accrual/probes'),
  removedForMs: counted('failure_accrual/removed_for_ms'),
});

function world(t: { teardown(fn: () => void): void }, options: ConstructorParameters<typeof SharedWorld>[1] = {}) {
  const shared = new SharedWorld(t, { accrual: THREE, ...options });
  const worker = (): WorkerReplicas => {
    const made = shared.worker();
    made.replicas.update(shared.addresses(1, 2));
    return made;
  };
  return { shared, worker };
}

test('so many failures in a row take an endpoint out; a success in between begins anew', (t) => {
  const { worker } = world(t);
  const a = worker();
  fail(a, 1, 2);
  succeed(a, 1);
  fail(a, 1, 2);
  t.notOk(a.at(1).health.isOut);
  fail(a, 1);
  t.ok(a.at(1).health.isOut);
  t.strictSame(a.run(100), new Map([[2, 100]]));
  t.match(counts(a), { removals: 1, probes: 0, revivals: 0, removedForMs: 2000 });
  t.end();
});

test('failures of all workers count together, and what one finds out all know', (t) => {
  const { shared, worker } = world(t);
  const [a, b, c] = [worker(), worker(), worker()];
  fail(a, 1);
  fail(b, 1);
  t.notOk(c.at(1).health.isOut);
  fail(c, 1);
  for (const each of [a, b, c]) t.strictSame(each.run(50), new Map([[2, 50]]));

  shared.nowMs += 2000;
  const probe = a.beginAt(a.at(1));
  t.strictSame(b.run(50), new Map([[2, 50]]), 'while one probes, nobody else does');
  t.strictSame(c.run(50), new Map([[2, 50]]));
  probe.end(true);
  for (const each of [a, b, c]) t.equal([...each.run(400).keys()].length, 2, 'it is good again for all');
  t.strictSame(
    [a, b, c].map((each) => counts(each)),
    [
      { removals: 0, revivals: 1, probes: 1, removedForMs: 0 },
      { removals: 0, revivals: 0, probes: 0, removedForMs: 0 },
      { removals: 1, revivals: 0, probes: 0, removedForMs: 2000 },
    ],
  );
  t.end();
});

test('exactly one request of all workers is the probe', (t) => {
  const { shared, worker } = world(t);
  const all = [worker(), worker(), worker()];
  fail(all[0] as WorkerReplicas, 1, 3);
  shared.nowMs += 2000;
  const begun = Array.from({ length: 90 }, (_, i) => (all[i % 3] as WorkerReplicas).begin());
  t.equal(begun.filter(({ endpoint }) => endpoint.port === 1).length, 1);
  for (const sent of begun) sent.end(null);
  t.end();
});

test('a probe that fails leaves it out for the next backoff; one that nobody waits for decides nothing', (t) => {
  const { shared, worker } = world(t, {
    accrual: { ...THREE, backoff: { kind: 'jittered', minMs: 1000, maxMs: 60_000 } },
  });
  const [a, b] = [worker(), worker()];
  fail(a, 1, 3);
  shared.nowMs += 1000;
  fail(a, 1);
  const removed = counts(a).removedForMs;
  t.ok(removed > 2000 && removed <= 4000, `1 s, then up to 3 s more: ${removed} ms`);
  t.match(counts(a), { removals: 1, probes: 1 });
  t.strictSame(b.run(20), new Map([[2, 20]]));

  shared.nowMs += 60_000;
  b.beginAt(b.at(1)).end(null);
  t.equal(counts(b).probes, 1);
  succeed(a, 1);
  t.match(counts(a), { revivals: 1, probes: 2 }, 'the next one probes at once');
  fail(a, 1, 3);
  t.ok(counts(a).removedForMs - removed === 1000, 'and the backoff begins anew');
  t.end();
});

test('a worker that dies with the probe leaves nothing locked', (t) => {
  const { shared, worker } = world(t);
  const [a, b] = [worker(), worker()];
  fail(a, 1, 3);
  shared.nowMs += 2000;
  a.beginAt(a.at(1)); // never ends
  t.strictSame(b.run(20), new Map([[2, 20]]));
  shared.nowMs += 2000;
  t.equal(b.run(400).size, 2, 'another tries when the first had its time');
  t.match(counts(b), { probes: 1, revivals: 1 });
  t.end();
});

test('requests that were sent before it was taken out say nothing of it', (t) => {
  const { shared, worker } = world(t);
  const a = worker();
  const [early, late] = [a.beginAt(a.at(1)), a.beginAt(a.at(1))];
  fail(a, 1, 3);
  early.end(true);
  t.ok(a.at(1).health.isOut, 'a late success does not bring it back');
  shared.nowMs += 2000;
  const probe = a.beginAt(a.at(1));
  late.end(false);
  probe.end(true);
  t.notOk(a.at(1).health.isOut, 'a late failure does not spoil the probe');
  t.match(counts(a), { removals: 1, revivals: 1, removedForMs: 2000 });
  t.end();
});

test('if all are out, all are used, and the first that works is good again', (t) => {
  const { worker } = world(t);
  const [a, b] = [worker(), worker()];
  const down = a.run(300, () => false);
  t.ok(
    [...down.values()].every((count) => count > 100),
    'both got their share',
  );
  t.ok(a.at(1).health.isOut && a.at(2).health.isOut);
  t.ok(a.counted('loadbalancer/max_effort_exhausted') > 200);
  t.match(counts(a), { removals: 2, probes: 0 });
  b.run(20, (port) => port === 2);
  t.strictSame(
    b.run(50, (port) => port === 2),
    new Map([[2, 50]]),
  );
  t.match(counts(b), { revivals: 1 });
  t.end();
});

test('a response that has begun well brings a probed endpoint back before it ends', (t) => {
  const { shared, worker } = world(t);
  const a = worker();
  const open = a.beginAt(a.at(1));
  open.endpoint.health.responding(open.role);
  fail(a, 1, 3);
  open.endpoint.health.responding(open.role);
  t.ok(a.at(1).health.isOut);
  shared.nowMs += 2000;
  const probe = a.beginAt(a.at(1));
  probe.endpoint.health.responding(probe.role);
  t.notOk(a.at(1).health.isOut);
  probe.end(false);
  t.notOk(a.at(1).health.isOut, 'one failure is one failure');
  fail(a, 1, 2);
  t.ok(a.at(1).health.isOut);
  t.end();
});

test('no more endpoints are out than the share allows, though healthy ones go', (t) => {
  const shared = new SharedWorld(t, { accrual: { ...THREE, maxEjectionPercent: 50 } });
  const [a, b] = [shared.worker(), shared.worker()];
  const ports = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  for (const each of [a, b]) each.replicas.update(shared.addresses(...ports));
  const broken = (port: number): boolean => port > 8;
  for (let i = 0; i < 1000; i++) (i % 2 === 0 ? a : b).run(1, broken);
  t.equal(ports.filter((port) => a.at(port).health.isOut).length, 5);
  const used = b.run(1000, broken);
  t.equal(used.size, 5, 'the others are used, those that fail among them');
  t.ok(used.has(9) && used.has(10));

  const left = shared.addresses(...ports.filter((port) => a.at(port).health.isOut));
  for (const each of [a, b]) each.replicas.update(left);
  t.equal(a.run(100, broken).size, 3, 'five are left and all out: as many as the share allows stay out');
  t.end();
});

test('maxEjectionPercent 0 takes none out, and 100 all', (t) => {
  for (const [share, expected] of [
    [0, 0],
    [100, 2],
  ] as const) {
    const { worker } = world(t, { accrual: { ...THREE, maxEjectionPercent: share } });
    const a = worker();
    a.run(100, () => false);
    t.equal(counts(a).removals, expected);
  }
  t.end();
});

test('the default: five failures in a row, for 5 s, then longer', (t) => {
  const shared = new SharedWorld(t);
  const a = shared.worker();
  a.replicas.update(shared.addresses(1, 2));
  fail(a, 1, 4);
  t.notOk(a.at(1).health.isOut);
  fail(a, 1);
  t.equal(counts(a).removedForMs, 5000);
  shared.nowMs += 4990;
  t.strictSame(a.run(20), new Map([[2, 20]]));
  shared.nowMs += 10;
  fail(a, 1);
  const second = counts(a).removedForMs - 5000;
  t.ok(second >= 5000 && second <= 10_000, `${second} ms`);
  for (let i = 0; i < 12; i++) {
    shared.nowMs += 300_000;
    fail(a, 1);
  }
  const before = counts(a).removedForMs;
  shared.nowMs += 300_000;
  fail(a, 1);
  t.equal(counts(a).removedForMs - before, 300_000);
  t.end();
});

test('none takes none out', (t) => {
  const { worker } = world(t, { accrual: { kind: 'none' } });
  const a = worker();
  a.run(200, () => false);
  t.match(counts(a), { removals: 0, probes: 0 });
  t.equal(a.counted('loadbalancer/max_effort_exhausted'), 0);
  t.end();
});

test('successRate: over so many requests, and not before', (t) => {
  const { worker } = world(t, {
    accrual: { kind: 'io.l5d.successRate', successRate: 0.6, requests: 10, backoff: { kind: 'constant', ms: 2000 } },
  });
  const [a, b] = [worker(), worker()];
  fail(a, 1, 9);
  t.notOk(a.at(1).health.isOut, 'nine requests say too little');
  fail(b, 1);
  t.ok(a.at(1).health.isOut);

  for (let i = 0; i < 40; i++) succeed(a, 2);
  // 0.905 of what was, for each: the fifth failure in a row brings 1 below 0.6 (0.606).
  fail(a, 2, 5);
  t.notOk(a.at(2).health.isOut);
  fail(b, 2);
  t.ok(a.at(2).health.isOut);
  t.end();
});

test('successRate: forgets what was before it came back', (t) => {
  const { shared, worker } = world(t, {
    accrual: { kind: 'io.l5d.successRate', successRate: 0.9, requests: 4, backoff: { kind: 'constant', ms: 100 } },
  });
  const a = worker();
  fail(a, 1, 4);
  shared.nowMs += 100;
  succeed(a, 1);
  t.notOk(a.at(1).health.isOut);
  fail(a, 1, 3);
  t.notOk(a.at(1).health.isOut);
  fail(a, 1);
  t.ok(a.at(1).health.isOut);
  t.end();
});

test('successRateWindowed: over so much time, and with requests enough', (t) => {
  const { shared, worker } = world(t, {
    accrual: {
      kind: 'io.l5d.successRateWindowed',
      successRate: 0.5,
      window: 10,
      backoff: { kind: 'constant', ms: 100 },
    },
  });
  const [a, b] = [worker(), worker()];
  for (let i = 0; i < 50; i++) {
    fail(a, 1);
    shared.nowMs += 199;
  }
  t.notOk(a.at(1).health.isOut, 'a window must have passed');
  shared.nowMs += 51;
  fail(b, 1);
  t.ok(a.at(1).health.isOut);

  // Port 2 was not asked for a window: few requests say too little.
  for (let i = 0; i < 4; i++) {
    fail(a, 2);
    shared.nowMs += 1000;
  }
  t.notOk(a.at(2).health.isOut);
  fail(b, 2);
  t.ok(a.at(2).health.isOut, 'the fifth within the window');

  shared.nowMs += 100;
  succeed(a, 2);
  t.notOk(a.at(2).health.isOut);
  for (let i = 0; i < 20; i++) {
    succeed(a, 2);
    shared.nowMs += 1000;
  }
  for (let i = 0; i < 6; i++) {
    fail(a, 2);
    t.notOk(a.at(2).health.isOut, `after ${i} s of failures`);
    shared.nowMs += 1000;
  }
  for (let i = 0; i < 3; i++) {
    fail(a, 2);
    shared.nowMs += 1000;
  }
  t.ok(a.at(2).health.isOut, 'the average falls by 1/e in a window');
  t.end();
});

test('words that have wrapped round keep nobody out, nor in', (t) => {
  const { shared, worker } = world(t, {
    accrual: {
      kind: 'io.l5d.successRateWindowed',
      successRate: 0.9,
      window: 5,
      backoff: { kind: 'constant', ms: 2000 },
    },
  });
  const DAY = 86_400_000;
  for (const days of [1, 10, 20, 24.8, 25, 30, 40]) {
    const a = worker();
    const later = (ms: number): void => {
      shared.nowMs = (shared.nowMs + ms) | 0;
    };
    later(6000);
    fail(a, 1, 6);
    t.ok(a.at(1).health.isOut, `${days} days`);
    later(days * DAY);
    succeed(a, 1);
    t.notOk(a.at(1).health.isOut, `tried after ${days} days`);
    for (let i = 0; i < 6; i++) {
      later(1000);
      succeed(a, 1);
    }
    later(days * DAY);
    for (let i = 0; i < 6; i++) succeed(a, 1);
    for (let i = 0; i < 6; i++) {
      later(500);
      fail(a, 1);
    }
    t.ok(a.at(1).health.isOut, `fails after ${days} days of silence`);
    later(2000);
    succeed(a, 1);
  }
  t.end();
});

test('an endpoint that goes and comes again begins anew', (t) => {
  const { shared, worker } = world(t);
  const a = worker();
  fail(a, 1, 3);
  const gone = a.at(1);
  a.replicas.update(shared.addresses(2));
  shared.cell('10.0.0.1 1').words.fill(0); // as the pool of cells does
  gone.health.failed(0);
  t.equal(
    shared.cell('10.0.0.1 1').words.every((word) => word === 0),
    true,
    'what it left behind is untouched',
  );
  a.replicas.update(shared.addresses(1, 2));
  t.notOk(a.at(1).health.isOut);
  t.end();
});
