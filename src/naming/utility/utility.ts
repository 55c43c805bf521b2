/** What a namer under `/$/` is. */
import type { Activity, Live } from '../../live/index.ts';
import type { NamerTree } from '../namer.ts';
import type { Path } from '../path.ts';

/** `/$/<name>/<rest>`: given the rest, the answer; undefined if the name does not go with such a rest. */
export type Utility = (rest: Path) => Live<Activity<NamerTree>> | undefined;
