/** Dtabs that are gone with the process: for trying things out, and for tests. */
import { defineKind } from '../../src/config/kind.ts';
import { optional } from '../../src/config/kinds.ts';
import * as scalars from '../../src/config/scalars.ts';
import { type Activity, type Live, ok, type Variable, variable } from '../../src/live/index.ts';
import { Dtab } from '../../src/naming/index.ts';
import type { DtabStorage, Version, VersionedDtab, Written } from './storage.ts';
import { counterVersion, sameVersion } from './versions.ts';

export class InMemoryStorage implements DtabStorage {
  readonly #names: Variable<Activity<readonly string[]>> = variable(ok([]));
  readonly #namespaces = new Map<string, Variable<Activity<VersionedDtab | null>>>();
  /** The last version of each namespace, also of one that was deleted: a version never comes back. */
  readonly #counts = new Map<string, number>();

  constructor(namespaces: Readonly<Record<string, Dtab>> = {}) {
    for (const [name, dtab] of Object.entries(namespaces)) this.#write(name, dtab);
  }

  list(): Live<Activity<readonly string[]>> {
    return this.#names;
  }

  observe(namespace: string): Variable<Activity<VersionedDtab | null>> {
    let live = this.#namespaces.get(namespace);
    if (live === undefined) {
      live = variable<Activity<VersionedDtab | null>>(ok(null));
      this.#namespaces.set(namespace, live);
    }
    return live;
  }

  async create(namespace: string, dtab: Dtab): Promise<Written> {
    const current = this.#current(namespace);
    return current === null ? this.#write(namespace, dtab) : { type: 'exists', current: current.version };
  }

  async update(namespace: string, dtab: Dtab, version: Version): Promise<Written> {
    const current = this.#current(namespace);
    if (current === null) return { type: 'missing' };
    if (!sameVersion(current.version, version)) return { type: 'stale', current: current.version };
    return this.#write(namespace, dtab);
  }

  async put(namespace: string, dtab: Dtab): Promise<Written> {
    return this.#write(namespace, dtab);
  }

  async delete(namespace: string): Promise<Written> {
    const current = this.#current(namespace);
    if (current === null) return { type: 'missing' };
    this.observe(namespace).set(ok(null));
    this.#listNames();
    return { type: 'written', version: current.version };
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  #current(namespace: string): VersionedDtab | null {
    return this.#namespaces.get(namespace)?.value.value ?? null;
  }

  #write(namespace: string, dtab: Dtab): Written {
    const count = (this.#counts.get(namespace) ?? 0) + 1;
    this.#counts.set(namespace, count);
    const version = counterVersion(count);
    this.observe(namespace).set(ok({ dtab, version }));
    this.#listNames();
    return { type: 'written', version };
  }

  #listNames(): void {
    const names = [...this.#namespaces].filter(([, live]) => live.value.value != null).map(([name]) => name);
    this.#names.set(ok(names.sort()));
  }
}

export const inMemory = defineKind({
  kind: 'io.l5d.inMemory',
  thread: 'control',
  summary: 'Keeps dtabs in memory: they are gone with the process.',
  config: (z) =>
    z.strictObject({
      namespaces: optional(z.record(z.string(), scalars.dtab(z)), 'Dtabs by namespace, to begin with.', {}),
    }),
  create: ({ namespaces = {} }) =>
    new InMemoryStorage(
      Object.fromEntries(Object.entries(namespaces).map(([name, dtab]) => [name, Dtab.parse(String(dtab))])),
    ),
});
