/** Dtabs that are gone with the process: for trying things out, and for tests. */
import { defineKind, type Z } from '../../src/config/kind.ts';
import { optional, unlessWrong } from '../../src/config/kinds.ts';
import * as scalars from '../../src/config/scalars.ts';
import type { Activity, Live } from '../../src/live/index.ts';
import { Dtab } from '../../src/naming/index.ts';
import { badNamespaceName } from '../namespace-name.ts';
import type { Change, DtabStorage, HistoryEntry, Version, VersionedDtab, Written } from './storage.ts';
import { NamespaceTable } from './table.ts';
import { counterVersion, sameVersion } from './versions.ts';

/** Past states that are kept of each namespace. */
const HISTORY_ENTRIES = 100;
/** Namespaces that were deleted whose past is kept; of older ones only that their versions never come back. */
const DELETED_NAMESPACES = 1_000;

/** What a namespace was. */
interface Past {
  /** The number of the last version. */
  count: number;
  /** Oldest first. */
  readonly entries: HistoryEntry[];
}

export class InMemoryStorage implements DtabStorage {
  readonly #table = new NamespaceTable();
  /** Those of deleted namespaces in the order of their deletion. */
  readonly #pasts = new Map<string, Past>();
  #deleted = 0;
  /** No namespace of which nothing is known has had a version above this one. */
  #forgottenCount = 0;

  constructor(namespaces: Readonly<Record<string, Dtab>> = {}) {
    for (const [name, dtab] of Object.entries(namespaces)) this.#write(name, dtab, { message: 'from the config' });
    this.#table.loaded();
  }

  list(): Live<Activity<readonly string[]>> {
    return this.#table.names;
  }

  observe(namespace: string): Live<Activity<VersionedDtab | null>> {
    return this.#table.observe(namespace);
  }

  async create(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    const current = this.#table.get(namespace);
    return current === undefined ? this.#write(namespace, dtab, change) : { type: 'exists', current: current.version };
  }

  async update(namespace: string, dtab: Dtab, version: Version, change: Change): Promise<Written> {
    const current = this.#table.get(namespace);
    if (current === undefined) return { type: 'missing' };
    if (!sameVersion(current.version, version)) return { type: 'stale', current: current.version };
    return this.#write(namespace, dtab, change);
  }

  async put(namespace: string, dtab: Dtab, change: Change): Promise<Written> {
    return this.#write(namespace, dtab, change);
  }

  async delete(namespace: string, change: Change): Promise<Written> {
    return this.#table.get(namespace) === undefined ? { type: 'missing' } : this.#write(namespace, null, change);
  }

  async history(namespace: string, limit: number): Promise<readonly HistoryEntry[]> {
    return (this.#pasts.get(namespace)?.entries ?? []).slice(-limit).reverse();
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  #write(namespace: string, dtab: Dtab | null, change: Change): Written {
    const reason = badNamespaceName(namespace);
    if (reason !== undefined) return { type: 'badName', reason };
    const version = this.#remember(namespace, dtab, change);
    if (dtab === null) this.#table.remove(namespace);
    else this.#table.set(namespace, { dtab, version });
    return { type: 'written', version };
  }

  #remember(namespace: string, dtab: Dtab | null, change: Change): Version {
    const past = this.#pasts.get(namespace) ?? { count: this.#forgottenCount, entries: [] };
    const version = counterVersion(++past.count);
    if (past.entries.at(-1)?.dtab === null) this.#deleted--;
    past.entries.push({ version, at: Date.now(), dtab, change });
    if (past.entries.length > HISTORY_ENTRIES) past.entries.shift();
    this.#pasts.set(namespace, past);
    if (dtab === null) this.#retire(namespace, past);
    return version;
  }

  /** A deleted namespace becomes the last to be forgotten. */
  #retire(namespace: string, past: Past): void {
    this.#pasts.delete(namespace);
    this.#pasts.set(namespace, past);
    if (++this.#deleted <= DELETED_NAMESPACES) return;
    for (const [name, { count, entries }] of this.#pasts) {
      if (entries.at(-1)?.dtab !== null) continue;
      this.#pasts.delete(name);
      this.#deleted--;
      this.#forgottenCount = Math.max(this.#forgottenCount, count);
      break;
    }
  }
}

function namespacesSchema(z: Z) {
  return z.record(z.string(), scalars.dtab(z)).superRefine((namespaces, context) => {
    for (const name of Object.keys(namespaces)) {
      const problem = badNamespaceName(name);
      if (problem === undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: `not a name for a namespace: ${problem}` });
    }
  }, unlessWrong());
}

export const inMemory = defineKind({
  kind: 'io.l5d.inMemory',
  thread: 'control',
  summary: 'Keeps dtabs in memory: they are gone with the process.',
  config: (z) =>
    z.strictObject({
      namespaces: optional(namespacesSchema(z), 'Dtabs by namespace, to begin with.', {}),
    }),
  create: ({ namespaces = {} }) =>
    new InMemoryStorage(
      Object.fromEntries(Object.entries(namespaces).map(([name, dtab]) => [name, Dtab.parse(String(dtab))])),
    ),
});
