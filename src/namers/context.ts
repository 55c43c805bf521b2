/** What namers are created with. */
import type { Resolver } from '../naming/index.ts';
import type { Log } from '../port/log.ts';

export interface NamerContext {
  readonly resolver: Resolver;
  readonly log: Log;
  /** How long a name is watched after its last reader, ms; default: that of live sources. */
  readonly lingerMs?: number;
}
