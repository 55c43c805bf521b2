/** io.l5d.header.token: the whole value of a header is one path element. With `Host`, the default identifier. */
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { appendElement, type Identifier, type IdentifierContext, shownPrefix, unidentified } from './identifier.ts';
import { NameMemo } from './name-memo.ts';

export const headerToken = defineKind({
  kind: 'io.l5d.header.token',
  thread: 'data',
  summary: 'The value of a header, as one element.',
  config: (z) => z.strictObject({ header: optional(scalars.headerName(z), 'The header.', 'Host') }),
  create: (config, context: IdentifierContext): Identifier => {
    const shown = config.header ?? 'Host';
    const header = shown.toLowerCase();
    const prefix = shownPrefix(context.prefix);
    const absent = unidentified(`${shown} header is absent`);
    // Host names are the same in any case, see hostOf.
    const isHost = header === 'host';
    const names = new NameMemo((value) => appendElement(prefix, isHost ? value.toLowerCase() : value));
    return {
      identify(head) {
        const value = head.get(header);
        return value === undefined || value === '' ? absent : names.nameOf(value);
      },
    };
  },
});
