/** What one namerd saw, as a text that it leaves for the others, and what several of them come to. */

/** A Signpost's router, as last seen. */
export interface Entry {
  readonly name: string;
  readonly router: string;
  readonly namespace: string;
  /** When this became so, ms since 1970. */
  readonly at: number;
  /** `left`: it said that it was going. */
  readonly state: 'serving' | 'idle' | 'old' | 'disconnected' | 'left';
  /** As an ETag. */
  readonly version: string | null;
  readonly waiting: readonly string[];
}

export interface Notice {
  /** When its namerd was last known to live, ms since 1970. */
  readonly at: number;
  readonly seen: readonly Entry[];
}

/** Who was seen longer ago than this does not count any more, ms. */
export const SEEN_FOR_MS = 3_600_000;
/** A namerd that has not told for so long that it lives has gone, ms: with whom it was connected it is no more. */
const STALE_MS = 20_000;
const STATES: ReadonlySet<unknown> = new Set<Entry['state']>(['serving', 'idle', 'old', 'disconnected', 'left']);

export function sameSignpost({ name, router, namespace }: Entry): string {
  return JSON.stringify([name, router, namespace]);
}

/** Consul takes no value above 512 KB, etcd none above 1.5 MB. */
const MAX_TEXT_BYTES = 400_000;

/** A notice as text; one that is too large for a storage is told without what is waited for, and then without those that have gone. */
export function noticeText({ at, seen }: Notice): string {
  const variants = [
    () => seen,
    () => seen.map((entry) => ({ ...entry, waiting: [] })),
    () => seen.filter(isConnected).map((entry) => ({ ...entry, waiting: [] })),
  ];
  for (const variant of variants) {
    const text = JSON.stringify({ at, seen: variant() });
    if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  }
  throw new Error(`${seen.length} Signposts are too many for one notice`);
}

/** That a namerd lives: a text of its own, since a notice is long, and etcd keeps each one until it is compacted. */
export function beatText(at: number): string {
  return JSON.stringify({ at });
}

/** Of the writer of notice `id`. */
export function beatId(id: string): string {
  return `${id}-beat`;
}

/** The notices among the texts that namerds have left, by id, and ids of what says nothing any more. */
export function readNotices(
  texts: ReadonlyMap<string, string>,
  now: number,
): { readonly notices: Map<string, Notice>; readonly outdated: readonly string[] } {
  const notices = new Map<string, Notice>();
  const outdated: string[] = [];
  for (const [id, text] of texts) {
    const at = timeOf(text);
    if (at === undefined || now - at > SEEN_FOR_MS) outdated.push(id);
    const notice = parseNotice(text);
    if (notice === undefined) continue;
    const beatAt = timeOf(texts.get(beatId(id)) ?? '');
    notices.set(id, beatAt === undefined || beatAt < notice.at ? notice : { ...notice, at: beatAt });
  }
  // A notice lives as long as its namerd.
  return { notices, outdated: outdated.filter((id) => now - (notices.get(id)?.at ?? 0) > SEEN_FOR_MS) };
}

/** Of a notice or of a beat; undefined where the text is neither. */
function timeOf(text: string): number | undefined {
  try {
    const { at } = JSON.parse(text) as { at?: unknown };
    return typeof at === 'number' ? at : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the text is no notice. Others wrote it, so nothing in it is taken for granted. */
export function parseNotice(text: string): Notice | undefined {
  try {
    const { at, seen } = JSON.parse(text) as { at: unknown; seen: unknown };
    if (typeof at !== 'number' || !Array.isArray(seen)) return undefined;
    return { at, seen: seen.filter(isEntry) };
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, router, namespace, at, state, version, waiting } = value as Record<string, unknown>;
  return (
    [name, router, namespace].every((text) => typeof text === 'string') &&
    typeof at === 'number' &&
    STATES.has(state) &&
    (version === null || typeof version === 'string') &&
    Array.isArray(waiting) &&
    waiting.every((line) => typeof line === 'string')
  );
}

/** A namerd may notice so late, ms, that it lost a Signpost which is connected to another by then. */
const LATE_MS = 30_000;

/** The newest that is known of each Signpost. */
export function mergeNotices(notices: readonly Notice[], now: number): Entry[] {
  const newest = new Map<string, Entry>();
  for (const { at: writtenAt, seen } of notices) {
    const isStale = now - writtenAt > STALE_MS;
    for (const told of seen) {
      const isGone = isStale && isConnected(told);
      const entry: Entry = isGone ? { ...told, state: 'disconnected', at: writtenAt } : told;
      if (!isConnected(entry) && now - entry.at > SEEN_FOR_MS) continue;
      const key = sameSignpost(entry);
      const known = newest.get(key);
      if (known === undefined || isNewer(entry, known)) newest.set(key, entry);
    }
  }
  return [...newest.values()];
}

function isNewer(entry: Entry, known: Entry): boolean {
  return since(entry) > since(known);
}

function since({ state, at }: Entry): number {
  return state === 'disconnected' ? at - LATE_MS : at;
}

function isConnected({ state }: Entry): boolean {
  return state !== 'disconnected' && state !== 'left';
}
