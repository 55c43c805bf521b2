/** `identifier:` of http routers: how a request gets its name. */
import type { Kind, KindConfig } from '../../../config/kind.ts';
import type { RequestHead } from '../../../wire/head.ts';
import { RoutedName } from '../../routed-name.ts';
import { header } from './header.ts';
import { headerToken } from './header-token.ts';
import {
  appendElement,
  type Identifier,
  type IdentifierContext,
  type NotIdentified,
  shownPrefix,
} from './identifier.ts';
import { methodAndHost } from './method-and-host.ts';
import { path } from './path.ts';
import { fixed } from './static.ts';

export type { Identifier, IdentifierContext, NotIdentified } from './identifier.ts';

export const identifierKinds = [headerToken, header, methodAndHost, path, fixed] as const;

/**
 * The identifier of a router: one, or a list that is tried in order; the last one's reason is given when all pass. They name
 * requests by what is in them; a CONNECT has nothing but the authority that it asks for, and is named by that.
 */
export function createIdentifier(configs: readonly KindConfig[], context: IdentifierContext): Identifier {
  const configured = inOrder(configs.map((config) => create(config, context)));
  const prefix = shownPrefix(context.prefix);
  return {
    identify: (head) =>
      head.method === 'CONNECT'
        ? new RoutedName(appendElement(prefix, head.target.toLowerCase()))
        : configured.identify(head),
  };
}

function create(config: KindConfig, context: IdentifierContext): Identifier {
  const kind = (identifierKinds as readonly Kind<KindConfig, IdentifierContext, Identifier>[]).find(
    (candidate) => candidate.kind === config.kind,
  );
  if (kind === undefined) throw new Error(`unknown identifier ${config.kind}`);
  return kind.create(config, context);
}

function inOrder(identifiers: readonly Identifier[]): Identifier {
  if (identifiers.length === 1) return identifiers[0] as Identifier;
  return {
    identify(head: RequestHead) {
      let last: NotIdentified = { type: 'unidentified', reason: 'no identifier' };
      for (const identifier of identifiers) {
        const result = identifier.identify(head);
        if (result instanceof RoutedName || result.type === 'failed') return result;
        last = result;
      }
      return last;
    },
  };
}
