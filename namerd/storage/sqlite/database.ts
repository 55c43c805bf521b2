/**
 * The database file: its tables, and the statements on them. Runs on a thread of its own (worker.ts), since every commit waits
 * for the disk.
 *
 *     namespace   one row for each name that ever was: its last version, and its dtab (null when it is deleted)
 *     change      one row for each version: when, who, why, and the dtab then
 *     notice      texts that namerds leave for each other, and for themselves after a restart
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DatabaseFailure } from './failures.ts';
import type { NoticeRow, PastRow, Row, WriteOutcome, WriteRequest } from './protocol.ts';

const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite');

/** Marks the file as ours (sqlite.org/pragma.html#pragma_application_id): "SPnd". */
const APPLICATION_ID = 0x53506e64;
/** Of the tables below. A higher one was written by a later release. */
const FORMAT = 1;
/** How long a write waits for another process that writes, ms. */
const BUSY_MS = 2_000;

const TABLES = `
  CREATE TABLE namespace (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    dtab TEXT
  ) STRICT;
  CREATE TABLE change (
    namespace TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    dtab TEXT,
    author TEXT,
    verified INTEGER NOT NULL,
    message TEXT,
    PRIMARY KEY (namespace, version)
  ) STRICT;
  CREATE TABLE notice (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
`;

export interface DatabaseOptions {
  readonly path: string;
  /** Versions that are kept of each namespace; null: all. */
  readonly keepVersions: number | null;
  /** Whether a file that is not there is an error; else it is created. */
  readonly mustExist: boolean;
}

export class DtabDatabase {
  readonly isNew: boolean;
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: bigint;
  readonly #keepVersions: number | null;
  readonly #current: StatementSync;
  readonly #setCurrent: StatementSync;
  readonly #addChange: StatementSync;
  readonly #prune: StatementSync;
  readonly #past: StatementSync;
  readonly #versions: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #notices: StatementSync;
  readonly #setNotice: StatementSync;
  readonly #removeNotice: StatementSync;
  /** Versions by name, as this connection has last seen them. */
  readonly #seen = new Map<string, number>();
  #seenData = 0;

  /** Throws a DatabaseFailure when the file can't be used. */
  constructor({ path, keepVersions, mustExist }: DatabaseOptions) {
    this.#path = path;
    this.#keepVersions = keepVersions;
    this.isNew = inodeOf(path) === null;
    if (this.isNew && mustExist) throw new DatabaseFailure(GONE);
    this.#database = open(path);
    this.#inode = inodeOf(path) as bigint;
    this.#current = this.#database.prepare('SELECT version, dtab FROM namespace WHERE name = ?');
    this.#setCurrent = this.#database.prepare(
      'INSERT INTO namespace (name, version, dtab) VALUES (?, ?, ?) ' +
        'ON CONFLICT (name) DO UPDATE SET version = excluded.version, dtab = excluded.dtab',
    );
    this.#addChange = this.#database.prepare(
      'INSERT INTO change (namespace, version, at, dtab, author, verified, message) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#prune = this.#database.prepare('DELETE FROM change WHERE namespace = ? AND version <= ?');
    this.#past = this.#database.prepare(
      'SELECT version, at, dtab, author, verified, message FROM change WHERE namespace = ? ORDER BY version DESC LIMIT ?',
    );
    this.#versions = this.#database.prepare('SELECT name, version FROM namespace');
    this.#dataVersion = this.#database.prepare('PRAGMA data_version');
    this.#notices = this.#database.prepare('SELECT name, text FROM notice');
    this.#setNotice = this.#database.prepare(
      'INSERT INTO notice (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text',
    );
    this.#removeNotice = this.#database.prepare('DELETE FROM notice WHERE name = ?');
  }

  /**
   * Writes all in one transaction and answers when it is on the disk: what is answered as written survives the process and
   * the machine. Throws when the transaction fails; then none of them was written.
   */
  write(requests: readonly WriteRequest[]): WriteOutcome[] {
    this.#requireFile();
    // Immediate: what is compared here can't be changed by another process before it is committed.
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const outcomes = requests.map((request) => this.#writeOne(request));
      this.#database.exec('COMMIT');
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.type === 'written') this.#seen.set((requests[index] as WriteRequest).namespace, outcome.version);
      }
      return outcomes;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  history(namespace: string, limit: number): PastRow[] {
    return this.#past.all(namespace, limit).map((row) => {
      const { version, at, dtab, author, verified, message } = row as unknown as PastRow & { verified: number };
      return { version, at, dtab, author, isVerified: verified !== 0, message };
    });
  }

  notices(): NoticeRow[] {
    return this.#notices.all() as unknown as NoticeRow[];
  }

  /** `text` null: removes it. */
  leaveNotice(name: string, text: string | null): void {
    this.#requireFile();
    if (text === null) this.#removeNotice.run(name);
    else this.#setNotice.run(name, text);
  }

  /** The namespaces that changed since they were last asked for, but for what this connection wrote; first, all that there are. */
  changes(): Row[] {
    this.#requireFile();
    const { data_version: data } = this.#dataVersion.get() as { data_version: number };
    if (data === this.#seenData) return [];
    this.#seenData = data;
    const rows: Row[] = [];
    for (const { name, version } of this.#versions.all() as unknown as { name: string; version: number }[]) {
      if (this.#seen.get(name) === version) continue;
      const current = this.#current.get(name) as { version: number; dtab: string | null } | undefined;
      if (current === undefined) continue;
      this.#seen.set(name, current.version);
      rows.push({ name, ...current });
    }
    return rows;
  }

  /** Leaves one file: the log is written back into it. */
  close(): void {
    this.#database.close();
  }

  /** SQLite goes on with a file that was deleted or replaced; what it writes there would be lost with the process. */
  #requireFile(): void {
    if (inodeOf(this.#path) !== this.#inode) throw new DatabaseFailure(GONE);
  }

  #writeOne({ namespace, dtab, expected, at, author, isVerified, message }: WriteRequest): WriteOutcome {
    const row = this.#current.get(namespace) as { version: number; dtab: string | null } | undefined;
    const current = row === undefined || row.dtab === null ? null : row.version;
    if (!fits(expected, current)) return { type: 'refused', current };
    const version = (row?.version ?? 0) + 1;
    this.#setCurrent.run(namespace, version, dtab);
    this.#addChange.run(namespace, version, at, dtab, author, isVerified ? 1 : 0, message);
    if (this.#keepVersions !== null) this.#prune.run(namespace, version - this.#keepVersions);
    return { type: 'written', version };
  }
}

const GONE = 'the file was removed or replaced while namerd ran; put it back and restart namerd';

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

function fits(expected: WriteRequest['expected'], current: number | null): boolean {
  if (expected === 'any') return true;
  if (expected === 'nothing') return current === null;
  if (expected === 'something') return current !== null;
  return current === expected;
}

function open(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new Database(path, { timeout: BUSY_MS });
    const mode = database.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string };
    if (mode.journal_mode !== 'wal') throw new DatabaseFailure('its folder can not hold a write-ahead log');
    // FULL: a commit is not answered before the log is on the disk.
    database.exec('PRAGMA synchronous = FULL');
    prepareTables(database);
    return database;
  } catch (error) {
    database?.close();
    throw error;
  }
}

function prepareTables(database: DatabaseSync): void {
  const pragma = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  database.exec('BEGIN IMMEDIATE');
  const tables = database.prepare("SELECT count(*) AS number FROM sqlite_schema WHERE type = 'table'").get();
  if (tables?.['number'] === 0) {
    database.exec(`${TABLES} PRAGMA application_id = ${APPLICATION_ID};`);
  } else if (pragma('application_id') !== APPLICATION_ID) {
    throw new DatabaseFailure('it is a SQLite database of another program; name another file');
  } else if (pragma('user_version') > FORMAT) {
    throw new DatabaseFailure('a later release of namerd has written it; run that one');
  }
  // In any case: SQLite opens a file that it may not write to without a word, and fails with the first write.
  database.exec(`PRAGMA user_version = ${FORMAT}; COMMIT;`);
}
