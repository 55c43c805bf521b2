/**
 * What is odd about a dtab that parses: entries that lead in circles, to namers that do not exist, or nowhere; that others keep
 * from being used; weights that are never drawn. Nothing is looked up: it is the dtab alone that is judged.
 */

import type { Dentry, Dtab } from './dtab.ts';
import { DentryLoops } from './dtab-loops.ts';
import { leaves, type NameTree } from './name-tree.ts';
import type { Path } from './path.ts';
import { PrefixIndex } from './prefix-index.ts';
import { utilityNames } from './utility/index.ts';

export interface LintFinding {
  readonly kind: 'loop' | 'unknownNamer' | 'dead' | 'shadowed' | 'zeroWeight';
  /** A note says how the dtab works, where a warning says that it hardly works as meant. */
  readonly severity: 'warning' | 'note';
  /** The position of the entry in the dtab, from 0. */
  readonly entry: number;
  readonly dentry: Dentry;
  /** What is wrong with the entry, in words that follow its text. */
  readonly message: string;
}

export interface LintOptions {
  /** The prefixes of the namers that there are, without `/#`: `/io.l5d.fs`. Left out: unknown, so that none is missed. */
  readonly namers?: readonly Path[] | undefined;
}

/** Steps of a circle that a message shows. */
const MAX_SHOWN = 10;

/** In the order of the entries. */
export function lintDtab(dtab: Dtab, options: LintOptions = {}): LintFinding[] {
  const lint = new Lint(dtab, options);
  return lint.findings().sort((a, b) => a.entry - b.entry);
}

/** For people: `entry 2 (/b => /a): ...`. */
export function showFinding({ entry, dentry, message }: LintFinding): string {
  return `entry ${entry + 1} (${shownEntry(dentry)}): ${message}`;
}

class Lint {
  readonly #dtab: Dtab;
  readonly #namers: readonly Path[] | undefined;
  readonly #prefixes: PrefixIndex;
  /** The last entry of each prefix that decides whatever it matches, and where they stand in the dtab. */
  readonly #deciding: { readonly index: PrefixIndex; readonly positions: readonly number[] };
  /** The next entry with the same prefix, by position. */
  readonly #next: ReadonlyMap<number, number>;

  constructor(dtab: Dtab, { namers }: LintOptions) {
    const { entries } = dtab;
    this.#dtab = dtab;
    this.#namers = namers;
    this.#prefixes = new PrefixIndex(entries.map(({ prefix }) => prefix.elements));
    const last = new Map<string, number>();
    const deciding = new Map<string, number>();
    const next = new Map<number, number>();
    for (const [position, { prefix, tree }] of entries.entries()) {
      const shown = prefix.show();
      const before = last.get(shown);
      if (before !== undefined) next.set(before, position);
      last.set(shown, position);
      if (alwaysDecides(tree)) deciding.set(shown, position);
    }
    const positions = [...deciding.values()];
    const index = new PrefixIndex(positions.map((position) => entries[position]!.prefix.elements));
    this.#deciding = { index, positions };
    this.#next = next;
  }

  findings(): LintFinding[] {
    const { entries } = this.#dtab;
    const ofEntries = entries.flatMap((dentry, entry) => [
      ...this.#unknownNamers(dentry, entry),
      ...this.#dead(dentry, entry),
      ...this.#shadowed(dentry, entry),
      ...zeroWeights(dentry, entry),
    ]);
    const loops = new DentryLoops(this.#dtab).find().map(({ entry, paths }): LintFinding => {
      const steps = paths.map((path) => path.show());
      const circle = steps.length > MAX_SHOWN ? [...steps.slice(0, MAX_SHOWN), '...'] : steps;
      return this.#finding('loop', 'warning', entry, `names go round in circles and fail: ${circle.join(' => ')}`);
    });
    return [...ofEntries, ...loops];
  }

  #finding(kind: LintFinding['kind'], severity: LintFinding['severity'], entry: number, message: string): LintFinding {
    return { kind, severity, entry, dentry: this.#dtab.entries[entry]!, message };
  }

  #unknownNamers({ tree }: Dentry, entry: number): LintFinding[] {
    const unknown = new Set<string>();
    for (const path of leaves(tree)) {
      const namer = this.#unknownNamer(path);
      if (namer !== undefined) unknown.add(namer);
    }
    return [...unknown].map((namer) => this.#finding('unknownNamer', 'warning', entry, `there is no namer ${namer}`));
  }

  #unknownNamer(path: Path): string | undefined {
    const name = path.drop(1);
    if (name.isEmpty) return undefined;
    if (path.at(0) === '$') return utilityNames.has(name.at(0)!) ? undefined : path.take(2).show();
    if (path.at(0) !== '#' || this.#namers === undefined) return undefined;
    // The rest of the name may complete a longer prefix.
    const isKnown = this.#namers.some((prefix) => name.startsWith(prefix) || prefix.startsWith(name));
    return isKnown ? undefined : path.take(2).show();
  }

  /** No leaf can lead anywhere by this dtab alone. */
  #dead({ tree }: Dentry, entry: number): LintFinding[] {
    const targets = [...leaves(tree)];
    if (targets.length === 0 || targets.some((path) => this.#leadsOn(path))) return [];
    const shown = targets.map((path) => path.show()).join(' and ');
    const message = `leads nowhere: no entry of this dtab begins a name like ${shown}`;
    return [this.#finding('dead', 'warning', entry, message)];
  }

  #leadsOn(path: Path): boolean {
    if (path.isEmpty || path.at(0) === '#' || path.at(0) === '$') return true;
    return this.#prefixes.mayMatch(path);
  }

  /** A later entry that matches all that this one does is asked first; this one is for what that leaves unbound. */
  #shadowed({ prefix }: Dentry, entry: number): LintFinding[] {
    const { index, positions } = this.#deciding;
    const deciding = Math.max(...index.covering(prefix.elements).map((covering) => positions[covering]!), -1);
    if (deciding > entry) {
      return [this.#finding('shadowed', 'warning', entry, `is never used: ${this.#named(deciding)} decides before it`)];
    }
    const same = this.#next.get(entry);
    if (same === undefined) return [];
    if (this.#dtab.entries[same]!.show() === this.#dtab.entries[entry]!.show()) {
      return [this.#finding('shadowed', 'warning', entry, `is written again as entry ${same + 1}`)];
    }
    const message = `is used only for names that ${this.#named(same)} leaves unbound`;
    return [this.#finding('shadowed', 'note', entry, message)];
  }

  #named(entry: number): string {
    return `entry ${entry + 1} (${shownEntry(this.#dtab.entries[entry]!)})`;
  }
}

function shownEntry(dentry: Dentry): string {
  return dentry.show().replace('=>', ' => ');
}

function* unions(tree: NameTree<Path>): Generator<Extract<NameTree<Path>, { type: 'union' }>> {
  if (tree.type === 'union') yield tree;
  if (tree.type === 'alt') for (const child of tree.trees) yield* unions(child);
  if (tree.type === 'union') for (const child of tree.trees) yield* unions(child.tree);
}

/** A branch of weight zero is how traffic is shifted away; a union of nothing else can't be meant. */
function zeroWeights(dentry: Dentry, entry: number): LintFinding[] {
  const found: LintFinding[] = [];
  const add = (severity: LintFinding['severity'], message: string) =>
    found.push({ kind: 'zeroWeight', severity, entry, dentry, message });
  for (const { trees } of unions(dentry.tree)) {
    const zeros = trees.filter(({ weight }) => weight === 0).length;
    if (zeros === trees.length) add('warning', 'all weights of a union are zero: no branch can be drawn by them');
    else if (zeros > 0) add('note', `${zeros} of ${trees.length} branches have the weight zero and are never drawn`);
  }
  return found;
}

/** Whether a tree is never negative, so that no alternative is tried after it. */
function alwaysDecides(tree: NameTree<Path>): boolean {
  switch (tree.type) {
    case 'empty':
    case 'fail':
      return true;
    case 'leaf':
      return isDeciding(tree.value);
    case 'alt':
      return tree.trees.some(alwaysDecides);
    case 'union':
      return tree.trees.length > 0 && tree.trees.every(({ tree: child }) => alwaysDecides(child));
    case 'neg':
      return false;
  }
}

/** A path of a utility namer that answers whatever the rest of the name is. */
function isDeciding(path: Path): boolean {
  const [mount, name, , port] = path.segments;
  if (mount !== '$') return false;
  return name === 'nil' || name === 'fail' || (/^(fixed)?inet$/.test(name ?? '') && /^[0-9]+$/.test(port ?? ''));
}
