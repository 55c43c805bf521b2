/** A port that neither accepts nor refuses: its queue of connections is full, so that further SYNs are dropped. */
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { until } from './until.ts';

/** Listens with the smallest queue, says where, and never accepts: the thread stands still. */
const LISTENER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
});
`;
/** A queue of one holds two on Linux; the others only wait. */
const HELD = 2;
const FILLERS = 4;

/** The port; freed when the test is over. */
export async function blackHole(t: { teardown(fn: () => Promise<void>): void }): Promise<number> {
  const stand = new SharedArrayBuffer(4);
  const worker = new Worker(LISTENER, { eval: true, workerData: stand });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  let held = 0;
  const fillers = Array.from({ length: FILLERS }, () => connect(port, '127.0.0.1', () => held++).on('error', () => {}));
  t.teardown(async () => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  await until(() => held >= HELD);
  return port;
}
