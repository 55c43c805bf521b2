/** The storage's end of the thread that has the database: who waits for what, and what happens when the thread does not answer. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DatabaseFailure } from './failures.ts';
import type {
  FromDatabase,
  NoticeRow,
  PastRow,
  Question,
  QuestionAnswer,
  Row,
  ToDatabase,
  WriteOutcome,
  WriteRequest,
} from './protocol.ts';
import type { DatabaseWorkerData } from './worker.ts';

const WORKER = join(import.meta.dirname, `worker${extname(import.meta.filename)}`);

/** Writes and questions that may wait at a time; more are refused. */
const MAX_WAITING = 10_000;
/** A disk that takes longer than this for a write is as good as gone, ms. */
const ANSWER_MS = 10_000;
/** How often that is looked at, ms. */
const CHECK_MS = 500;
/** Before a thread that died is replaced, ms. */
const RESTART_MS = 1_000;

export interface DatabaseListener {
  /** All namespaces, when the database has been opened. */
  loaded(rows: readonly Row[]): void;
  /** Changes of other processes. */
  changed(rows: readonly Row[]): void;
  failing(reason: string): void;
  recovered(): void;
}

interface Waiting {
  /** ms on performance.now(). */
  readonly since: number;
  readonly succeed: (answer: WriteOutcome | QuestionAnswer) => void;
  readonly fail: (reason: string) => void;
}

export class DatabaseThread {
  readonly #options: Omit<DatabaseWorkerData, 'mustExist'>;
  readonly #listener: DatabaseListener;
  /** In the order in which they were asked. */
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #restarting: NodeJS.Timeout | undefined;
  #checking: NodeJS.Timeout | undefined;
  #lastId = 0;
  #wasOpened = false;
  #isClosed = false;

  constructor({ path, keepVersions }: Omit<DatabaseWorkerData, 'mustExist'>, listener: DatabaseListener) {
    this.#options = { path, keepVersions };
    this.#listener = listener;
  }

  /** What waits for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Rejects with a message for the user when the database can't be used. */
  async open(): Promise<{ readonly isNew: boolean }> {
    this.#checking = setInterval(() => this.#giveUpLate(), CHECK_MS).unref();
    return await this.#start(false);
  }

  /** Resolves when the write is on the disk, or was not made. `committed` is called in the order of commits. */
  write(request: Omit<WriteRequest, 'type' | 'id'>, committed: (version: number) => void): Promise<WriteOutcome> {
    return new Promise((resolve) => {
      this.#ask((id) => ({ type: 'write', id, ...request }), {
        since: performance.now(),
        succeed: (answer) => {
          const outcome = answer as WriteOutcome;
          if (outcome.type === 'written') committed(outcome.version);
          resolve(outcome);
        },
        fail: (reason) => resolve({ type: 'failed', reason }),
      });
    });
  }

  /** Newest first. Rejects when it can't be read. */
  async history(namespace: string, limit: number): Promise<readonly PastRow[]> {
    return (await this.#question((id) => ({ type: 'history', id, namespace, limit }))) as readonly PastRow[];
  }

  async notices(): Promise<readonly NoticeRow[]> {
    return (await this.#question((id) => ({ type: 'notices', id }))) as readonly NoticeRow[];
  }

  /** `text` null: removes it. */
  async leaveNotice(name: string, text: string | null): Promise<void> {
    await this.#question((id) => ({ type: 'notice', id, name, text }));
  }

  /** What waits is still written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restarting);
    const worker = this.#worker;
    if (worker !== null) {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage({ type: 'close' } satisfies ToDatabase);
      const last = setTimeout(() => worker.terminate(), ANSWER_MS);
      await exited;
      clearTimeout(last);
    }
    clearInterval(this.#checking);
  }

  #question(message: (id: number) => Question): Promise<QuestionAnswer> {
    return new Promise((resolve, reject) => {
      this.#ask(message, {
        since: performance.now(),
        succeed: (answer) => resolve(answer as QuestionAnswer),
        fail: (reason) => reject(new DatabaseFailure(reason)),
      });
    });
  }

  #ask(message: (id: number) => ToDatabase, waiting: Waiting): void {
    const worker = this.#isClosed ? null : this.#worker;
    if (worker === null) {
      waiting.fail('it is not open');
    } else if (this.#waiting.size >= MAX_WAITING) {
      waiting.fail(`${MAX_WAITING} writes wait for the disk already`);
    } else {
      const id = ++this.#lastId;
      this.#waiting.set(id, waiting);
      worker.postMessage(message(id));
    }
  }

  #start(mustExist: boolean): Promise<{ readonly isNew: boolean }> {
    const data: DatabaseWorkerData = { ...this.#options, mustExist };
    // It needs nothing of what a debugger or the environment tells the process.
    const worker = new Worker(WORKER, { workerData: data, execArgv: [], env: {} });
    this.#worker = worker;
    let reason: string | undefined;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromDatabase) => {
        if (message.type === 'opened') {
          this.#wasOpened = true;
          this.#listener.loaded(message.rows);
          resolve(message);
        } else if (message.type === 'unusable') {
          reason = message.reason;
        } else this.#accept(message);
      });
      worker.on('error', (error) => {
        reason = (error as Error).message;
      });
      worker.on('exit', (code) => {
        this.#worker = null;
        reason ??= `its thread ended with ${code}`;
        reject(new DatabaseFailure(`${this.#options.path}: ${reason}`));
        this.#failAll('its thread has ended; the write may have been made');
        if (this.#isClosed || !this.#wasOpened) return;
        this.#listener.failing(reason);
        this.#restarting = setTimeout(() => {
          // Its exit brings the next one.
          this.#start(true).catch(() => {});
        }, RESTART_MS).unref();
      });
    });
  }

  #accept(message: Exclude<FromDatabase, { type: 'opened' | 'unusable' }>): void {
    switch (message.type) {
      case 'written':
        for (const [id, outcome] of message.outcomes) this.#take(id)?.succeed(outcome);
        break;
      case 'answered':
        this.#take(message.id)?.succeed(message.rows);
        break;
      case 'notAnswered':
        this.#take(message.id)?.fail(message.reason);
        break;
      case 'changed':
        this.#listener.changed(message.rows);
        break;
      case 'failing':
        this.#listener.failing(message.reason);
        break;
      case 'recovered':
        this.#listener.recovered();
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** What is committed after all is still told to `committed`, so it goes on waiting here. */
  #giveUpLate(): void {
    const latest = performance.now() - ANSWER_MS;
    for (const { since, fail } of this.#waiting.values()) {
      if (since > latest) break;
      fail('the disk does not answer; the write may still be made');
    }
  }

  #failAll(reason: string): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { fail } of all) fail(reason);
  }
}
