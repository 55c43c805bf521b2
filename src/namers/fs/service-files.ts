/** The files below the root directory that somebody asks for: watched, parsed once a change, their bad lines reported. */
import { join, sep } from 'node:path';
import { type FileContent, watchFile } from '../../files/index.ts';
import { type Activity, type Live, observe, type Publisher, Sources } from '../../live/index.ts';
import type { Log } from '../../port/log.ts';
import { type BadLine, parseReplicaFile, type ReplicaFile } from './replica-file.ts';

export type ServiceFile =
  | ({ readonly state: 'file'; readonly mtimeMs: number } & ReplicaFile)
  | { readonly state: 'directory' }
  | { readonly state: 'missing' };

const MAX_BYTES = 500 * 1024;
/** Of one file, in a log line and in the namer's state; the number of all of them is given too. */
const BAD_LINES_SHOWN = 10;
const LONGEST_TEXT_SHOWN = 120;

export class ServiceFiles {
  readonly #rootDir: string;
  readonly #log: Log;
  readonly #files: Sources<ServiceFile>;

  constructor(rootDir: string, log: Log, lingerMs?: number) {
    this.#rootDir = rootDir;
    this.#log = log;
    this.#files = new Sources(
      (file) => ({ start: (publish) => this.#follow(file, publish) }),
      lingerMs === undefined ? {} : { lingerMs },
    );
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
  }

  #follow(file: string, publish: Publisher<ServiceFile>): () => void {
    // Lingering is done here already.
    const content = watchFile(join(this.#rootDir, file), { maxBytes: MAX_BYTES, lingerMs: 0 });
    return observe(content, (now) => {
      if (now.phase === 'ok') publish.ok(this.#parse(file, now.value));
      if (now.phase !== 'failed') return;
      this.#log.warn({ namer: 'io.l5d.fs', file, error: now.error.message }, 'file cannot be read');
      publish.fail(now.error);
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
