/** What transformers are created with, and what they share. */
import { Path, type Resolver } from '../naming/index.ts';

export interface TransformerContext {
  readonly resolver: Resolver;
  /** The key `prefix` that every transformer may have: what follows `/%` in ids instead of the kind. */
  readonly prefix?: Path;
}

/** The prefix of ids, `/%` included. */
export function idPrefix(kind: string, context: TransformerContext, ...more: string[]): Path {
  return Path.utf8('%')
    .concat(context.prefix ?? Path.utf8(kind))
    .concat(Path.utf8(...more));
}
