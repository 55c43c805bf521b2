/**
 * What a path holds, as a live value: the part that watchFile and watchDirectory share.
 *
 *   event or poll --> wait until quiet --> trace links, watch every name on the way --> read --> publish
 *                          ^                                                             |
 *                          +------------- something happened while reading --------------+
 */
import { stat } from 'node:fs/promises';
import { type Activity, type Live, type Publisher, source, toError } from '../live/index.ts';
import { onDirectoryEvent, type WatchPoint } from './directory-events.ts';
import { addToPoll } from './poll.ts';
import { isMissing, samePoints, trace } from './trace.ts';

/** A change is read when nothing more happened for this long, ms: writers truncate, write and rename in quick succession. */
const QUIET_MS = 10;
/** A change is read after this long, ms, even if events go on; a value that looks half-written is held back as long. */
const PATIENCE_MS = 100;
/** Rounds of looking and watching before a path whose links keep changing is read as it is. */
const MAX_ROUNDS = 10;

export interface Reading<T> {
  readonly value: T;
  /** Differs whenever the value may differ; the same as `fingerprint()` gives for the path. */
  readonly fingerprint: string;
}

export interface WatchPathOptions<T> {
  readonly path: string;
  /** Rejects if the path can't be read; the last value is kept then. */
  readonly read: (path: string) => Promise<Reading<T>>;
  readonly equals: (a: T, b: T) => boolean;
  /** Whether the second value is likely to be only a moment's, between two steps of a writer. */
  readonly looksHalfWritten?: (last: T, now: T) => boolean;
  /** Also hear of the entries, if the path is a directory. */
  readonly entries?: boolean;
  readonly lingerMs?: number;
}

export function watchPath<T>(options: WatchPathOptions<T>): Live<Activity<T>> {
  const { equals, lingerMs } = options;
  return source<T>({
    start: (publish) => {
      const watched = new WatchedPath(options, publish);
      return () => watched.close();
    },
    equals,
    ...(lingerMs !== undefined && { lingerMs }),
  });
}

class WatchedPath<T> {
  readonly #options: WatchPathOptions<T>;
  readonly #publish: Publisher<T>;
  readonly #leavePoll: () => void;
  #points: readonly WatchPoint[] = [];
  #releases: (() => void)[] = [];
  /** Of what was read last; undefined if it could not be read. */
  #fingerprint: string | undefined;
  #last: { value: T } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the change that is not read yet was first heard of. */
  #changedAt: number | undefined;
  #checking = false;
  #changedSince = false;
  #closed = false;

  constructor(options: WatchPathOptions<T>, publish: Publisher<T>) {
    this.#options = options;
    this.#publish = publish;
    this.#leavePoll = addToPoll(this);
    void this.#check();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#leavePoll();
    for (const release of this.#releases) release();
    this.#releases = [];
  }

  async poll(): Promise<void> {
    if (this.#checking || this.#timer !== undefined) return;
    const now = await fingerprint(this.#options.path);
    if (!this.#closed && !this.#checking && now !== this.#fingerprint) this.#changed();
  }

  #changed(): void {
    if (this.#closed) return;
    this.#changedAt ??= performance.now();
    if (this.#checking) this.#changedSince = true;
    else this.#checkIn(Math.min(QUIET_MS, this.#patienceLeft()));
  }

  #patienceLeft(): number {
    return this.#changedAt === undefined ? 0 : Math.max(0, this.#changedAt + PATIENCE_MS - performance.now());
  }

  #checkIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), ms);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    this.#timer = undefined;
    this.#checking = true;
    this.#changedSince = false;
    const result = await this.#look().catch(toError);
    this.#checking = false;
    if (this.#closed) return;

    if (this.#changedSince && this.#patienceLeft() > 0) return this.#checkIn(Math.min(QUIET_MS, this.#patienceLeft()));
    if (result instanceof Error) {
      // The poll tries again, since what failed need not be the file (EMFILE, a slow network file system).
      this.#fingerprint = undefined;
      this.#publish.fail(result);
    } else {
      this.#fingerprint = result.fingerprint;
      const suspicious = this.#last !== undefined && this.#options.looksHalfWritten?.(this.#last.value, result.value);
      if (suspicious && this.#patienceLeft() > 0) return this.#checkIn(this.#patienceLeft());
      this.#last = { value: result.value };
      this.#publish.ok(result.value);
    }
    this.#changedAt = undefined;
    if (this.#changedSince) this.#changed();
  }

  async #look(): Promise<Reading<T>> {
    const { path, read } = this.#options;
    // A name can change between looking it up and watching it, so look until what is watched is what is there.
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { points, directory } = await trace(path);
      const wanted = directory !== undefined && this.#options.entries ? [...points, directory] : points;
      if (this.#closed || samePoints(wanted, this.#points)) break;
      this.#watch(wanted);
    }
    return read(path);
  }

  #watch(points: readonly WatchPoint[]): void {
    const old = this.#releases;
    this.#points = points;
    this.#releases = points.map((point) =>
      onDirectoryEvent(point, () => {
        // The directory's watch may be gone with the directory: watch anew after any event.
        this.#points = [];
        this.#changed();
      }),
    );
    // Only now, so that a directory that is watched on keeps its handle.
    for (const release of old) release();
  }
}

/** Tells two states of what a path stands for apart, as well as one system call can. */
export async function fingerprint(path: string): Promise<string> {
  try {
    return fingerprintOf(await stat(path, { bigint: true }));
  } catch (error) {
    return isMissing(error) ? MISSING : String((error as NodeJS.ErrnoException).code);
  }
}

export const MISSING = 'missing';

export function fingerprintOf(stats: {
  dev: bigint;
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}
