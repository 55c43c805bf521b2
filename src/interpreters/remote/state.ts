/** `/<router>/interpreter_state/<kind>/<namespace>.json`: what is watched on which namerd (reference/admin-http.md section 5). */
import { type Addr, type BoundId, type Dtab, map, type NameTree, type Path, showTree } from '../../naming/index.ts';
import type { SnapshotFile } from '../snapshot/file.ts';
import type { Namerds } from './namerds.ts';

/** What is known of one watch. Times in ms since 1970. */
export interface WatchState<T> {
  readonly startedAt: number;
  /** The namerd that it is on; null while it is on none. */
  address: () => string | null;
  requestedAt?: number;
  value?: T;
  toldAt?: number;
  /** The value is what was known last, taken because namerd did not answer by then. */
  recalledAt?: number;
  error?: string;
}

export function newState<T>(): WatchState<T> {
  return { startedAt: Date.now(), address: () => null };
}

/** namerd has told a value. */
export function tell<T>(state: WatchState<T>, value: T): void {
  state.value = value;
  state.toldAt = Date.now();
  delete state.error;
  delete state.recalledAt;
}

/** A name that is watched. */
export interface WatchedName {
  readonly dtab: Dtab;
  readonly path: Path;
  readonly state: WatchState<NameTree<BoundId>>;
}

interface RemoteSources {
  readonly namerds: Namerds;
  readonly names: Iterable<WatchedName>;
  readonly ids: ReadonlyMap<string, WatchState<Addr>>;
  readonly snapshot: SnapshotFile | null;
  /** Names that are known, watched or not. */
  readonly known: number;
}

export function remoteState({ namerds, names, ids, snapshot, known }: RemoteSources): unknown {
  const bind: Record<string, Record<string, unknown>> = {};
  for (const { path, dtab, state } of names) {
    const shown = watchJson(state, (tree) => showTree(map(tree, ({ id, residual }) => id.concat(residual))));
    bind[path.show()] = { ...bind[path.show()], [dtab.show()]: shown };
  }
  const resolve = Object.fromEntries(Array.from(ids, ([id, state]) => [id, watchJson(state, (addr) => addr)]));
  const { contactAt, isUp } = namerds;
  return {
    connected: isUp,
    ...(isUp || contactAt === null ? {} : { lastContactAt: time(contactAt) }),
    namerds: namerds.state(),
    snapshot: snapshot === null ? null : snapshotJson(snapshot, known),
    bind,
    resolve,
  };
}

function snapshotJson({ path, savedAt, isFailing }: SnapshotFile, names: number): unknown {
  return { file: path, names, savedAt: savedAt === null ? null : time(savedAt), writable: !isFailing };
}

function watchJson<T>(watch: WatchState<T>, show: (value: T) => unknown): unknown {
  const { startedAt, address, requestedAt, value, toldAt, recalledAt, error } = watch;
  const namerd = address();
  return {
    state: {
      running: true,
      lastStartedAt: time(startedAt),
      ...(toldAt === undefined ? {} : { lastUpdatedAt: time(toldAt) }),
      ...(value === undefined ? {} : { value: show(value) }),
      ...(recalledAt === undefined ? {} : { takenFromSnapshotAt: time(recalledAt) }),
    },
    watch: {
      ...(namerd === null ? {} : { namerd }),
      ...(requestedAt === undefined ? {} : { lastRequestAt: time(requestedAt) }),
      ...(toldAt === undefined ? {} : { lastResponseAt: time(toldAt) }),
      ...(error === undefined ? {} : { error }),
      streaming: namerd !== null,
    },
  };
}

/** As the original writes times there: `2026-11-21 05:53:44 +0000`. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000`;
}
