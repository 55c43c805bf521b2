/**
 * The files below the root directory that somebody asks for: watched, parsed once a change, their bad lines reported. While the
 * root itself is away (a volume that is not mounted just now), what was in it is kept: nobody has said that the names are gone.
 */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type DirectoryNames, type FileContent, watchDirectoryNames, watchFile } from '../../files/index.ts';
import {
  type Activity,
  derive,
  hasValue,
  inheritPhase,
  type Live,
  observe,
  ok,
  type Publisher,
  Sources,
  withoutValue,
} from '../../live/index.ts';
import type { Log } from '../../port/log.ts';
import { type BadLine, parseReplicaFile, type ReplicaFile } from './replica-file.ts';

export type ServiceFile =
  | ({ readonly state: 'file'; readonly mtimeMs: number } & ReplicaFile)
  | { readonly state: 'directory' }
  | { readonly state: 'missing' };

/** As the other directories, by its path from the root. */
const ROOT = '';
const MISSING: ServiceFile = { state: 'missing' };
const MAX_BYTES = 500 * 1024;
/** Of one file, in a log line and in the namer's state; the number of all of them is given too. */
const BAD_LINES_SHOWN = 10;
const LONGEST_TEXT_SHOWN = 120;

export class ServiceFiles {
  readonly #rootDir: string;
  readonly #log: Log;
  readonly #files: Sources<ServiceFile>;
  readonly #directories: Sources<DirectoryNames>;
  /** Changes when the root goes away and when it is back. */
  readonly #rootPhase: Live<Activity<unknown>['phase']>;

  constructor(rootDir: string, log: Log, lingerMs?: number) {
    this.#rootDir = rootDir;
    this.#log = log;
    const linger = lingerMs === undefined ? {} : { lingerMs };
    this.#files = new Sources((file) => ({ start: (publish) => this.#follow(file, publish) }), linger);
    this.#directories = new Sources(
      (directory) => ({ start: (publish) => this.#followNames(directory, publish) }),
      linger,
    );
    this.#rootPhase = derive(() => this.#directories.get(ROOT).value.phase);
  }

  /**
   * What a name in a directory stands for; for derivations to call. A name that isn't there is answered from the names that
   * the directory is known to hold: it costs no watch and no system call of its own, however many of them are asked for.
   */
  find(directory: string, name: string): Activity<ServiceFile> {
    const file = join(directory, name);
    const listed = this.#directories.get(directory).value;
    if (!hasValue(listed)) return withoutValue(listed);
    if (mayHold(listed.value, name) || this.#isKnownToExist(file)) return this.get(file).value;
    return inheritPhase(ok(MISSING), listed);
  }

  /** `file` is relative to the root, such as `dir/web`. */
  get(file: string): Live<Activity<ServiceFile>> {
    return this.#files.get(file);
  }

  /** The files that are watched now. */
  watched(): string[] {
    return [...this.#files.keys()].sort();
  }

  close(): void {
    this.#files.close();
    this.#directories.close();
  }

  /**
   * A file that is watched is gone when its own watch says so, which waits whether a writer puts another in its place. The
   * watch's word is news to whoever reads it, so it need not be subscribed to for the answer no.
   */
  #isKnownToExist(file: string): boolean {
    const known = this.#files.peek(file);
    return known !== undefined && hasValue(known) && known.value.state !== 'missing';
  }

  #follow(file: string, publish: Publisher<ServiceFile>): () => void {
    // Lingering is done here already.
    const content = watchFile(join(this.#rootDir, file), { maxBytes: MAX_BYTES, lingerMs: 0 });
    // A file that is missing is judged again when the root is back.
    const seen = derive(() => ({ now: content.value, rootPhase: this.#rootPhase.value }));
    return observe(seen, ({ now }) => {
      if (now.phase === 'ok') {
        // Asked of the system, since the root's own watch may hear of it later.
        if (now.value.state === 'missing' && !existsSync(this.#rootDir)) publish.fail(rootIsAway(this.#rootDir));
        else publish.ok(this.#parse(file, now.value));
      }
      if (now.phase !== 'failed') return;
      this.#log.warn({ namer: 'io.l5d.fs', file, error: now.error.message }, 'file cannot be read');
      publish.fail(now.error);
    });
  }

  #followNames(directory: string, publish: Publisher<DirectoryNames>): () => void {
    const names = watchDirectoryNames(join(this.#rootDir, directory), { lingerMs: 0 });
    return observe(names, (now) => {
      if (now.phase === 'failed') {
        this.#log.warn({ namer: 'io.l5d.fs', directory, error: now.error.message }, 'directory cannot be listed');
        publish.fail(now.error);
      } else if (now.phase === 'ok' && now.value.state === 'missing' && directory === ROOT) {
        this.#log.warn({ namer: 'io.l5d.fs', rootDir: this.#rootDir }, 'rootDir is gone: what was in it is served');
        publish.fail(rootIsAway(this.#rootDir));
      } else if (now.phase === 'ok') {
        publish.ok(now.value);
      }
    });
  }

  #parse(file: string, content: FileContent): ServiceFile {
    if (content.state !== 'file') return content;
    const parsed = parseReplicaFile(content.text);
    const { badLines, replicas } = parsed;
    if (badLines.length > 0) {
      const kept = replicas.length;
      this.#log.warn(
        { namer: 'io.l5d.fs', file, kept, ...showBadLines(badLines) },
        'file has lines that are no address',
      );
    }
    return { state: 'file', mtimeMs: content.mtimeMs, ...parsed };
  }
}

/** Why nothing can be told of what is in the root. */
export function rootIsAway(rootDir: string): Error {
  return new Error(`the directory ${rootDir} does not exist`);
}

function mayHold(directory: DirectoryNames, name: string): boolean {
  return directory.state === 'listed' ? directory.names.has(name) : directory.state === 'unlisted';
}

export function showBadLines(badLines: readonly BadLine[]): { badLines: BadLine[]; badLineCount: number } {
  const shown = badLines.slice(0, BAD_LINES_SHOWN);
  return {
    badLines: shown.map(({ line, text }) => ({ line, text: text.slice(0, LONGEST_TEXT_SHOWN) })),
    badLineCount: badLines.length,
  };
}

/**
 * The file name that a path's segment stands for, or undefined for one that no file can have. So no segment leads out of
 * its directory (links may; whoever can make them can write the files as well).
 */
export function fileName(segment: string): string | undefined {
  const bytes = Buffer.from(segment, 'latin1');
  const name = bytes.toString('utf8');
  if (!Buffer.from(name, 'utf8').equals(bytes)) return undefined;
  const illegal = name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || name.includes(sep);
  return illegal ? undefined : name;
}
