/** io.l5d.methodAndHost: `/1.1/<METHOD>/<host>`, optionally followed by the elements of the URI. */
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { RoutedName } from '../../routed-name.ts';
import {
  appendElement,
  hostOf,
  type Identifier,
  type IdentifierContext,
  pathElements,
  shownPrefix,
  unidentified,
} from './identifier.ts';

const noHost = unidentified('HTTP/1.1 request missing hostname');

export const methodAndHost = defineKind({
  kind: 'io.l5d.methodAndHost',
  thread: 'data',
  summary: 'HTTP version, method and host.',
  config: (z) =>
    z.strictObject({ httpUriInDst: optional(scalars.bool(z), 'Whether the path of the URI follows.', false) }),
  create: (config, context: IdentifierContext): Identifier => {
    const prefix = shownPrefix(context.prefix);
    return {
      identify(head) {
        let name = appendElement(`${prefix}/1.${head.minorVersion}`, head.method);
        if (head.minorVersion > 0) {
          const host = hostOf(head);
          if (host === undefined || host === '') return noHost;
          name = appendElement(name, host);
        }
        if (config.httpUriInDst) {
          for (const element of pathElements(head.target)) if (element !== '') name = appendElement(name, element);
        }
        return new RoutedName(name);
      },
    };
  },
});
