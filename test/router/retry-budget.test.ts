import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { test } from 'tap';
import { CELL_WORDS, ownCell } from '../../src/port/cells.ts';
import { processMs } from '../../src/port/process-clock.ts';
import { type BudgetConfig, RetryBudget } from '../../src/router/retry-budget.ts';
import type { Task } from './withdrawing-worker.ts';

const budgetOf = (config?: BudgetConfig) => new RetryBudget(ownCell(), config);

/** A time by performance.now() at which a slice of `ttlSecs` begins. */
function beginOfSlice(ttlSecs: number): number {
  const sliceMs = (ttlSecs * 1000) / 5;
  const now = performance.now();
  return now + sliceMs - ((processMs(now) >>> 0) % sliceMs);
}

test('by default 10 a second and one for five requests', (t) => {
  const budget = budgetOf();
  const at = beginOfSlice(10);
  t.equal(budget.balance(at), 100);
  for (let i = 0; i < 4; i++) budget.deposit(at);
  t.equal(budget.balance(at), 100, 'no part of one');
  budget.deposit(at);
  t.equal(budget.balance(at), 101);
  for (let i = 0; i < 101; i++) t.ok(budget.withdraw(at));
  t.notOk(budget.withdraw(at));
  t.equal(budget.balance(at), 0);
  t.end();
});

test('within its time a budget is what the config says', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 100, 1000),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.boolean(), { maxLength: 200 }),
      (percentCanRetry, minRetriesPerSec, ttlSecs, steps) => {
        const budget = budgetOf({ percentCanRetry, minRetriesPerSec, ttlSecs });
        const at = beginOfSlice(ttlSecs);
        let [requests, tries] = [0, 0];
        for (const isRequest of steps) {
          if (isRequest) {
            budget.deposit(at);
            requests++;
            continue;
          }
          // Whole numbers of thousandths, so that the model has no fractions to lose.
          const allowed =
            Math.floor((Math.round(percentCanRetry * 1000) * requests) / 1000) + minRetriesPerSec * ttlSecs;
          const granted = budget.withdraw(at);
          if (granted !== tries < allowed) return false;
          if (granted) tries++;
        }
        return true;
      },
    ),
  );
  t.end();
});

test('what was used comes back when its time is over, and requests count no longer', (t) => {
  const budget = budgetOf({ ttlSecs: 10, minRetriesPerSec: 1, percentCanRetry: 0.5 });
  const at = beginOfSlice(10);
  const sliceMs = 2000;
  for (let i = 0; i < 10; i++) budget.deposit(at);
  for (let i = 0; i < 15; i++) t.ok(budget.withdraw(at + 1));
  for (let slice = 0; slice < 5; slice++) t.notOk(budget.withdraw(at + slice * sliceMs + 2), `slice ${slice}`);
  t.equal(budget.balance(at + 5 * sliceMs), 10, 'the reserve, but nothing for the requests of then');
  for (let i = 0; i < 3; i++) t.ok(budget.withdraw(at + 5 * sliceMs));
  t.equal(budget.balance(at + 9 * sliceMs), 7);
  t.equal(budget.balance(at + 10 * sliceMs), 10);
  t.equal(budget.balance(at + 1000 * sliceMs), 10);
  t.end();
});

test('a thread whose clock was read a moment earlier counts in the slice that runs', (t) => {
  const budget = budgetOf({ ttlSecs: 10, minRetriesPerSec: 1, percentCanRetry: 0 });
  const at = beginOfSlice(10);
  for (let i = 0; i < 4; i++) t.ok(budget.withdraw(at + 1));
  for (let i = 0; i < 4; i++) t.ok(budget.withdraw(at - 1));
  t.equal(budget.balance(at + 2), 2);
  t.end();
});

test('the clock wraps round after 49 days, and the budget begins anew', (t) => {
  const budget = budgetOf({ ttlSecs: 10, minRetriesPerSec: 1, percentCanRetry: 0 });
  const now = performance.now();
  const wrap = now + (2 ** 32 - (processMs(now) >>> 0));
  for (let i = 0; i < 10; i++) t.ok(budget.withdraw(wrap - 5000));
  t.notOk(budget.withdraw(wrap - 4000));
  t.equal(budget.balance(wrap + 5000), 10);
  for (let i = 0; i < 10; i++) t.ok(budget.withdraw(wrap + 5000));
  t.notOk(budget.withdraw(wrap + 5000));
  t.end();
});

test('threads that take from one budget get what there is, and no more', async (t) => {
  const memory = new SharedArrayBuffer(CELL_WORDS * 4);
  const start = new SharedArrayBuffer(4);
  const config = { ttlSecs: 60, minRetriesPerSec: 5, percentCanRetry: 0.1 };
  const task: Task = { memory, config, wanted: 1000, start };
  const url = new URL('./withdrawing-worker.ts', import.meta.url);
  const workers = Array.from({ length: 3 }, () => new Worker(url, { workerData: task, execArgv: [] }));
  const taken = workers.map((worker) => new Promise<number>((resolve) => worker.once('message', resolve)));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
  Atomics.store(new Int32Array(start), 0, 1);
  Atomics.notify(new Int32Array(start), 0);
  const sum = (await Promise.all(taken)).reduce((total, count) => total + count, 0);
  const allowed = 5 * 60 + 300;
  t.ok(sum <= allowed, `${sum} of ${allowed}`);
  // Two that wanted the last one may both have gone without.
  const budget = new RetryBudget({ words: new Int32Array(memory), at: 0 }, config);
  t.equal(sum + budget.balance(), allowed);
});
