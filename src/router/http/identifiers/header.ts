/** io.l5d.header: the value of a header is a path. */
import { defineKind } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { ParseError, Path } from '../../../naming/index.ts';
import { RoutedName } from '../../routed-name.ts';
import { type Identifier, type IdentifierContext, unidentified } from './identifier.ts';

export const header = defineKind({
  kind: 'io.l5d.header',
  thread: 'data',
  summary: 'The value of a header, read as a path.',
  config: (z) => z.strictObject({ header: optional(scalars.headerName(z), 'The header.', 'l5d-name') }),
  create: (config, context: IdentifierContext): Identifier => {
    const shown = config.header ?? 'l5d-name';
    const name = shown.toLowerCase();
    const absent = unidentified(`${shown} header is absent`);
    return {
      identify(head) {
        const value = head.get(name);
        if (value === undefined || value === '') return absent;
        try {
          return new RoutedName(context.prefix.concat(Path.parse(value)).show());
        } catch (error) {
          if (error instanceof ParseError) return { type: 'failed', reason: error.message };
          throw error;
        }
      },
    };
  },
});
