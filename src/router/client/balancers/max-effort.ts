/** `maxEffort`, a key of all kinds that draw. Who draws again is replicas.ts. */
import * as defaults from '../../../config/defaults.ts';
import type { Z } from '../../../config/kind.ts';
import { optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';

export function maxEffort(z: Z) {
  return optional(
    scalars.int(z, { min: 1 }),
    'Draws before an endpoint is taken that has no connection to spare or was tried already.',
    defaults.maxEffort,
  );
}
