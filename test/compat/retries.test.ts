/**
 * Replays what the original made of failures: every classifier with every method, the headers that speak of retries,
 * budgets, backoffs and timeouts. In one worker and in three, which share the budgets.
 */
import t, { type Test } from 'tap';
import {
  BudgetOracle,
  type Expected,
  expectedOf,
  MAX_TRIES_AGAIN,
  retryDifferences,
  type Setting,
} from './retry-expectation.ts';
import { loadRetryRecordings, type RetryCase, type RetryRouter, replyOf } from './retry-recordings.ts';
import { type RetryOutcome, type RetryWorld, startRetryWorld } from './retry-world.ts';

t.setTimeout(300_000);

const recordings = loadRetryRecordings();
const used = new Set<string>();

const UNBOUNDED: Setting = { isUnbounded: true, keepsConnections: true };
const BY_DEFAULT: Setting = { isUnbounded: false, keepsConnections: true };
const NONE_KEPT: Setting = { isUnbounded: true, keepsConnections: false };

/** The recorded routers with the keys that bring the original's behaviour back. */
function configured(router: RetryRouter, { isUnbounded, keepsConnections }: Setting): RetryRouter {
  const { client, service } = router;
  const withClient = keepsConnections ? router : { ...router, client: { ...client, clientSession: { lifeTimeMs: 0 } } };
  // The recorded client of this router has no patience for what it would do then.
  if (!isUnbounded || router.label === 'attempt_timeout_read') return withClient;
  const retries = { maxPerRequest: 1000, backoff: { kind: 'constant', ms: 0 }, ...service?.retries };
  return { ...withClient, service: { ...service, retries } };
}

const fits = (wanted: string | RegExp, actual: string): boolean =>
  typeof wanted === 'string' ? wanted === actual : wanted.test(actual);

function isAsExpected(expected: Expected, actual: RetryOutcome): boolean {
  const [least, most] = expected.attempts;
  return (
    expected.status === actual.status &&
    fits(expected.body, actual.body) &&
    expected.l5d.length === actual.l5d.length &&
    expected.l5d.every((line) => actual.l5d.some((other) => fits(line, other))) &&
    actual.attempts >= least &&
    actual.attempts <= most
  );
}

async function replay(t: Test, world: RetryWorld, recorded: RetryCase, setting: Setting, attempts?: number) {
  const { expected, applied } = expectedOf(recorded, setting, attempts);
  for (const id of applied) used.add(id);
  const outcome = await world.replay(recorded);
  const { gaps: _, ...actual } = outcome;
  t.ok(
    expected.some((one) => isAsExpected(one, outcome)),
    `${recorded.router.label}: ${recorded.name}`,
    { expected, actual, applied },
  );
  return outcome;
}

const isDrop = (recorded: RetryCase): boolean => replyOf(recorded).startsWith('drop');
/** Budgets are used up from one request to the next. */
const isOfBudget = ({ router }: RetryCase): boolean => /^budget_(none|default|half|min5)$/.test(router.label);

async function replayBudgets(t: Test, world: RetryWorld, setting: Setting): Promise<void> {
  const bound = setting.isUnbounded ? Number.POSITIVE_INFINITY : MAX_TRIES_AGAIN;
  const oracles = new Map<string, BudgetOracle>();
  for (const recorded of recordings.runs.filter((one) => isOfBudget(one) && !isDrop(one))) {
    const { label } = recorded.router;
    const oracle = oracles.get(label) ?? new BudgetOracle(recorded.router, bound);
    oracles.set(label, oracle);
    const attempts = oracle.attempts(replyOf(recorded) === 's500');
    if (setting.isUnbounded) t.equal(attempts, recorded.attempts, `the oracle knows ${recorded.name}`);
    await replay(t, world, recorded, setting, attempts);
  }
}

for (const workers of [1, 3]) {
  const start = (t: Test, setting: Setting) =>
    startRetryWorld(t, recordings, workers, (router) => configured(router, setting));

  t.test(`by default, ${workers} workers`, async (t) => {
    const world = await start(t, BY_DEFAULT);
    for (const recorded of [...recordings.matrix, ...recordings.headers]) await replay(t, world, recorded, BY_DEFAULT);
    await replayBudgets(t, world, BY_DEFAULT);
    for (const recorded of recordings.runs.filter((one) => !isOfBudget(one))) {
      await replay(t, world, recorded, BY_DEFAULT);
    }
  });

  t.test(`with the bounds and backoffs of the original, ${workers} workers`, async (t) => {
    const world = await start(t, UNBOUNDED);
    await replayBudgets(t, world, UNBOUNDED);
    t.match(await world.metrics(), {
      'rt/budget_default/service/svc/web/retries/total': 100,
      'rt/budget_default/service/svc/web/retries/budget_exhausted': 3,
      'rt/budget_half/service/svc/web/retries/total': 13,
      'rt/budget_half/service/svc/web/retries/budget_exhausted': 6,
      'rt/budget_min5/service/svc/web/retries/total': 50,
      'rt/budget_none/service/svc/web/retries/budget_exhausted': 3,
    });
    for (const recorded of recordings.runs.filter((one) => !isOfBudget(one) && !isDrop(one))) {
      const { gaps } = await replay(t, world, recorded, UNBOUNDED);
      const backoff = recorded.router.service?.retries?.backoff as { ms?: number; minMs?: number } | undefined;
      // A timer of 200 ms may be a ms early by another clock.
      const leastMs = (backoff?.ms ?? backoff?.minMs ?? 0) - 2;
      t.ok(
        gaps.every((gap) => gap >= leastMs),
        `${recorded.name}: at least ${leastMs} ms between ${gaps}`,
      );
    }
  });

  t.test(`where each connection carries one request, ${workers} workers`, async (t) => {
    const world = await start(t, NONE_KEPT);
    for (const recorded of [...recordings.matrix, ...recordings.runs].filter(isDrop)) {
      await replay(t, world, recorded, NONE_KEPT);
    }
  });
}

t.test('each listed difference is one', async (t) => {
  t.strictSame(
    retryDifferences.map(({ id }) => id).filter((id) => !used.has(id)),
    [],
  );
});
