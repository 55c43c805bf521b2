/** A data-plane worker: the data side on a thread of its own, told by the main thread when to start and to stop. */

import type { Socket } from 'node:net';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { measureThread } from '../metrics/thread.ts';
import { type DataPlan, DataPlane, ListenError, type ListenFailure, type ListeningServer } from './data-plane.ts';

export type ToWorker =
  | { readonly type: 'start' }
  | { readonly type: 'drain'; readonly graceMs: number }
  /** A connection that the main thread accepted, where workers can't share a port. */
  | { readonly type: 'connection'; readonly server: number; readonly socket: Socket };

export type FromWorker =
  | { readonly type: 'listening'; readonly servers: readonly ListeningServer[] }
  | { readonly type: 'listenFailed'; readonly failure: ListenFailure }
  | { readonly type: 'drained' }
  /** An error that nobody caught; the worker goes on. */
  | { readonly type: 'uncaught'; readonly error: Error };

/** What a worker is created with. */
export interface WorkerInput {
  readonly plan: DataPlan;
  /** Its end of the port to the control side. */
  readonly port: MessagePort;
}

if (parentPort !== null) runWorker(parentPort, workerData as WorkerInput);

function runWorker(main: MessagePort, { plan, port }: WorkerInput): void {
  const tell = (message: FromWorker): void => main.postMessage(message);
  const onUncaught = (error: unknown): void => {
    tell({ type: 'uncaught', error: error instanceof Error ? error : new Error(String(error)) });
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);

  const data = new DataPlane(port, plan);
  measureThread(data.metrics);
  main.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start':
        data.start().then(
          () => tell({ type: 'listening', servers: data.listening }),
          (error: unknown) => {
            if (!(error instanceof ListenError)) throw error;
            tell({ type: 'listenFailed', failure: error.failure });
          },
        );
        break;
      case 'drain':
        data.drain(message.graceMs).then(() => {
          tell({ type: 'drained' });
          main.close();
        });
        break;
      case 'connection':
        data.accept(message.server, message.socket);
        break;
    }
  });
}
