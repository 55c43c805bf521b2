/** A regular file's content as a live value. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Activity, Live } from '../live/index.ts';
import { isMissing } from './trace.ts';
import { fingerprintOf, MISSING, type Reading, watchPath } from './watch-path.ts';

export type FileContent =
  /** `mtimeMs` is when the content that is held was written, ms since the epoch. */
  | { readonly state: 'file'; readonly bytes: Buffer; readonly text: string; readonly mtimeMs: number }
  | { readonly state: 'directory' }
  /** The name, or a directory on the way to it, does not exist. */
  | { readonly state: 'missing' };

/** 500 KB. */
export const DEFAULT_MAX_BYTES = 500 * 1024;

export interface WatchFileOptions {
  /** A larger file fails. Default 500 KB. */
  readonly maxBytes?: number;
  /** How long the file is watched after its last reader, in ms; default: that of live sources. */
  readonly lingerMs?: number;
}

/**
 * Follows whatever the path stands for: writes in place, renames over it, swapped links, deletion and re-creation of the
 * file or of its directory. A missing file is a value; a file that can't be read, is too large, or is neither a regular
 * file nor a directory, is a failure that keeps the last value.
 */
export function watchFile(path: string, options: WatchFileOptions = {}): Live<Activity<FileContent>> {
  const { maxBytes = DEFAULT_MAX_BYTES, lingerMs } = options;
  return watchPath<FileContent>({
    path,
    read: (path) => readFile(path, maxBytes),
    equals: sameContent,
    looksHalfWritten: (last, now) => last.state === 'file' && last.bytes.length > 0 && isEmpty(now),
    ...(lingerMs !== undefined && { lingerMs }),
  });
}

async function readFile(path: string, maxBytes: number): Promise<Reading<FileContent>> {
  let handle: FileHandle;
  try {
    // Non-blocking, because opening a FIFO would otherwise wait for a writer, on one of four pool threads.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isMissing(error)) return { value: { state: 'missing' }, fingerprint: MISSING };
    throw error;
  }
  try {
    const stats = await handle.stat({ bigint: true });
    const fingerprint = fingerprintOf(stats);
    if (stats.isDirectory()) return { value: { state: 'directory' }, fingerprint };
    if (!stats.isFile()) throw new Error(`not a regular file: ${path}`);
    if (stats.size > BigInt(maxBytes)) throw new Error(`larger than ${maxBytes} bytes: ${path}`);
    const bytes = await readUpTo(handle, Number(stats.size));
    const mtimeMs = Number(stats.mtimeNs / 1_000_000n);
    return { value: { state: 'file', bytes, text: bytes.toString('utf8'), mtimeMs }, fingerprint };
  } finally {
    await handle.close();
  }
}

/** What is written meanwhile beyond `length` is left: its own event brings it. */
async function readUpTo(handle: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function sameContent(a: FileContent, b: FileContent): boolean {
  if (a.state !== 'file' || b.state !== 'file') return a.state === b.state;
  return a.bytes.equals(b.bytes);
}

function isEmpty(content: FileContent): boolean {
  return content.state === 'missing' || (content.state === 'file' && content.bytes.length === 0);
}
