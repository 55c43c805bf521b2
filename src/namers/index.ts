/** The kinds of `namers:`. */
import { fs } from './fs/index.ts';
import { rewrite } from './rewrite.ts';

export type { NamerContext } from './context.ts';

export const namerKinds = [fs, rewrite] as const;
