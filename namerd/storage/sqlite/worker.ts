/**
 * The thread that has the database. Writes that came while the last ones were on their way to the disk go there together, so
 * that fifty writers don't wait for fifty turns of it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DtabDatabase } from './database.ts';
import { reasonOf } from './failures.ts';
import type { FromDatabase, Question, QuestionAnswer, ToDatabase, WriteOutcome, WriteRequest } from './protocol.ts';

/** What the storage gives to the thread. */
export interface DatabaseWorkerData {
  readonly path: string;
  /** Versions that are kept of each namespace; null: all. */
  readonly keepVersions: number | null;
  /** The file was there before: that it is not there now is no reason to begin with an empty one. */
  readonly mustExist: boolean;
}

/** Writes of one transaction. */
const MAX_GROUP = 1_000;
/** How often other processes' changes are looked for, ms. It costs a read of shared memory. */
const LOOK_MS = 200;

const port = parentPort as NonNullable<typeof parentPort>;
const options = workerData as DatabaseWorkerData;

const post = (message: FromDatabase): void => port.postMessage(message);

const database = openOrExplain();
if (database !== null) serve(database);

function openOrExplain(): DtabDatabase | null {
  try {
    const opened = new DtabDatabase(options);
    post({ type: 'opened', isNew: opened.isNew, rows: opened.changes() });
    return opened;
  } catch (error) {
    post({ type: 'unusable', reason: reasonOf(error) });
    return null;
  }
}

function serve(database: DtabDatabase): void {
  const writes: WriteRequest[] = [];
  let isScheduled = false;
  let isFailing = false;

  const schedule = (): void => {
    if (isScheduled || writes.length === 0) return;
    isScheduled = true;
    // After all messages that are there have been taken.
    setImmediate(() => {
      isScheduled = false;
      writeGroup();
      look();
      schedule();
    });
  };
  const writeGroup = (): void => {
    const group = writes.splice(0, MAX_GROUP);
    post({ type: 'written', outcomes: group.map(({ id }) => id).map(pairedWith(attempt(group))) });
  };
  const attempt = (group: readonly WriteRequest[]): readonly WriteOutcome[] => {
    try {
      return database.write(group);
    } catch (error) {
      const failed = { type: 'failed', reason: reasonOf(error) } as const;
      return group.map(() => failed);
    }
  };
  const look = (): void => {
    try {
      const rows = database.changes();
      if (rows.length > 0) post({ type: 'changed', rows });
      if (isFailing) post({ type: 'recovered' });
      isFailing = false;
    } catch (error) {
      isFailing = true;
      post({ type: 'failing', reason: reasonOf(error) });
    }
  };
  const answer = (question: Question): void => {
    try {
      post({ type: 'answered', id: question.id, rows: answerOf(database, question) });
    } catch (error) {
      post({ type: 'notAnswered', id: question.id, reason: reasonOf(error) });
    }
  };
  const looking = setInterval(look, LOOK_MS);
  port.on('message', (request: ToDatabase) => {
    switch (request.type) {
      case 'write':
        writes.push(request);
        return schedule();
      case 'close':
        clearInterval(looking);
        while (writes.length > 0) writeGroup();
        database.close();
        return port.close();
      default:
        return answer(request);
    }
  });
}

function answerOf(database: DtabDatabase, question: Question): QuestionAnswer {
  switch (question.type) {
    case 'history':
      return database.history(question.namespace, question.limit);
    case 'notices':
      return database.notices();
    case 'notice':
      database.leaveNotice(question.name, question.text);
      return [];
  }
}

function pairedWith<T>(others: readonly T[]): (id: number, index: number) => readonly [number, T] {
  return (id, index) => [id, others[index] as T];
}
