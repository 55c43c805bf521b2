/** What the interpreter of a router is created with. */
import type { Activity, Live } from '../live/index.ts';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { BoundName, NameTree, Path } from '../naming/index.ts';
import type { Log } from '../port/log.ts';
import type { InterpreterContext } from './default.ts';

export interface RouterContext extends InterpreterContext {
  /** The router's label. */
  readonly router: string;
  readonly log: Log;
  readonly metrics: MetricRegistry;
  /** Binds a path by the namers of this process and an empty dtab: where namerd is, say. */
  readonly locate: (path: Path) => Live<Activity<NameTree<BoundName>>>;
  /** Null where somebody only wants to know how a name is bound: then nothing is kept and nobody is told. */
  readonly instance: Instance | null;
}

/** The process, to others. */
export interface Instance {
  /** The same after a restart, and of no other Signpost: host name and admin port. */
  readonly name: string;
  /** Where it keeps what outlives it. */
  readonly stateDirectory: string;
  /** Resolves when every worker has applied all that it was sent before. */
  applied(): Promise<void>;
}
