/**
 * The whole of linkerd.yaml: the one place where the sections of all rooms come together, since no room knows another's
 * kinds.
 */
import type { z as Zod } from 'zod';
import { type AdminConfig, adminSchema } from '../admin/config.ts';
import * as defaults from '../config/defaults.ts';
import type { KindConfig, Z } from '../config/kind.ts';
import { kindSchema, optional, required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { interpreterKinds } from '../interpreters/index.ts';
import { namersSchema, transformersSchema, type UnreadKinds } from '../program/naming-config.ts';
import { httpRouterSchema, type RouterConfig } from '../router/config.ts';
import { telemeterSchemas } from '../telemetry/config.ts';
import { refusedKinds } from './not-built-yet.ts';

export interface UsageConfig {
  readonly enabled?: boolean | undefined;
  readonly orgId?: string | undefined;
}

/** linkerd.yaml as the user wrote it, coerced and checked; defaults are not filled in (config/defaults.ts). */
export interface LinkerdConfig {
  readonly admin?: AdminConfig | undefined;
  /** The last in the list is asked first. */
  readonly namers?: readonly KindConfig[] | undefined;
  readonly routers: readonly RouterConfig[];
  readonly telemetry?: readonly KindConfig[] | undefined;
  readonly usage?: UsageConfig | undefined;
  readonly workers?: number | undefined;
  readonly maxMemoryMB?: number | undefined;
}

/** The name of a router in URLs, logs and metrics. */
export function routerLabel(router: Pick<RouterConfig, 'label' | 'protocol'>): string {
  return router.label ?? router.protocol;
}

export function linkerdSchema(z: Z): Zod.ZodType<LinkerdConfig> {
  const unread: UnreadKinds = { namers: refusedKinds('namers[]'), transformers: refusedKinds('transformers[]') };
  const interpreter = kindSchema(z, {
    noun: 'interpreter',
    kinds: interpreterKinds,
    unread: refusedKinds('routers[].interpreter'),
    common: { transformers: transformersSchema(z, unread) },
  });
  const announcer = z.looseObject({ kind: z.literal('io.l5d.serversets') }) as unknown as Zod.ZodType<KindConfig>;
  const http = httpRouterSchema(z, {
    interpreter,
    announcer,
    unreadIdentifiers: refusedKinds('routers[].identifier'),
  });
  // A rule refuses these protocols, so a config that loads has http routers only.
  const otherProtocols = refusedKinds('routers[]').map((protocol) => z.looseObject({ protocol: z.literal(protocol) }));
  const router = z.discriminatedUnion('protocol', [http, ...otherProtocols]) as unknown as Zod.ZodType<RouterConfig>;

  return z.strictObject({
    admin: optional(adminSchema(z), 'The administration server.'),
    namers: namersSchema(z, unread),
    routers: required(
      z
        .array(router, { error: ({ input }) => (input === undefined ? `missing; ${oneRouter}` : undefined) })
        .min(1, { error: `no routers; ${oneRouter}` }),
      'The routers; at least one.',
    ),
    telemetry: optional(
      z.array(kindSchema(z, { noun: 'telemeter', kinds: telemeterSchemas })),
      'Where metrics and traces go.',
      [],
    ),
    usage: optional(
      z.strictObject({
        enabled: optional(scalars.bool(z), 'Read for compatibility: nothing is ever sent.', true),
        orgId: optional(scalars.string(z), 'Read for compatibility: nothing is ever sent.'),
      }),
      "The original's usage reports. Signpost sends none.",
    ),
    workers: optional(
      scalars.int(z, { min: 0 }),
      'Threads that carry requests; 0: the main thread does. None: one for each CPU, at most so many.',
      defaults.maxDefaultWorkers,
    ),
    maxMemoryMB: optional(
      scalars.int(z, { min: 1 }),
      'MiB of memory of the process (resident) above which requests are refused with 503 until there is less. None: 85 % of ' +
        'what its container, or the machine, gives it.',
    ),
  });
}

const oneRouter = 'add at least one router, such as `- protocol: http` with `servers: [{port: 4140}]`';
