/**
 * Loaded into Signpost by `--import`, in every thread: each worker writes, once a second, the 99th percentile of its event loop's
 * delay (ms) as a line of its own file in $LOOP_DELAY_FOLDER.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread, threadId } from 'node:worker_threads';

const RESOLUTION_MS = 1;
const INTERVAL_MS = 1_000;

const folder = process.env['LOOP_DELAY_FOLDER'];
if (!isMainThread && folder !== undefined) {
  const file = join(folder, `loop-delay-${threadId}`);
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  setInterval(() => {
    // What is measured includes the timer's own interval.
    appendFileSync(file, `${delays.percentile(99) / 1e6 - RESOLUTION_MS}\n`);
    delays.reset();
  }, INTERVAL_MS).unref();
}
