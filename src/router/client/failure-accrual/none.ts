/** none: no endpoint is taken out for its failures. */
import { defineKind } from '../../../config/kind.ts';

export const none = defineKind({
  kind: 'none',
  thread: 'data',
  summary: 'Takes no endpoint out.',
  config: (z) => z.strictObject({}),
  create: (_config, _context: undefined): null => null,
});
