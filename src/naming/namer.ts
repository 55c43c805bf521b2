/** What takes part in binding: namers, interpreters, and the resolver that utility namers ask. */
import type { Activity, Live } from '../live/index.ts';
import type { BoundName } from './address.ts';
import type { Dtab } from './dtab.ts';
import type { DelegateTree } from './explain.ts';
import type { NameTree } from './name-tree.ts';
import type { Path } from './path.ts';
import type { Transformer } from './transform.ts';

/**
 * A namer's answer: further paths to look up, or bound names. Paths are absolute (`/#/io.l5d.fs/web`, `/svc/x`). The ids of
 * bound names are relative to the namer (`/web`), which does not know where it is mounted: binding puts `/#/<prefix>` before
 * them.
 */
export type NamerTree = NameTree<Path | BoundName>;

export interface Namer {
  /** The tree for a path without the namer's prefix. The same path gives the same live value (see Sources). */
  lookup(path: Path): Live<Activity<NamerTree>>;
  /** The names that exist, relative to the namer, for pages and completion. */
  names?(): Live<Activity<readonly Path[]>>;
  /** Plain JSON about what it watches, for diagnostics. */
  state?(): unknown;
  close(): void;
}

/** A namer and where it is mounted. */
export interface ConfiguredNamer {
  /** What follows `/#`, such as `/io.l5d.fs`. */
  readonly prefix: Path;
  readonly namer: Namer;
  /** Applied in this order to trees whose leaves are all bound. */
  readonly transformers?: readonly Transformer[];
}

export interface Interpreter {
  bind(dtab: Dtab, path: Path): Live<Activity<NameTree<BoundName>>>;
  /** How a path is bound, step by step. Absent where it cannot be told (const and replace transformers). */
  delegate?(dtab: Dtab, path: Path): Live<Activity<DelegateTree>>;
  /** What it watches; absent where it watches nothing itself. */
  readonly state?: InterpreterState | undefined;
  /** Opens what it needs; else the first reader does. */
  start?(): void;
  /** The process is going to stop: whoever counts on it is told. */
  leave?(): void;
  close(): void;
}

/** For the page `/<router>/interpreter_state/<name>.json`. */
export interface InterpreterState {
  readonly name: string;
  /** Plain JSON. */
  read(): unknown;
}

/** Host names to addresses, for the utility namers that reach the network; naming does not know DNS itself. */
export interface Resolver {
  /** The IP addresses of a host, kept fresh while read; an empty list if the host does not exist. */
  resolve(host: string): Live<Activity<readonly string[]>>;
  resolveOnce(host: string): Promise<readonly string[]>;
}
