/**
 * One inotify handle per directory, shared by everything that is watched in it.
 *
 * A directory and not its files is watched, because a file's own handle follows the inode: it goes blind when another
 * file is renamed over the name. For the same reason a directory's handle is dropped as soon as the name of the directory
 * stands for another inode.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';

/** A name in a directory to be told about; no name means every name that comes or goes (not what is written into them). */
export interface WatchPoint {
  /** Without symbolic links. */
  readonly directory: string;
  /** Device and inode of the directory when it was looked up. */
  readonly identity: string;
  readonly name?: string;
}

interface DirectoryWatch {
  readonly identity: string;
  /** Missing when the system refused one (inotify limits, file systems without events): then only the poll sees changes. */
  handle?: FSWatcher;
  /** By name; the empty string, which no file can have, stands for every name. */
  readonly listeners: Map<string, Set<() => void>>;
}

const EVERY_NAME = '';
const watches = new Map<string, DirectoryWatch>();

/** How many directories are watched, and how many of them without events of the operating system. */
export function watchedDirectories(): { directories: number; withoutEvents: number } {
  let withoutEvents = 0;
  for (const each of watches.values()) if (each.handle === undefined) withoutEvents++;
  return { directories: watches.size, withoutEvents };
}

/** Calls `listener` after something happened to the name; tells nothing about what. Returns what ends it. */
export function onDirectoryEvent(point: WatchPoint, listener: () => void): () => void {
  let current = watches.get(point.directory);
  if (current !== undefined && current.identity !== point.identity) {
    abandon(point.directory, current);
    current = undefined;
  }
  const watched = current ?? open(point);
  const name = point.name ?? EVERY_NAME;
  let forName = watched.listeners.get(name);
  if (forName === undefined) {
    forName = new Set();
    watched.listeners.set(name, forName);
  }
  // Wrapped, so that one listener may be registered twice and released once.
  const registered = () => listener();
  forName.add(registered);
  return () => {
    const set = watched.listeners.get(name);
    if (set === undefined || !set.delete(registered)) return;
    if (set.size === 0) watched.listeners.delete(name);
    if (watched.listeners.size === 0) close(point.directory, watched);
  };
}

function open(point: WatchPoint): DirectoryWatch {
  const { directory } = point;
  const watched: DirectoryWatch = { identity: point.identity, listeners: new Map() };
  watches.set(directory, watched);
  try {
    const handle = watch(directory, { persistent: false }, (event, name) => {
      // The kernel reports the end or the move of the directory itself under the directory's own name.
      if (name === null || name === basename(directory)) abandon(directory, watched);
      else notify(watched, name, event === 'rename');
    });
    handle.on('error', () => abandon(directory, watched));
    watched.handle = handle;
  } catch {
    // The directory vanished meanwhile, or no handle is left: the poll goes on looking.
  }
  return watched;
}

function notify(watched: DirectoryWatch, name: string, cameOrWent: boolean): void {
  const told = cameOrWent ? [name, EVERY_NAME] : [name];
  for (const key of told) for (const listener of [...(watched.listeners.get(key) ?? [])]) listener();
}

/** The handle may be blind from now on: its listeners look again, and whoever still needs the directory opens a new one. */
function abandon(directory: string, watched: DirectoryWatch): void {
  close(directory, watched);
  for (const set of [...watched.listeners.values()]) for (const listener of [...set]) listener();
}

function close(directory: string, watched: DirectoryWatch): void {
  watched.handle?.close();
  delete watched.handle;
  if (watches.get(directory) === watched) watches.delete(directory);
}
