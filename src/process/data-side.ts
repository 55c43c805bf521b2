/**
 * The data side as the main thread sees it: on this thread (`workers: 0`) or on several workers. Both run the same DataPlane
 * behind the same kind of port.
 */
import type { Socket } from 'node:net';
import { extname, join } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { SharedConcurrency } from '../port/concurrency.ts';
import type { ControlEnd } from '../port/control-end.ts';
import type { Log } from '../port/log.ts';
import { countUncaught } from '../program/uncaught.ts';
import { Acceptor, type ClaimedPorts, canSharePorts, claimPorts } from './accepting.ts';
import { type DataPlan, DataPlane, ListenError, type ListeningServer, serverAddresses } from './data-plane.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker.ts';

export interface DataSide {
  /** One control end for each worker that runs now. */
  readonly controls: readonly ControlEnd[];
  /** The threads of the workers that run now; none where the main thread does their work. */
  readonly threads: readonly Worker[];
  /** Rejects with ListenError; nothing keeps listening then. */
  start(): Promise<readonly ListeningServer[]>;
  /** Stops accepting, lets requests in flight finish for at most `graceMs`, and ends everything. */
  drain(graceMs: number): Promise<void>;
}

/** Puts a control end on a port. */
type Attach = (port: MessagePort) => ControlEnd;

/** What every worker's plan has; the control ends give the cells out. */
export interface DataSideOptions extends Pick<DataPlan, 'routers' | 'cells' | 'requestSampleRate' | 'maxMemoryMB'> {
  readonly workers: number;
}

export function createDataSide(options: DataSideOptions, attach: Attach, log: Log): DataSide {
  return options.workers === 0 ? new InlineDataSide(options, attach) : new WorkerDataSide(options, attach, log);
}

class InlineDataSide implements DataSide {
  readonly controls: readonly ControlEnd[];
  readonly threads: readonly Worker[] = [];
  readonly #data: DataPlane;

  constructor(options: DataSideOptions, attach: Attach) {
    const { port1, port2 } = new MessageChannel();
    const ports = serverAddresses(options.routers).map(({ port }) => port);
    const concurrency = SharedConcurrency.allocate(ports.length, 1);
    this.controls = [attach(port1)];
    const plan: DataPlan = { ...options, ports, accepting: 'alone', concurrency, worker: 0, workers: 1 };
    this.#data = new DataPlane(port2, plan);
  }

  async start(): Promise<readonly ListeningServer[]> {
    await this.#data.start();
    return this.#data.listening;
  }

  async drain(graceMs: number): Promise<void> {
    await this.#data.drain(graceMs);
    for (const control of this.controls) control.close();
  }
}

/** A worker that dies sooner than this after its start is not replaced at once. */
const SHORT_LIFE_MS = 5000;
const REPLACEMENT_DELAY_MS = 1000;

interface Running {
  readonly worker: Worker;
  readonly control: ControlEnd;
  readonly startedMs: number;
}

export class WorkerDataSide implements DataSide {
  readonly #options: DataSideOptions;
  readonly #attach: Attach;
  readonly #log: Log;
  readonly #sharePorts: boolean;
  readonly #acceptor = new Acceptor();
  readonly #concurrency: SharedArrayBuffer;
  readonly #workers: (Running | null)[];
  #ports: readonly number[] = [];
  #nextWorker = 0;
  #ending = false;

  constructor(options: DataSideOptions, attach: Attach, log: Log, sharePorts: boolean = canSharePorts()) {
    const { routers, workers } = options;
    this.#sharePorts = sharePorts;
    this.#options = options;
    this.#attach = attach;
    this.#log = log;
    this.#concurrency = SharedConcurrency.allocate(serverAddresses(routers).length, workers);
    this.#workers = Array.from({ length: workers }, () => null);
  }

  get controls(): readonly ControlEnd[] {
    return this.#workers.flatMap((running) => (running === null ? [] : [running.control]));
  }

  get threads(): readonly Worker[] {
    return this.#workers.flatMap((running) => (running === null ? [] : [running.worker]));
  }

  async start(): Promise<readonly ListeningServer[]> {
    const servers = serverAddresses(this.#options.routers);
    let claimed: ClaimedPorts | undefined;
    try {
      if (this.#sharePorts) {
        claimed = await claimPorts(servers);
        this.#ports = claimed.ports;
      } else {
        this.#ports = await this.#acceptor.start(servers, (server, socket) => this.#hand(server, socket));
      }
      const listening = await Promise.all(this.#workers.map((_, index) => this.#startWorker(index)));
      return listening[0] as readonly ListeningServer[];
    } catch (error) {
      await this.drain(0);
      throw error;
    } finally {
      claimed?.release();
    }
  }

  async drain(graceMs: number): Promise<void> {
    this.#ending = true;
    this.#acceptor.close();
    await Promise.all(
      this.#workers.map(async (running) => {
        if (running === null) return;
        const exited = new Promise((resolve) => running.worker.once('exit', resolve));
        tell(running.worker, { type: 'drain', graceMs });
        await exited;
      }),
    );
  }

  /** Resolves when the worker listens. Rejects with ListenError, or when the worker dies before. */
  #startWorker(index: number): Promise<readonly ListeningServer[]> {
    const { port1, port2 } = new MessageChannel();
    const plan: DataPlan = {
      ...this.#options,
      ports: this.#ports,
      accepting: this.#sharePorts ? 'shared' : 'handed',
      concurrency: this.#concurrency,
      worker: index,
    };
    const input: WorkerInput = { plan, port: port2 };
    // The compiler rewrites no file names: beside worker.ts stands data-side.ts, beside worker.js data-side.js.
    const file = join(import.meta.dirname, `worker${extname(import.meta.filename)}`);
    const worker = new Worker(file, {
      workerData: input,
      transferList: [port2],
      name: `data-${index}`,
    });
    const control = this.#attach(port1);
    const running: Running = { worker, control, startedMs: performance.now() };
    this.#workers[index] = running;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'listening') resolve(message.servers);
        else if (message.type === 'listenFailed') reject(new ListenError(message.failure));
        else if (message.type === 'uncaught') countUncaught(message.error, this.#log);
      });
      worker.on('error', (error) => this.#log.error({ err: error, worker: index }, 'a worker failed'));
      worker.on('exit', () => {
        reject(new Error(`worker ${index} ended before it listened`));
        this.#onExit(index, running);
      });
      tell(worker, { type: 'start' });
    });
  }

  #onExit(index: number, running: Running): void {
    running.control.close();
    this.#workers[index] = null;
    if (this.#ending) return;
    new SharedConcurrency(this.#concurrency, this.#ports.length, index).forget();
    const livedMs = performance.now() - running.startedMs;
    this.#log.error({ worker: index, livedMs: Math.round(livedMs) }, 'a worker has died and is replaced');
    const replace = (): void => {
      if (this.#ending) return;
      this.#startWorker(index).catch((error: unknown) =>
        this.#log.error({ err: error }, 'a worker could not be replaced'),
      );
    };
    if (livedMs < SHORT_LIFE_MS) setTimeout(replace, REPLACEMENT_DELAY_MS).unref();
    else replace();
  }

  /** Hands a connection to the next worker in turn. */
  #hand(server: number, socket: Socket): void {
    for (let i = 0; i < this.#options.workers; i++) {
      const running = this.#workers[this.#nextWorker];
      this.#nextWorker = (this.#nextWorker + 1) % this.#options.workers;
      if (running === null || running === undefined) continue;
      // A socket can be moved to another thread like a port (Node 26).
      running.worker.postMessage({ type: 'connection', server, socket } satisfies ToWorker, [socket as never]);
      return;
    }
    socket.destroy();
  }
}

function tell(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
