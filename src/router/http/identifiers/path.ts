/** io.l5d.path: the first elements of the URI's path, which may be taken off the URI that is sent on. */
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { RoutedName } from '../../routed-name.ts';
import { appendElement, type Identifier, type IdentifierContext, shownPrefix, unidentified } from './identifier.ts';

const tooShort = unidentified('not enough segments in path');

/** The offset in `target` after its first `count` path elements, -1 when there are fewer or one is empty. */
function endOfElements(target: string, count: number): number {
  const query = target.indexOf('?');
  const pathEnd = query < 0 ? target.length : query;
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (target.charAt(at) !== '/') return -1;
    let end = target.indexOf('/', at + 1);
    if (end < 0 || end > pathEnd) end = pathEnd;
    if (end === at + 1) return -1;
    at = end;
  }
  return at;
}

/** A target of what follows the elements, its query with it. Slashes at the end of a path are one, as in the original. */
function targetOf(rest: string): string {
  const query = rest.indexOf('?');
  const left = query < 0 ? rest : rest.slice(0, query);
  const path = left === '' ? '/' : left.replace(/\/+$/, '/');
  return query < 0 ? path : path + rest.slice(query);
}

export const path = defineKind({
  kind: 'io.l5d.path',
  thread: 'data',
  summary: "The first elements of the URI's path.",
  config: (z) =>
    z.strictObject({
      segments: optional(scalars.int(z, { min: 1 }), 'How many elements.', 1),
      consume: optional(scalars.bool(z), 'Whether they are taken off the URI that is sent on.', false),
    }),
  create: (config, context: IdentifierContext): Identifier => {
    const prefix = shownPrefix(context.prefix);
    const segments = config.segments ?? 1;
    return {
      identify(head) {
        const target = head.target;
        const end = endOfElements(target, segments);
        if (end < 0) return tooShort;
        const elements = target.slice(1, end).split('/');
        if (config.consume) head.setTarget(targetOf(target.slice(end)));
        return new RoutedName(elements.reduce(appendElement, prefix));
      },
    };
  },
});
