/** The whole of namerd.yaml. */
import type { z as Zod } from 'zod';
import { type AdminConfig, adminSchema } from '../src/admin/config.ts';
import type { KindConfig, Z } from '../src/config/kind.ts';
import { kindSchema, optional, required } from '../src/config/kinds.ts';
import { namersSchema } from '../src/program/naming-config.ts';
import { unreadKinds } from '../src/program/not-built.ts';
import { telemeterSchemas } from '../src/telemetry/config.ts';
import * as defaults from './defaults.ts';
import { interfaceKinds } from './interfaces/index.ts';
import { unbuiltInterfaceSchemas } from './interfaces/unbuilt.ts';
import { notBuiltYet } from './not-built-yet.ts';
import { storageKinds } from './storage/index.ts';

/** namerd.yaml as the user wrote it, coerced and checked; defaults are not filled in. */
export interface NamerdConfig {
  readonly admin?: AdminConfig | undefined;
  readonly storage?: KindConfig | undefined;
  /** The last in the list is asked first. */
  readonly namers?: readonly KindConfig[] | undefined;
  readonly interfaces: readonly KindConfig[];
  readonly telemetry?: readonly KindConfig[] | undefined;
}

const example = 'add at least one, such as `- kind: io.l5d.httpController`';

export function namerdSchema(z: Z): Zod.ZodType<NamerdConfig> {
  const unread = (at: string) => unreadKinds(notBuiltYet, at);
  const storage = kindSchema(z, { noun: 'storage', kinds: storageKinds, unread: unread('storage') });
  const one = kindSchema(z, { noun: 'interface', kinds: [...interfaceKinds, ...unbuiltInterfaceSchemas] });
  const namers = { namers: unread('namers[]'), transformers: unread('transformers[]') };
  return z.strictObject({
    admin: optional(adminSchema(z, defaults.adminPort), 'The administration server.'),
    storage: optional(
      storage,
      `Where dtabs are kept. None: \`kind: ${defaults.storageKind}\`, a file of this machine.`,
    ),
    namers: namersSchema(z, namers, { ignoresExperimental: true }),
    interfaces: required(
      z
        .array(one, {
          error: ({ input }) => (input === undefined ? `'interfaces' field is required; ${example}` : undefined),
        })
        .min(1, { error: `One or more interfaces must be specified; ${example}` }),
      'The servers that answer from the dtabs; at least one.',
    ),
    telemetry: optional(
      z.array(kindSchema(z, { noun: 'telemeter', kinds: telemeterSchemas })),
      'Where metrics go.',
      [],
    ),
  });
}
