/**
 * Which names a directory holds, as a live value. Unlike a listing it looks at none of the entries, so that it stays cheap
 * where tens of thousands of files are, and somebody who wants to know whether a name exists asks a set.
 */
import { opendir } from 'node:fs/promises';
import type { Activity, Live } from '../live/index.ts';
import { isMissing } from './trace.ts';
import { fingerprint, type Reading, watchPath } from './watch-path.ts';

export type DirectoryNames =
  | { readonly state: 'listed'; readonly names: ReadonlySet<string> }
  /** It exists and may hold any name: it has too many to be kept, or may be searched but not be listed. */
  | { readonly state: 'unlisted' }
  /** There is no directory of that name. */
  | { readonly state: 'missing' };

/** About 5 MB of names, and 50 ms to read them again after one comes or goes. */
const MAX_NAMES = 50_000;
/** Names taken from the system in one call. */
const BATCH = 1_024;

export interface WatchNamesOptions {
  /** A directory with more is `unlisted`. Default 50,000. */
  readonly maxNames?: number;
  /** How long the directory is watched after its last reader, in ms; default: that of live sources. */
  readonly lingerMs?: number;
}

/** Tells of names that come and go, whatever they stand for. */
export function watchDirectoryNames(path: string, options: WatchNamesOptions = {}): Live<Activity<DirectoryNames>> {
  const { maxNames = MAX_NAMES, lingerMs } = options;
  return watchPath<DirectoryNames>({
    path,
    read: (path) => readNames(path, maxNames),
    equals: sameNames,
    entries: true,
    // A directory that has just been made, or mounted, is filled in the next moment.
    looksHalfWritten: (last, now) => last.state === 'missing' && now.state === 'listed' && now.names.size === 0,
    ...(lingerMs !== undefined && { lingerMs }),
  });
}

async function readNames(path: string, maxNames: number): Promise<Reading<DirectoryNames>> {
  // Taken first: a name that comes while the directory is read then makes the next poll look again.
  const before = await fingerprint(path);
  try {
    const names = new Set<string>();
    for await (const { name } of await opendir(path, { bufferSize: BATCH })) {
      // Leaving the loop closes the directory.
      if (names.size === maxNames) return { value: { state: 'unlisted' }, fingerprint: before };
      names.add(name);
    }
    return { value: { state: 'listed', names }, fingerprint: before };
  } catch (error) {
    if (isMissing(error)) return { value: { state: 'missing' }, fingerprint: before };
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return { value: { state: 'unlisted' }, fingerprint: before };
    throw error;
  }
}

function sameNames(a: DirectoryNames, b: DirectoryNames): boolean {
  if (a.state !== 'listed' || b.state !== 'listed') return a.state === b.state;
  return a.names.size === b.names.size && a.names.isSubsetOf(b.names);
}
