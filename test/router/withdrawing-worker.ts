/** Takes retries from a budget in shared memory, on a thread of its own, as fast as it can. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BudgetConfig, RetryBudget } from '../../src/router/retry-budget.ts';

export interface Task {
  readonly memory: SharedArrayBuffer;
  readonly config: BudgetConfig;
  readonly wanted: number;
  /** All threads begin when it is 1. */
  readonly start: SharedArrayBuffer;
}

const { memory, config, wanted, start } = workerData as Task;
const budget = new RetryBudget({ words: new Int32Array(memory), at: 0 }, config);
Atomics.wait(new Int32Array(start), 0, 0);
let taken = 0;
for (let i = 0; i < wanted; i++) {
  budget.deposit(performance.now());
  if (budget.withdraw()) taken++;
}
parentPort?.postMessage(taken);
