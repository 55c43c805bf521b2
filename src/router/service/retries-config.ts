/** The settings of retries that `service.retries` and `client.requeueBudget` share. */
import * as defaults from '../../config/defaults.ts';
import type { Z } from '../../config/kind.ts';
import { optional } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';

export function budgetSchema(z: Z) {
  return z.strictObject({
    ttlSecs: optional(
      scalars.int(z, { min: 1, max: 60 }),
      'Seconds over which requests and retries are counted.',
      defaults.budgetTtlSecs,
    ),
    minRetriesPerSec: optional(
      scalars.int(z, { min: 0 }),
      'Retries a second that are always allowed.',
      defaults.budgetMinRetriesPerSec,
    ),
    percentCanRetry: optional(
      scalars.num(z, { min: 0, max: 1000 }),
      'Retries for each request; a fraction: 0.2 is 20 %.',
      defaults.budgetPercentCanRetry,
    ),
  });
}
