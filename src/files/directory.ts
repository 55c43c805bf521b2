/** A directory's entries as a live value. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activity, Live } from '../live/index.ts';
import { isMissing } from './trace.ts';
import { fingerprint, type Reading, watchPath } from './watch-path.ts';

export interface DirectoryEntry {
  readonly name: string;
  /** What a link stands for counts, not the link; `other` is a broken link, a device and the like. */
  readonly kind: 'file' | 'directory' | 'other';
}

/** Undefined when there is no directory of that name. Sorted by name. */
export type DirectoryListing = readonly DirectoryEntry[] | undefined;

/** A larger directory fails. */
const MAX_ENTRIES = 10_000;

/** Tells of entries that come, go and change their kind, not of what is written into them. */
export function watchDirectory(
  path: string,
  options: { readonly lingerMs?: number } = {},
): Live<Activity<DirectoryListing>> {
  const { lingerMs } = options;
  return watchPath<DirectoryListing>({
    path,
    read: readListing,
    equals: sameListing,
    entries: true,
    ...(lingerMs !== undefined && { lingerMs }),
  });
}

async function readListing(path: string): Promise<Reading<DirectoryListing>> {
  // Taken first: an entry that comes while the directory is read then makes the next poll look again.
  const before = await fingerprint(path);
  let found: Dirent[];
  try {
    found = await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return { value: undefined, fingerprint: before };
    throw error;
  }
  if (found.length > MAX_ENTRIES) throw new Error(`more than ${MAX_ENTRIES} entries: ${path}`);
  const entries: DirectoryEntry[] = [];
  for (const each of found) entries.push({ name: each.name, kind: await kindOf(path, each) });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { value: entries, fingerprint: before };
}

async function kindOf(directory: string, entry: Dirent): Promise<DirectoryEntry['kind']> {
  const seen = entry.isSymbolicLink() ? await stat(join(directory, entry.name)).catch(() => undefined) : entry;
  if (seen?.isFile()) return 'file';
  return seen?.isDirectory() ? 'directory' : 'other';
}

function sameListing(a: DirectoryListing, b: DirectoryListing): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((each, i) => each.name === b[i]!.name && each.kind === b[i]!.kind);
}
