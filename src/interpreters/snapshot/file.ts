/**
 * The snapshot on disk. It is replaced whole (a new file renamed over the old one), a while after something has changed, so that a
 * busy fleet writes no more than a quiet one; and once more when the interpreter is closed.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../port/log.ts';
import { formatSnapshot, type Owner, parseSnapshot } from './format.ts';
import type { LastKnownGood } from './last-known-good.ts';

/** From a change to the writing of it, ms. */
const SAVE_DELAY_MS = 1_000;
/** Between two writings, ms; and so much more that writing takes a hundredth of the time. */
const SAVE_INTERVAL_MS = 10_000;
const SHARE_OF_TIME = 100;
/** Without changes it is written so often, so that the file tells how old it is, ms. */
export const REFRESH_MS = 300_000;
/** A file above it is not read: no snapshot gets so large. */
const MAX_BYTES = 256 * 1024 * 1024;

export interface SnapshotFileMetrics {
  written(bytes: number): void;
  /** Whether the last attempt to write failed. */
  failing(isFailing: boolean): void;
}

export class SnapshotFile {
  readonly path: string;
  readonly #owner: Owner;
  readonly #log: Log;
  readonly #metrics: SnapshotFileMetrics;
  #known: LastKnownGood | null = null;
  /** Whether what is watched holds now. */
  #hasContact: () => boolean = () => false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, on performance.now(). */
  #due = 0;
  #saving: Promise<void> | null = null;
  #isDirty = false;
  #isFailing = false;
  #earliest = 0;
  /** When it was written last, by this process or before, ms since 1970; null: never. */
  savedAt: number | null = null;

  constructor(path: string, owner: Owner, log: Log, metrics: SnapshotFileMetrics) {
    this.path = path;
    this.#owner = owner;
    this.#log = log;
    this.#metrics = metrics;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Reads what an earlier process left, and from now on saves what `known` tells. Never throws. */
  begin(known: LastKnownGood, hasContact: () => boolean): void {
    this.#known = known;
    this.#hasContact = hasContact;
    try {
      const folder = dirname(this.path);
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    } catch (error) {
      this.#onFailure('written', error);
    }
    try {
      const size = statSync(this.path, { throwIfNoEntry: false })?.size;
      if (size === undefined) return;
      if (size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES} bytes`);
      const snapshot = parseSnapshot(readFileSync(this.path, 'utf8'), this.#owner);
      this.savedAt = snapshot.savedAt;
      known.restore(snapshot.names, snapshot.addrs);
      this.#log.info({ file: this.path, names: snapshot.names.length }, 'read the snapshot of the last known names');
    } catch (error) {
      this.#onFailure('read', error);
    }
  }

  /** Something has changed. */
  touch(): void {
    this.#isDirty = true;
    this.#schedule(SAVE_DELAY_MS);
  }

  /** Writes what has not been written; for the end of the process, which waits for nothing. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isDirty) this.#saveNow();
    this.#known = null;
  }

  #schedule(delayMs: number): void {
    if (this.#saving !== null || this.#known === null) return;
    const now = performance.now();
    const due = Math.max(now + delayMs, this.#earliest);
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#saving = this.#save().finally(() => {
        this.#saving = null;
        this.#schedule(this.#isDirty ? SAVE_DELAY_MS : REFRESH_MS);
      });
    }, due - now).unref();
  }

  async #save(): Promise<void> {
    // Nothing has changed, and nothing is known to hold still.
    if (!this.#isDirty && !this.#hasContact()) return;
    const begun = performance.now();
    const temporary = `${this.path}.new`;
    try {
      const text = this.#text();
      if (text === null) return;
      await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
      const file = await open(temporary, 'w', 0o640);
      try {
        await file.writeFile(text);
        // Else a power failure may leave the new name with nothing behind it.
        await file.sync();
      } finally {
        await file.close();
      }
      // It may have been closed, and written, meanwhile.
      if (this.#known === null) return;
      await rename(temporary, this.path);
      this.#onWritten(text.length);
    } catch (error) {
      this.#onFailure('written', error);
    } finally {
      const spent = performance.now() - begun;
      this.#earliest = performance.now() + Math.max(SAVE_INTERVAL_MS, spent * SHARE_OF_TIME);
    }
  }

  #saveNow(): void {
    // Not the name that a writing under way has: its remains would be taken for the whole.
    const temporary = `${this.path}.last`;
    try {
      const text = this.#text();
      if (text === null) return;
      const file = openSync(temporary, 'w', 0o640);
      try {
        writeSync(file, text);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.path);
      rmSync(`${this.path}.new`, { force: true });
      this.#onWritten(text.length);
    } catch (error) {
      this.#onFailure('written', error);
    }
  }

  #text(): string | null {
    const known = this.#known;
    if (known === null) return null;
    this.#isDirty = false;
    if (this.#hasContact()) known.confirm();
    return formatSnapshot(this.#owner, { ...known.all(), savedAt: Date.now() });
  }

  #onWritten(bytes: number): void {
    this.savedAt = Date.now();
    this.#metrics.written(bytes);
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#metrics.failing(false);
    this.#log.info({ file: this.path }, 'the snapshot can be written again');
  }

  /** One warning, however long it goes on. */
  #onFailure(what: 'read' | 'written', error: unknown): void {
    const fields = { file: this.path, reason: (error as Error).message };
    if (what === 'read') {
      this.#log.warn(fields, 'the snapshot of the last known names could not be read; it is passed over');
      return;
    }
    this.#isDirty = true;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#metrics.failing(true);
    const advice =
      'set `snapshot: {dir: ...}` of the interpreter, or STATE_DIRECTORY, to a folder that may be written to';
    this.#log.warn(
      { ...fields, advice },
      'the snapshot can not be written: should Signpost start while namerd is away, it will know no names',
    );
  }
}

/** With those above it. Level by level: where `mkdir` says ENOENT of a folder that can't be (/proc), the recursive one of Node never ends. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  mkdirSync(folder, { mode: 0o755 });
}
