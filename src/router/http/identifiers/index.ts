/** `identifier:` of http routers: how a request gets its name. */
import type { Kind, KindConfig } from '../../../config/kind.ts';
import type { RequestHead } from '../../../wire/head.ts';
import { header } from './header.ts';
import { headerToken } from './header-token.ts';
import type { Identifier, IdentifierContext, NotIdentified } from './identifier.ts';
import { methodAndHost } from './method-and-host.ts';
import { path } from './path.ts';
import { fixed } from './static.ts';

export type { Identifier, IdentifierContext, NotIdentified } from './identifier.ts';

export const identifierKinds = [headerToken, header, methodAndHost, path, fixed] as const;

/** The identifier of a router: one, or a list that is tried in order; the last one's reason is given when all pass. */
export function createIdentifier(configs: readonly KindConfig[], context: IdentifierContext): Identifier {
  const identifiers = configs.map((config) => {
    const kind = (identifierKinds as readonly Kind<KindConfig, IdentifierContext, Identifier>[]).find(
      (candidate) => candidate.kind === config.kind,
    );
    if (kind === undefined) throw new Error(`unknown identifier ${config.kind}`);
    return kind.create(config, context);
  });
  if (identifiers.length === 1) return identifiers[0] as Identifier;
  return {
    identify(head: RequestHead) {
      let last: NotIdentified = { type: 'unidentified', reason: 'no identifier' };
      for (const identifier of identifiers) {
        const result = identifier.identify(head);
        if (typeof result === 'string' || result.type === 'failed') return result;
        last = result;
      }
      return last;
    },
  };
}
