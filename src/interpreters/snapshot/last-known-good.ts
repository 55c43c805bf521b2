/**
 * What names were last bound to, and the addresses of that: kept in memory for names that are asked for again while nobody can
 * tell, and in a file for the next process (file.ts). Names that lead nowhere are not kept.
 */
import { hash } from 'node:crypto';
import { type Addr, type BoundId, type Dtab, leaves, type NameTree, type Path } from '../../naming/index.ts';

/** Names that are kept; of more, those that were told longest ago go. */
export const MAX_NAMES = 10_000;

/** A name's last good tree. */
export interface KnownName {
  readonly path: Path;
  readonly dtab: Dtab;
  readonly tree: NameTree<BoundId>;
  /** When it was last known to hold, ms since 1970. */
  readonly at: number;
}

interface Entry {
  path: Path;
  dtab: Dtab;
  tree: NameTree<BoundId>;
  at: number;
  /** Watched now: it holds for as long as there is contact. */
  isHeld: boolean;
}

export class LastKnownGood {
  readonly #maxAgeMs: number;
  readonly #maxNames: number;
  /** The one that was told longest ago first. */
  readonly #names = new Map<string, Entry>();
  readonly #addrs = new Map<string, Addr>();
  readonly #onChange: () => void;

  /** `onChange`: there is something to save. */
  constructor(maxAgeMs: number, onChange: () => void = () => {}, maxNames = MAX_NAMES) {
    this.#maxAgeMs = maxAgeMs;
    this.#onChange = onChange;
    this.#maxNames = maxNames;
  }

  get size(): number {
    return this.#names.size;
  }

  /** What the name was bound to when that was last known; undefined if it never was, or too long ago. */
  tree(dtab: Dtab, path: Path): KnownName | undefined {
    const entry = this.#names.get(keyOf(dtab, path));
    return entry !== undefined && this.#isFresh(entry) ? entry : undefined;
  }

  addr(id: Path): Addr | undefined {
    return this.#addrs.get(id.show());
  }

  /** It holds now, and until `release`, while there is contact. */
  rememberTree(dtab: Dtab, path: Path, tree: NameTree<BoundId>): void {
    const key = keyOf(dtab, path);
    const known = this.#names.delete(key);
    if (leaves(tree).next().done !== true) {
      this.#names.set(key, { path, dtab, tree, at: Date.now(), isHeld: true });
      if (this.#names.size > this.#maxNames) this.#evict();
    } else if (!known) {
      return;
    }
    this.#onChange();
  }

  /** The name is no longer watched: it grows old, from now on if there is contact. */
  release(dtab: Dtab, path: Path, hasContact: boolean): void {
    const entry = this.#names.get(keyOf(dtab, path));
    if (entry === undefined) return;
    if (entry.isHeld && hasContact) entry.at = Date.now();
    entry.isHeld = false;
  }

  /** Nothing is known of it where it has no addresses; what fails or isn't known yet leaves what was known. */
  rememberAddr(id: Path, addr: Addr): void {
    if (addr.state === 'pending' || addr.state === 'failed') return;
    if (addr.state === 'bound' && addr.endpoints.length > 0) this.#addrs.set(id.show(), addr);
    else this.#addrs.delete(id.show());
    this.#onChange();
  }

  /** Contact, or its last moment: what is watched holds now. */
  confirm(now = Date.now()): void {
    for (const entry of this.#names.values()) if (entry.isHeld) entry.at = now;
  }

  /** Takes over what another process knew; nothing that is known already is replaced. */
  restore(names: readonly KnownName[], addrs: ReadonlyMap<string, Addr>): void {
    for (const { path, dtab, tree, at } of names) {
      const key = keyOf(dtab, path);
      if (!this.#names.has(key)) this.#names.set(key, { path, dtab, tree, at, isHeld: false });
    }
    for (const [id, addr] of addrs) if (!this.#addrs.has(id)) this.#addrs.set(id, addr);
  }

  /** All that is fresh enough, with the addresses that belong to it; what is not is forgotten. */
  all(): { names: KnownName[]; addrs: Map<string, Addr> } {
    const names: KnownName[] = [];
    const used = new Map<string, Addr>();
    for (const [key, entry] of this.#names) {
      if (!this.#isFresh(entry)) {
        this.#names.delete(key);
        continue;
      }
      names.push({ ...entry });
      for (const { id } of leaves(entry.tree)) {
        const addr = this.#addrs.get(id.show());
        if (addr !== undefined) used.set(id.show(), addr);
      }
    }
    for (const id of [...this.#addrs.keys()]) if (!used.has(id)) this.#addrs.delete(id);
    return { names, addrs: used };
  }

  #isFresh({ at }: Entry): boolean {
    return Date.now() - at < this.#maxAgeMs;
  }

  #evict(): void {
    for (const [key, { isHeld }] of this.#names) {
      if (isHeld) continue;
      this.#names.delete(key);
      return;
    }
    this.#names.delete(this.#names.keys().next().value as string);
  }
}

const shownHashes = new WeakMap<Dtab, string>();

/** By what the dtab says: one that was put together and one that was read back are the same. */
function keyOf(dtab: Dtab, path: Path): string {
  let shown = shownHashes.get(dtab);
  if (shown === undefined) {
    shown = hash('sha256', dtab.show(), 'base64url');
    shownHashes.set(dtab, shown);
  }
  return `${shown} ${path.show()}`;
}
