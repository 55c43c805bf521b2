/** The sections `namers:` and `transformers:`, the same in every program's config. */
import type { z as Zod } from 'zod';
import type { KindConfig, Z } from '../config/kind.ts';
import { type KindSection, kindSchema, optional } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { namerKinds } from '../namers/index.ts';
import { transformerKinds } from '../transformers/index.ts';

/** Kinds that are known by name only. */
export interface UnreadKinds {
  readonly namers: readonly string[];
  readonly transformers: readonly string[];
}

export function namersSchema(z: Z, unread: UnreadKinds, options: Pick<KindSection, 'ignoresExperimental'> = {}) {
  const namer: Zod.ZodType<KindConfig> = kindSchema(z, {
    noun: 'namer',
    kinds: namerKinds,
    unread: unread.namers,
    ...options,
    common: {
      prefix: optional(scalars.path(z), 'Names begin with /# and this; none: the kind.'),
      transformers: transformersSchema(z, unread),
    },
  });
  return optional(z.array(namer), 'Where names are looked up; the last in the list is asked first.', []);
}

export function transformersSchema(z: Z, unread: UnreadKinds) {
  return optional(
    z.array(
      kindSchema(z, {
        noun: 'transformer',
        kinds: transformerKinds,
        unread: unread.transformers,
        common: { prefix: optional(scalars.path(z), 'Prefix of transformed ids, after /%; none: the kind.') },
      }),
    ),
    'What changes the bound names, in this order.',
    [],
  );
}
