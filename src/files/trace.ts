/**
 * Follows a path from the root, link by link, and says which names in which directories decide what the path stands for.
 *
 * Kubernetes mounts a config map as `web -> ..data/web`, `..data -> ..2026_01_01/`, and updates it by renaming another
 * link over `..data`: nothing happens to `web`, so every link on the way has to be watched.
 */
import { lstat, readlink } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';
import type { WatchPoint } from './directory-events.ts';

/** As Linux does (path_resolution(7)). */
const MAX_LINKS = 40;

export interface Trace {
  /** In order; the last one is the name of the file itself, or the first name that is missing. */
  readonly points: readonly WatchPoint[];
  /** Set when the path stands for a directory: what to watch to hear of its entries. */
  readonly directory?: WatchPoint;
}

/** Rejects with the system's error when a directory can't be searched, and with ELOOP. */
export async function trace(path: string): Promise<Trace> {
  const absolute = resolve(path);
  const root = parse(absolute).root;
  const points: WatchPoint[] = [];
  const ancestors: { directory: string; identity: string }[] = [];
  let here = { directory: root, identity: 'root' };
  let rest = split(absolute.slice(root.length));
  let links = 0;

  while (rest.length > 0) {
    const [name, ...after] = rest as [string, ...string[]];
    rest = after;
    if (name === '..') {
      here = ancestors.pop() ?? here;
      continue;
    }
    const full = join(here.directory, name);
    const point: WatchPoint = { ...here, name };
    const found = await look(full);
    if (found === undefined) return { points: [...points, point] };
    if (found.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw Object.assign(new Error(`too many symbolic links: ${path}`), { code: 'ELOOP' });
      points.push(point);
      const target = await readlink(full).catch(() => undefined);
      if (target === undefined) return { points };
      const targetRoot = parse(target).root;
      if (targetRoot !== '') {
        ancestors.length = 0;
        here = { directory: targetRoot, identity: 'root' };
      }
      rest = [...split(target.slice(targetRoot.length)), ...rest];
    } else if (found.isDirectory()) {
      if (rest.length === 0) points.push(point);
      ancestors.push(here);
      here = { directory: full, identity: `${found.dev}:${found.ino}` };
    } else {
      // A file in the place of a directory is as good as nothing: the names after it can't exist.
      return { points: [...points, point] };
    }
  }
  return { points, directory: here };
}

export function samePoints(a: readonly WatchPoint[], b: readonly WatchPoint[]): boolean {
  return (
    a.length === b.length &&
    a.every((each, i) => {
      const other = b[i]!;
      return each.directory === other.directory && each.name === other.name && each.identity === other.identity;
    })
  );
}

async function look(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The name does not exist, or can't, as against "can't be looked at". */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

function split(path: string): string[] {
  return path.split(sep).filter((name) => name !== '' && name !== '.');
}
