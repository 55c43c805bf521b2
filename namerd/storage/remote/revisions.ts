/**
 * What a server that numbers its writes has told of its namespaces. It comes by several ways (answers to own writes, a watch,
 * a listing of all), in any order; a number that is not above the one that is known is no news.
 */
import { Dtab } from '../../../src/naming/index.ts';
import type { Log } from '../../../src/port/log.ts';
import type { Version } from '../storage.ts';
import type { NamespaceTable } from '../table.ts';

/** A namespace in a listing. */
export interface Listed {
  readonly name: string;
  readonly text: string;
  readonly revision: number;
}

export class RevisionedTable {
  readonly #table: NamespaceTable;
  readonly #versionOf: (revision: number) => Version;
  readonly #log: Log;
  /** What a namespace must be above to be news; also of those that were deleted, until nothing older can arrive. */
  readonly #known = new Map<string, number>();

  constructor(table: NamespaceTable, versionOf: (revision: number) => Version, log: Log) {
    this.#table = table;
    this.#versionOf = versionOf;
    this.#log = log;
  }

  /** It was written; a text is of somebody else and may be anything. */
  put(name: string, written: Dtab | string, revision: number): void {
    if (revision <= (this.#known.get(name) ?? -1)) return;
    this.#known.set(name, revision);
    try {
      const dtab = typeof written === 'string' ? Dtab.parse(written) : written;
      this.#table.set(name, { dtab, version: this.#versionOf(revision) });
    } catch (error) {
      const problem = `what is stored is no dtab: ${(error as Error).message}`;
      this.#log.error({ namespace: name, reason: problem }, 'a namespace can not be read; its last good dtab stays');
      this.#table.markUnreadable(name, new Error(problem));
    }
  }

  /** It was deleted; what is not above this revision was there before. `isInOrder`: nothing older can come any more. */
  remove(name: string, revision: number, { isInOrder = false } = {}): void {
    const known = this.#known.get(name) ?? -1;
    if (revision < known) return;
    this.#table.remove(name);
    if (isInOrder) this.#known.delete(name);
    else this.#known.set(name, revision);
  }

  /** All that there was at a revision; own writes may be further on. */
  replaceAll(listed: readonly Listed[], revision: number): void {
    const names = new Set(listed.map(({ name }) => name));
    for (const [name, known] of this.#known) {
      if (names.has(name) || known > revision) continue;
      this.#table.remove(name);
      this.#known.delete(name);
    }
    for (const { name, text, revision: own } of listed) this.put(name, text, own);
  }

  /** The server counts anew: what is listed next replaces all, whatever its numbers. */
  forgetRevisions(): void {
    for (const name of this.#known.keys()) this.#known.set(name, -1);
  }
}
