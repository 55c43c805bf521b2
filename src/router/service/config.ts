/** `routers[].service`: what holds for a logical service, over all attempts; for all services or by name prefix. */
import type { z as Zod } from 'zod';
import { backoffSchema } from '../../config/backoff.ts';
import * as defaults from '../../config/defaults.ts';
import type { Z } from '../../config/kind.ts';
import { kindSchema, optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { classifierKinds } from '../http/classifiers/index.ts';
import { budgetSchema } from './retries-config.ts';

function serviceKeys(z: Z) {
  return {
    totalTimeoutMs: optional(
      scalars.durationMs(z),
      'Time in ms for a request, all attempts together; none, or 0: no limit.',
    ),
    retries: optional(
      z.strictObject({
        budget: optional(budgetSchema(z), 'How many retries are allowed.'),
        backoff: optional(backoffSchema(z), 'Time between retries.', {
          kind: 'jittered',
          minMs: defaults.retryBackoffMinMs,
          maxMs: defaults.retryBackoffMaxMs,
        }),
        maxPerRequest: optional(
          scalars.int(z, { min: 0 }),
          'Further tries of one request, whatever their reason (requeues included); 0: none.',
          defaults.maxPerRequest,
        ),
        retryableHeader: optional(
          scalars.bool(z),
          'Whether `l5d-retryable: true` of a failed response allows a retry, whatever the method and the classifier.',
          true,
        ),
        maxRetryAfterMs: optional(
          scalars.durationMs(z),
          'The longest Retry-After in ms that a retry waits for; a response with a longer one is passed on.',
          defaults.maxRetryAfterMs,
        ),
      }),
      'Retries of failures that the response classifier calls retryable.',
    ),
    responseClassifier: optional(
      kindSchema(z, { noun: 'response classifier', kinds: classifierKinds }),
      'Which responses are failures, and which of them may be retried.',
      { kind: defaults.classifierKind },
    ),
  };
}

export function serviceSchema(z: Z) {
  return globalOrStatic(z, () => serviceKeys(z), 'Names that this entry is for, as /svc/web or with * and {captures}.');
}

/**
 * `kind: io.l5d.global` (or no kind) with the keys beside it, or `kind: io.l5d.static` with `configs`, where each entry's
 * keys hold for the names its prefix matches. `keys` is called twice, since a schema's metadata belongs to its one place.
 */
export function globalOrStatic<Keys extends Zod.core.$ZodLooseShape>(z: Z, keys: () => Keys, prefix: string) {
  return z.discriminatedUnion('kind', [
    z.strictObject({
      kind: optional(z.literal('io.l5d.global'), 'The keys here are for all names.'),
      ...keys(),
    }),
    z.strictObject({
      kind: required(z.literal('io.l5d.static'), 'Keys by prefix of the name; later entries override earlier ones.'),
      configs: required(
        z.array(z.strictObject({ prefix: required(scalars.string(z), prefix), ...keys() })),
        'Entries in order; where several match, a key of a later one wins.',
      ),
    }),
  ]);
}
