/**
 * A log file that is written in the background and rolled. Whoever writes a line never waits: lines stand in a queue of bounded
 * size until the disk has taken those before them, and those that find it full are lost, counted and said.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep, setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Log } from '../port/log.ts';
import type { RollPolicy } from './roll-policy.ts';
import { nextRolledPath, removeOldest } from './rolled-files.ts';
import { within } from './within.ts';

export interface RollingFileOptions {
  /** Its folder is made if there is none. What is no regular file, such as /dev/stdout, is never rolled. */
  readonly path: string;
  readonly policy: RollPolicy;
  /** Whether what the file holds is kept; if not, `start` drops it. */
  readonly append: boolean;
  /** Rolled files to keep; -1: all. */
  readonly keep: number;
  readonly log: Log;
  readonly onLost: (lines: number) => void;
}

interface Line {
  readonly text: string;
  readonly bytes: number;
  readonly at: number;
}

/** 1 MiB of lines: some seconds of a busy log. */
const MAX_QUEUED_BYTES = 1024 * 1024;
const MAX_WRITE_BYTES = 64 * 1024;
/** A disk, or a pipe, that takes nothing does not keep a program from ending for longer. */
const FLUSH_MS = 2_000;
/** A pipe that is full is tried again after this time. */
const FULL_PIPE_MS = 50;
/** A thread that waits in the system for a pipe could not be stopped, and no process ends before its threads. */
const OPEN = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NONBLOCK ?? 0);
/** How often the file is looked for under its name: another program may have renamed or removed it. */
const LOOK_INTERVAL_MS = 1_000;
/** Between two lines of the program's log about the same trouble, and two tries to roll what can't be rolled. */
const TROUBLE_INTERVAL_MS = 60_000;

/** Those of this process, by path: several that are to write one file share it, so that no line is torn and none rolls for itself. */
const files = new Map<string, Promise<RollingFile>>();

export class RollingFile {
  readonly #options: RollingFileOptions;
  readonly #key: string;
  #users = 1;
  #handle: FileHandle;
  /** Without symbolic links, so that what is renamed is the file. */
  #path = '';
  #isRegular = true;
  #identity = '';
  #bytes = 0;
  #begun = 0;
  #periodEnd = 0;
  readonly #queue: Line[] = [];
  /** With those that are being written. */
  #queuedBytes = 0;
  #draining: Promise<void> | null = null;
  #starting: Promise<void> | null = null;
  #isStarted = false;
  #isClosed = false;
  /** The rest is lost. */
  #isGivenUp = false;
  /** A write failed somewhere in a line. */
  #isTorn = false;
  #lookAfter = 0;
  #rollAfter = 0;
  #sayAfter = 0;
  #lost = 0;

  /**
   * Changes nothing in a file that is there, and lines wait for `start`. Rejects with the system's error. The options of whoever opens
   * a file first hold for all who share it.
   */
  static async open(options: RollingFileOptions): Promise<RollingFile> {
    const key = resolve(options.path);
    const known = files.get(key);
    if (known !== undefined) {
      const file = await known;
      file.#users++;
      return file;
    }
    const opening = RollingFile.#open(options, key);
    files.set(key, opening);
    opening.catch(() => files.delete(key));
    return await opening;
  }

  static async #open(options: RollingFileOptions, key: string): Promise<RollingFile> {
    await mkdir(dirname(key), { recursive: true });
    const file = new RollingFile(options, key, await open(key, OPEN));
    await file.#begin();
    return file;
  }

  private constructor(options: RollingFileOptions, key: string, handle: FileHandle) {
    this.#options = options;
    this.#key = key;
    this.#handle = handle;
  }

  /** `line` has no line end; `at`, in ms since the epoch, says into which period it belongs. */
  write(line: string, at: number = Date.now()): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#isClosed || this.#queuedBytes + bytes > MAX_QUEUED_BYTES) {
      this.#lose(1, this.#isClosed ? 'it is closed' : 'the disk is too slow');
      return;
    }
    this.#queue.push({ text: `${line}\n`, bytes, at });
    this.#queuedBytes += bytes;
    if (this.#isStarted) this.#draining ??= this.#drain();
  }

  /**
   * To be called once no other process can be writing the file, as when the port is taken whose requests it tells of: drops what is
   * not to be kept, and lets lines be written. Of those who share the file, the first does it. Rejects with the system's error.
   */
  async start(): Promise<void> {
    this.#starting ??= this.#start();
    await this.#starting;
  }

  async #start(): Promise<void> {
    if (!this.#options.append && this.#isRegular) {
      await this.#handle.truncate();
      await this.#begin();
    }
    this.#isStarted = true;
    if (this.#queue.length > 0) this.#draining ??= this.#drain();
  }

  /** Writes what was given before; when its last user has gone, the file is closed. Never rejects. */
  async close(): Promise<void> {
    this.#users--;
    if (this.#users === 0) {
      this.#isClosed = true;
      files.delete(this.#key);
    }
    await within(FLUSH_MS, this.#draining);
    if (!this.#isClosed) return;
    this.#isGivenUp = this.#draining !== null;
    await within(FLUSH_MS, this.#draining);
    if (this.#draining === null) await this.#handle.close().catch(() => {});
  }

  // ---- in the background

  async #drain(): Promise<void> {
    // What comes in the same turn is written together.
    await turnOfLoop();
    while (this.#queue.length > 0) {
      const first = this.#queue[0]!;
      await this.#attempt('it can not be opened again', () => this.#look());
      if (this.#mustRoll(first)) await this.#attempt('it can not be rolled', () => this.#roll());
      const lines = this.#take();
      await this.#append(lines);
    }
    this.#draining = null;
  }

  /** The next lines that belong into the file as it is now; at least one. */
  #take(): Line[] {
    let bytes = 0;
    let count = 0;
    for (const line of this.#queue) {
      if (count > 0 && (bytes + line.bytes > MAX_WRITE_BYTES || this.#mustRoll(line, bytes))) break;
      bytes += line.bytes;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #append(lines: readonly Line[]): Promise<void> {
    const text = lines.map((line) => line.text).join('');
    const size = lines.reduce((sum, line) => sum + line.bytes, 0);
    if (this.#bytes === 0) this.#beginPeriod(lines[0]!.at);
    try {
      await this.#writeAll(Buffer.from(this.#isTorn ? `\n${text}` : text));
      this.#isTorn = false;
      this.#bytes += size;
    } catch (error) {
      this.#isTorn = true;
      this.#lookAfter = 0;
      this.#identity = '';
      this.#lose(lines.length, (error as Error).message);
    }
    this.#queuedBytes -= size;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      if (this.#isGivenUp) throw new Error('it takes nothing');
      try {
        written += (await this.#handle.write(bytes, written)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await sleep(FULL_PIPE_MS);
      }
    }
  }

  #mustRoll(line: Line, moreBytes = 0): boolean {
    const bytes = this.#bytes + moreBytes;
    if (!this.#isRegular || bytes === 0 || Date.now() < this.#rollAfter) return false;
    return line.at >= this.#periodEnd || bytes + line.bytes > this.#options.policy.maxBytes;
  }

  async #roll(): Promise<void> {
    const { policy, keep } = this.#options;
    // Until it has succeeded: a folder that may not be written to is not asked with every line.
    this.#rollAfter = Date.now() + TROUBLE_INTERVAL_MS;
    await rename(this.#path, await nextRolledPath(this.#path, policy.stamp(this.#begun)));
    await this.#reopen();
    this.#rollAfter = 0;
    if (keep >= 0) await removeOldest(this.#path, keep);
  }

  /** Goes on in a new file where the old one has been taken away, or could not be written to. */
  async #look(): Promise<void> {
    const now = Date.now();
    if (!this.#isRegular || now < this.#lookAfter) return;
    this.#lookAfter = now + LOOK_INTERVAL_MS;
    const found = await stat(this.#path).catch(() => null);
    if (found === null || identityOf(found) !== this.#identity) await this.#reopen();
  }

  async #reopen(): Promise<void> {
    const old = this.#handle;
    this.#handle = await open(this.#path, OPEN);
    await old.close().catch(() => {});
    await this.#begin();
  }

  async #begin(): Promise<void> {
    this.#path = await realpath(this.#key);
    const found = await this.#handle.stat();
    this.#isRegular = found.isFile();
    this.#identity = identityOf(found);
    this.#bytes = found.size;
    // Lines of a run that ended before this one belong to the period in which they were written.
    this.#beginPeriod(found.size > 0 ? found.mtimeMs : Date.now());
  }

  #beginPeriod(at: number): void {
    this.#begun = at;
    this.#periodEnd = this.#options.policy.periodEnd(at);
  }

  // ---- trouble

  async #attempt(trouble: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#say(`${trouble}: ${(error as Error).message}`);
    }
  }

  #lose(lines: number, trouble: string): void {
    this.#lost += lines;
    this.#options.onLost(lines);
    this.#say(trouble);
  }

  #say(trouble: string): void {
    const now = Date.now();
    if (now < this.#sayAfter) return;
    this.#sayAfter = now + TROUBLE_INTERVAL_MS;
    this.#options.log.warn({ file: this.#key, lostLines: this.#lost }, `an access log has trouble: ${trouble}`);
  }
}

/** What a name stands for. */
function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
