/** io.l5d.static: every request has the same name. */
import { defineKind } from '../../../config/kind.ts';
import { required } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { Path } from '../../../naming/index.ts';
import { RoutedName } from '../../routed-name.ts';
import type { Identifier, IdentifierContext } from './identifier.ts';

export const fixed = defineKind({
  kind: 'io.l5d.static',
  thread: 'data',
  summary: 'The same name for every request.',
  config: (z) => z.strictObject({ path: required(scalars.path(z), 'The name, such as /web.') }),
  create: (config, context: IdentifierContext): Identifier => {
    const name = new RoutedName(context.prefix.concat(Path.parse(config.path)).show());
    return { identify: () => name };
  },
});
