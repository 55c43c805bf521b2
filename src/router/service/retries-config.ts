/** The settings of retries that `service.retries`, `client.requeueBudget` and `client.failureAccrual` share. */
import * as defaults from '../../config/defaults.ts';
import type { KindSchema, Z } from '../../config/kind.ts';
import { kindSchema, optional, required } from '../../config/kinds.ts';
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

const backoffs: readonly KindSchema[] = [
  {
    kind: 'constant',
    summary: 'Always the same time.',
    config: (z) => z.strictObject({ ms: optional(scalars.durationMs(z), 'The time in ms.', defaults.backoffMs) }),
  },
  {
    kind: 'jittered',
    summary: 'Random and growing times.',
    config: (z) =>
      z
        .strictObject({
          minMs: required(scalars.durationMs(z), 'The shortest time in ms.'),
          maxMs: required(scalars.durationMs(z), 'The longest time in ms.'),
        })
        .superRefine(({ minMs, maxMs }, context) => {
          if (minMs <= maxMs) return;
          const message = `above maxMs (${maxMs}); the shortest time comes first`;
          context.addIssue({ code: 'custom', path: ['minMs'], message });
        }),
  },
];

export function backoffSchema(z: Z) {
  return kindSchema(z, { noun: 'backoff', kinds: backoffs });
}
