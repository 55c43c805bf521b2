/**
 * What a storage knows of its namespaces, as live values: the newest dtab of each, and whether the backend still answers. Every
 * kind keeps one and tells it what it learns. The last good state stays, whatever fails.
 */
import { type Activity, derive, failed, type Live, ok, pending, Variables, variable } from '../../src/live/index.ts';
import type { VersionedDtab } from './storage.ts';

type Backend = { readonly phase: 'pending' } | { readonly phase: 'ok' } | Failure;
type Failure = { readonly phase: 'failed'; readonly error: Error; readonly since: number };

export class NamespaceTable {
  readonly #good = new Map<string, VersionedDtab>();
  /** Namespaces whose newest text can't be read, and why. */
  readonly #unreadable = new Map<string, Failure>();
  readonly #observed: Variables<Activity<VersionedDtab | null>>;
  readonly #backend = variable<Backend>({ phase: 'pending' });
  /** Counts the changes of the set of names. */
  readonly #changes = variable(0);
  #isLoaded = false;

  /** The namespaces, sorted. */
  readonly names: Live<Activity<readonly string[]>>;

  /** `lingerMs`: how long a name that is not there is remembered after its last reader; default: that of live sources. */
  constructor(lingerMs?: number) {
    this.#observed = new Variables((name) => this.#activity(name), lingerMs);
    const listed = derive(() => {
      void this.#changes.value;
      return [...new Set([...this.#good.keys(), ...this.#unreadable.keys()])].sort();
    });
    this.names = derive(() => {
      const backend = this.#backend.value;
      // Read before the table is loaded, it would be taken for the whole.
      return under(backend, this.#isLoaded ? ok(listed.value) : pending());
    });
  }

  /** Since when the backend has been away, ms since 1970, and why; null while it answers or hasn't been asked. */
  get failure(): { readonly error: Error; readonly since: number } | null {
    const backend = this.#backend.value;
    return backend.phase === 'failed' ? backend : null;
  }

  /** Why the newest text of a namespace can't be read, by name: for state pages. */
  get problems(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#unreadable].map(([name, { error }]) => [name, error.message]));
  }

  observe(name: string): Live<Activity<VersionedDtab | null>> {
    return this.#observed.get(name);
  }

  /** The last good state. */
  get(name: string): VersionedDtab | undefined {
    return this.#good.get(name);
  }

  set(name: string, dtab: VersionedDtab): void {
    this.#change(name, () => {
      this.#good.set(name, dtab);
      this.#unreadable.delete(name);
    });
  }

  remove(name: string): void {
    this.#change(name, () => {
      this.#good.delete(name);
      this.#unreadable.delete(name);
    });
  }

  /** The namespace is there, but its text is no dtab: the last good one stays. */
  markUnreadable(name: string, error: Error): void {
    this.#change(name, () => this.#unreadable.set(name, { phase: 'failed', error, since: Date.now() }));
  }

  /** Says that all namespaces have been read, and that the backend answers. */
  loaded(): void {
    this.#isLoaded = true;
    this.#turn({ phase: 'ok' });
  }

  /** The backend is away, or answers what can't be used: what was last known stays. */
  fail(error: Error): void {
    const now = this.#backend.value;
    if (now.phase === 'failed' && now.error.message === error.message) return;
    this.#turn({ phase: 'failed', error, since: now.phase === 'failed' ? now.since : Date.now() });
  }

  #turn(backend: Backend): void {
    const before = this.#backend.value;
    if (before.phase === 'ok' && backend.phase === 'ok') return;
    this.#backend.set(backend);
    for (const name of new Set([...this.#good.keys(), ...this.#unreadable.keys()])) {
      this.#observed.set(name, this.#activity(name));
    }
    this.#observed.refreshUnset();
  }

  #change(name: string, apply: () => void): void {
    const wasThere = this.#isThere(name);
    apply();
    const isThere = this.#isThere(name);
    if (isThere) this.#observed.set(name, this.#activity(name));
    else this.#observed.unset(name);
    if (wasThere !== isThere) this.#changes.set(this.#changes.value + 1);
  }

  #isThere(name: string): boolean {
    return this.#good.has(name) || this.#unreadable.has(name);
  }

  #activity(name: string): Activity<VersionedDtab | null> {
    return under(this.#backend.value, this.#own(name));
  }

  #own(name: string): Activity<VersionedDtab | null> {
    const good = this.#good.get(name);
    const known: Activity<VersionedDtab | null> | undefined = good && ok(good);
    const problem = this.#unreadable.get(name);
    if (problem !== undefined) return failed(problem.error, known, problem.since);
    return known ?? (this.#isLoaded ? ok(null) : pending());
  }
}

/** A value is as failed as the backend that it comes from. */
function under<T>(backend: Backend, activity: Activity<T>): Activity<T> {
  return backend.phase === 'failed' && activity.phase !== 'failed'
    ? failed(backend.error, activity, backend.since)
    : activity;
}
