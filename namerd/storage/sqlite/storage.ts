/**
 * The storage in a SQLite file. Reads come from memory; writes and history go to the thread that has the file (worker.ts),
 * which answers a write when it is on the disk.
 */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Activity, Live } from '../../../src/live/index.ts';
import { Dtab } from '../../../src/naming/index.ts';
import type { Log } from '../../../src/port/log.ts';
import { badNamespaceName } from '../../namespace-name.ts';
import type { Change, DtabStorage, HistoryEntry, Notices, Version, VersionedDtab, Written } from '../storage.ts';
import { NamespaceTable } from '../table.ts';
import { counterOf, counterVersion } from '../versions.ts';
import { DatabaseThread } from './database-thread.ts';
import type { PastRow, Row, WriteOutcome, WriteRequest } from './protocol.ts';

export interface SqliteStorageOptions {
  readonly path: string;
  /** Whether a folder that is not there is created; else it is an error. */
  readonly createFolder: boolean;
  /** Versions that are kept of each namespace; null: all. */
  readonly keepVersions: number | null;
  readonly log: Log;
}

export class SqliteStorage implements DtabStorage {
  readonly #options: SqliteStorageOptions;
  readonly #log: Log;
  readonly #table = new NamespaceTable();
  readonly #thread: DatabaseThread;
  readonly notices: Notices = {
    read: async () => new Map((await this.#thread.notices()).map(({ name, text }) => [name, text])),
    write: (name, text) => this.#thread.leaveNotice(name, text),
    remove: (name) => this.#thread.leaveNotice(name, null),
  };
  #lastWriteFailure: { readonly reason: string; readonly at: number } | null = null;

  constructor(options: SqliteStorageOptions) {
    this.#options = { ...options, path: resolve(options.path) };
    this.#log = options.log;
    this.#thread = new DatabaseThread(this.#options, {
      loaded: (rows) => this.#load(rows),
      changed: (rows) => {
        for (const row of rows) this.#accept(row);
      },
      failing: (reason) => {
        if (this.#table.failure === null) this.#log.error({ path: this.#options.path, reason }, 'the database fails');
        this.#table.fail(new Error(`the database ${this.#options.path} fails: ${reason}`));
      },
      recovered: () => this.#recover(),
    });
  }

  list(): Live<Activity<readonly string[]>> {
    return this.#table.names;
  }

  observe(namespace: string): Live<Activity<VersionedDtab | null>> {
    return this.#table.observe(namespace);
  }

  async create(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    const written = await this.#write(namespace, dtab, 'nothing', change);
    // What was there may have gone in the meantime, if another process writes too.
    return written.type === 'stale' ? { type: 'exists', current: written.current } : written;
  }

  update(namespace: string, dtab: Dtab, version: Version, change: Change): Promise<Written> {
    // What is no version of ours equals none.
    return this.#write(namespace, dtab, counterOf(version) ?? -1, change);
  }

  put(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    return this.#write(namespace, dtab, 'any', change);
  }

  delete(namespace: string, change: Change): Promise<Written> {
    return this.#write(namespace, null, 'something', change);
  }

  async history(namespace: string, limit: number): Promise<readonly HistoryEntry[]> {
    const rows = await this.#thread.history(namespace, limit);
    return rows.flatMap((row) => entryOf(row) ?? []);
  }

  state(): unknown {
    const { path, keepVersions } = this.#options;
    return {
      path,
      keepVersions: keepVersions ?? 'all',
      waitingWrites: this.#thread.waiting,
      ...(this.#lastWriteFailure === null ? {} : { lastWriteFailure: this.#lastWriteFailure }),
    };
  }

  async start(): Promise<void> {
    const { path, createFolder } = this.#options;
    requireFolder(dirname(path), createFolder);
    const { isNew } = await this.#thread.open();
    const namespaces = this.#table.names.value.value?.length ?? 0;
    this.#log.info({ path, namespaces }, isNew ? 'created the database' : 'opened the database');
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #write(
    namespace: string,
    dtab: Dtab | null,
    expected: WriteRequest['expected'],
    { author, message }: Change,
  ): Promise<Written> {
    const reason = badNamespaceName(namespace);
    if (reason !== undefined) return { type: 'badName', reason };
    const outcome = await this.#thread.write(
      {
        namespace,
        dtab: dtab?.show() ?? null,
        expected,
        at: Date.now(),
        author: author?.name ?? null,
        isVerified: author?.verified ?? false,
        message: message ?? null,
      },
      // At once, so that changes of one namespace are seen in the order in which they were committed.
      (version) => this.#set(namespace, dtab, version),
    );
    return this.#answer(outcome);
  }

  #answer(outcome: WriteOutcome): Written {
    switch (outcome.type) {
      case 'written':
        return { type: 'written', version: counterVersion(outcome.version) };
      case 'refused':
        if (outcome.current === null) return { type: 'missing' };
        return { type: 'stale', current: counterVersion(outcome.current) };
      case 'failed':
        this.#lastWriteFailure = { reason: outcome.reason, at: Date.now() };
        return { type: 'unavailable', reason: `the database failed: ${outcome.reason}` };
    }
  }

  #load(rows: readonly Row[]): void {
    for (const row of rows) this.#accept(row);
    this.#recover();
  }

  #recover(): void {
    if (this.#table.failure !== null) this.#log.info({ path: this.#options.path }, 'the database works again');
    this.#table.loaded();
  }

  #accept({ name, dtab, version }: Row): void {
    try {
      this.#set(name, dtab === null ? null : Dtab.parse(dtab), version);
    } catch (error) {
      const { message } = error as Error;
      this.#log.error({ namespace: name, reason: message }, 'the database holds a dtab that can not be read');
      this.#table.markUnreadable(name, new Error(`the database holds a dtab that can not be read: ${message}`));
    }
  }

  #set(name: string, dtab: Dtab | null, version: number): void {
    if (dtab === null) this.#table.remove(name);
    else this.#table.set(name, { dtab, version: counterVersion(version) });
  }
}

function entryOf({ version, at, dtab, author, isVerified, message }: PastRow): HistoryEntry | null {
  const change: Change = {
    ...(author === null ? {} : { author: { name: author, verified: isVerified } }),
    ...(message === null ? {} : { message }),
  };
  return { version: counterVersion(version), at, dtab: dtab === null ? null : Dtab.parse(dtab), change };
}

/** Throws an error that says what to do. */
function requireFolder(folder: string, create: boolean): void {
  try {
    if (create) createFolder(folder);
    // By doing it: what access(2) says holds for another user where the effective one differs.
    rmdirSync(mkdtempSync(join(folder, '.namerd-')));
  } catch (error) {
    const elsewhere = 'or name a file elsewhere with `storage: {kind: io.l5d.sqlite, path: FILE}`';
    throw new Error(`${explainFolder(folder, (error as NodeJS.ErrnoException).code)}, ${elsewhere}`);
  }
}

/** With those above it. Node's own recursive form never ends where the system denies that a folder can be there (/proc). */
function createFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) createFolder(above);
  mkdirSync(folder);
}

function explainFolder(folder: string, code = ''): string {
  if (code === 'ENOENT') return `the folder ${folder} is not there; create it`;
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return `the folder ${folder} can not be used (${code}); mend it`;
  const { username } = userInfo();
  const remedy = `give it to that user (install -d -o ${username} ${folder})`;
  return `the user ${username} can not write to the folder ${folder} (${code}); ${remedy}`;
}
