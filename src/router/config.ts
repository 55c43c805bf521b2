/** `routers[]`: the schema of an http router and the types that the data path reads. */
import type { z as Zod } from 'zod';
import { accessLogKeys } from '../access-log/config.ts';
import * as defaults from '../config/defaults.ts';
import type { KindConfig, KindSchema, Z } from '../config/kind.ts';
import { experimental, kindSchema, optional, required, unlessWrong } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { clientSchema } from './client/config.ts';
import { identifierKinds } from './http/identifiers/index.ts';
import { serverSchema } from './server/config.ts';
import { serviceSchema } from './service/config.ts';

/** What the router's schema needs from sections that the router's room must not know. */
export interface RouterSections {
  readonly interpreter: Zod.ZodType<KindConfig>;
  readonly announcer: Zod.ZodType<KindConfig>;
  /** Identifiers of the original that are known by name only. */
  readonly unreadIdentifiers: readonly string[];
}

const propagators: readonly KindSchema[] = [
  { kind: 'io.l5d.default', summary: 'l5d-ctx-trace.', config: (z) => z.strictObject({}) },
  { kind: 'io.l5d.zipkin', summary: 'x-b3-* headers.', config: (z) => z.strictObject({}) },
];

/** `identifier:` is one object or a list that is tried in order. */
function identifiersSchema(z: Z, unread: readonly string[]): Zod.ZodType<KindConfig | KindConfig[]> {
  const one = kindSchema(z, { noun: 'identifier', kinds: identifierKinds, unread });
  const list = z.array(one).min(1, { error: 'an empty list; name an identifier or leave the key out' });
  return scalars.oneOrMany(z, one, list);
}

const noServers = 'the router has no servers; add at least one, such as `servers: [{port: 4140}]`';

const cacheSize = (z: Z, of: string) =>
  optional(scalars.int(z, { min: 1 }), `Entries of the cache of ${of}.`, defaults.bindingCacheEntries);

export function httpRouterSchema(z: Z, sections: RouterSections) {
  const kilobytes = (description: string, fallback: number) =>
    optional(scalars.int(z, { min: 1 }), description, fallback);
  return z
    .strictObject({
      protocol: required(z.literal('http'), 'What the router speaks.'),
      experimental: experimental(z),
      label: optional(scalars.string(z), 'Name of the router in URLs, logs and metrics; none: the protocol.'),
      servers: required(
        z
          .array(serverSchema(z), { error: ({ input }) => (input === undefined ? noServers : undefined) })
          .min(1, { error: noServers }),
        'Where the router listens; at least one.',
      ),
      dtab: optional(scalars.dtab(z), 'The base dtab, which requests and interpreters may add to.', ''),
      dstPrefix: optional(scalars.path(z), 'What stands before the name that an identifier found.', defaults.dstPrefix),
      originator: optional(scalars.bool(z), 'Only a gauge that says that requests enter the mesh here.', false),
      announcers: optional(z.array(sections.announcer), 'Where servers are made known.', []),
      interpreter: optional(sections.interpreter, 'Who binds names.', { kind: defaults.interpreterKind }),
      bindingTimeoutMs: optional(scalars.durationMs(z), 'Time in ms to bind a name.', defaults.bindingTimeoutMs),
      bindingCache: optional(
        z.strictObject({
          paths: cacheSize(z, 'service names'),
          trees: cacheSize(z, 'name trees'),
          bounds: cacheSize(z, 'bound names'),
          clients: cacheSize(z, 'clients'),
          idleTtlSecs: optional(
            scalars.durationSecs(z),
            'Seconds until an unused entry is dropped.',
            defaults.bindingIdleTtlSecs,
          ),
        }),
        'Limits of what the router keeps by name; names that were asked for only once take up to a quarter, or 100 entries.',
      ),
      client: optional(clientSchema(z), 'What holds for bound names.'),
      service: optional(serviceSchema(z), 'What holds for logical services.'),
      identifier: optional(
        identifiersSchema(z, sections.unreadIdentifiers),
        'How a request is named: one, or a list.',
        {
          kind: defaults.identifierKind,
        },
      ),
      ...accessLogKeys(z, 'http'),
      maxHeadersKB: kilobytes('KiB of a header block (431).', defaults.maxHeadersKB),
      maxInitialLineKB: kilobytes('KiB of a request line (414).', defaults.maxInitialLineKB),
      maxErrResponseKB: kilobytes("KiB of the router's own error bodies.", defaults.maxErrResponseKB),
      streamingEnabled: optional(
        scalars.bool(z),
        'Pass bodies on as they come; false: collect each whole, up to maxBufferedBodyKB, and leave trailers out.',
        true,
      ),
      streamAfterContentLengthKB: optional(
        scalars.int(z, { min: 0 }),
        'KiB of a body with Content-Length that is kept so that the request may be sent again.',
        defaults.streamAfterContentLengthKB,
      ),
      maxBufferedBodyKB: kilobytes(
        'KiB of a body that is collected with `streamingEnabled: false` (413; a response: 502).',
        defaults.maxBufferedBodyKB,
      ),
      compressionLevel: optional(
        scalars.int(z, { min: -1, max: 9 }),
        'Compress responses for clients that accept gzip or deflate; -1: text only; 0: none; 1 to 9: all. Takes threads of their own and about 260 KiB a response.',
        defaults.compressionLevel,
      ),
      tracePropagator: optional(kindSchema(z, { noun: 'trace propagator', kinds: propagators }), 'Headers of traces.', {
        kind: 'io.l5d.default',
      }),
    })
    .superRefine(
      (router, context) => {
        if (router.streamingEnabled !== false && router.maxBufferedBodyKB !== undefined) {
          const message = 'has no meaning without `streamingEnabled: false`: bodies are passed on as they come';
          context.addIssue({ code: 'custom', path: ['maxBufferedBodyKB'], message });
        }
        if (router.streamingEnabled === false && router.streamAfterContentLengthKB !== undefined) {
          const message = 'has no meaning with `streamingEnabled: false`; leave one of them out';
          context.addIssue({ code: 'custom', path: ['streamAfterContentLengthKB'], message });
        }
      },
      unlessWrong('streamingEnabled', 'maxBufferedBodyKB', 'streamAfterContentLengthKB'),
    );
}

export type RouterConfig = Zod.infer<ReturnType<typeof httpRouterSchema>>;
export type ServerConfig = RouterConfig['servers'][number];
export type ClientConfig = NonNullable<RouterConfig['client']>;
export type ServiceConfig = NonNullable<RouterConfig['service']>;
/** The keys of a client, as they stand inline in `client:` or in an entry of `configs`. */
export type ClientKeys = Omit<Extract<ClientConfig, { kind?: 'io.l5d.global' | undefined }>, 'kind'>;
export type ServiceKeys = Omit<Extract<ServiceConfig, { kind?: 'io.l5d.global' | undefined }>, 'kind'>;
export type SocketOptions = NonNullable<ServerConfig['socketOptions']>;
