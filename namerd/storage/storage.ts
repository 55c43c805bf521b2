/**
 * Where dtabs are kept, by namespace. Everything else of namerd reads them as live values and writes them through this one
 * interface; test/namerd/storage has the suite that every kind passes.
 */
import type { Activity, Live } from '../../src/live/index.ts';
import type { Dtab } from '../../src/naming/index.ts';
import type { Log } from '../../src/port/log.ts';

/** Opaque bytes that change with every write to a namespace; what an ETag is the base64 of. */
export type Version = Uint8Array;

export interface VersionedDtab {
  readonly dtab: Dtab;
  readonly version: Version;
}

/** Who changed a namespace, and why. */
export interface Change {
  /** A name; `verified` says that authentication vouches for it. */
  readonly author?: { readonly name: string; readonly verified: boolean } | undefined;
  readonly message?: string | undefined;
}

/** How a write ended. Expected failures are values: each interface has an answer of its own for each of them. */
export type Written =
  | { readonly type: 'written'; readonly version: Version }
  /** create: there is one by that name. */
  | { readonly type: 'exists'; readonly current: Version }
  /** update, delete: there is none. */
  | { readonly type: 'missing' }
  /** update: somebody else wrote since; `current` is what they left. */
  | { readonly type: 'stale'; readonly current: Version }
  /** The storage can't keep a namespace of that name. */
  | { readonly type: 'badName'; readonly reason: string }
  /** The backend is away, or refuses: nothing was written, as far as can be known. */
  | { readonly type: 'unavailable'; readonly reason: string };

/** One past state of a namespace. */
export interface HistoryEntry {
  readonly version: Version;
  /** When it was written, ms since 1970. */
  readonly at: number;
  /** Null: the namespace was deleted. */
  readonly dtab: Dtab | null;
  readonly change: Change;
}

/** What storages are created with. */
export interface StorageContext {
  /** Its lines say the kind. */
  readonly log: Log;
}

/** Small texts that the namerds of one storage leave for each other, each under a name of its own. They are no dtabs. */
export interface Notices {
  /** All there are, by name. Rejects when the backend is away. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Replaces the one of that name. `name`: letters, digits and `-`. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface DtabStorage {
  /** The namespaces, sorted. */
  list(): Live<Activity<readonly string[]>>;
  /**
   * The dtab of a namespace; null while there is no such namespace. A backend that is away makes the activity `failed` with the
   * last known value kept; a good table is never replaced because of a failure. The same namespace gives the same live value.
   */
  observe(namespace: string): Live<Activity<VersionedDtab | null>>;
  create(namespace: string, dtab: Dtab, change: Change): Promise<Written>;
  /** Only if the namespace is still at `version`. */
  update(namespace: string, dtab: Dtab, version: Version, change: Change): Promise<Written>;
  /** Creates or overwrites, whatever is there. */
  put(namespace: string, dtab: Dtab, change: Change): Promise<Written>;
  delete(namespace: string, change: Change): Promise<Written>;
  /** Newest first, at most `limit`; absent where the storage does not keep the past. */
  history?(namespace: string, limit: number): Promise<readonly HistoryEntry[]>;
  /** Absent where there is nobody to leave them for: no other namerd, nor this one after a restart. */
  readonly notices?: Notices;
  /** Plain JSON about its watches and its backend, for the admin pages. */
  state?(): unknown;
  /** Opens files or connections; rejects when that can't work (a folder that may not be written to), never because a server is away. */
  start(): Promise<void>;
  close(): Promise<void>;
}
