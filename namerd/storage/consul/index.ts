/** `io.l5d.consul`: dtabs in Consul's key/value store, for several namerds; its layout is the original's. */

import { backoffSchema, createBackoff, equalJitter } from '../../../src/config/backoff.ts';
import type { KindConfig } from '../../../src/config/kind.ts';
import { defineKind } from '../../../src/config/kind.ts';
import { optional } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { type ClientTlsConfig, clientTlsSchema } from '../../../src/wire/tls/index.ts';
import { pathPrefix } from '../remote/config.ts';
import type { StorageContext } from '../storage.ts';
import { ConsulStorage } from './storage.ts';

/** 1.7.5, as the other defaults here. */
const PORT = 8500;
const HOST = 'localhost';
const PATH_PREFIX = '/namerd/dtabs';

/** Before Consul is tried again where the config says nothing, ms: the first time, and at the most. */
const RETRY_MS = 250;
const RETRY_MAX_MS = 10_000;

const CONSISTENCIES = ['default', 'stale', 'consistent'] as const;

export const consul = defineKind({
  kind: 'io.l5d.consul',
  thread: 'control',
  summary: "Keeps dtabs in Consul's key/value store, a key for each namespace.",
  config: (z) =>
    z.strictObject({
      host: optional(scalars.string(z), 'Host of a Consul agent.', HOST),
      port: optional(scalars.port(z), 'Port of its HTTP API.', PORT),
      pathPrefix: optional(pathPrefix(z), 'What stands before the names of namespaces, in keys.', PATH_PREFIX),
      token: optional(scalars.string(z), 'The ACL token; it may read and write keys below the prefix.'),
      datacenter: optional(scalars.string(z), "The datacenter whose keys are used; none: the agent's."),
      readConsistencyMode: optional(
        scalars.oneOf(z, CONSISTENCIES),
        'How reads are answered: by the leader, or also by servers that may lag behind (`stale`).',
        'default',
      ),
      writeConsistencyMode: optional(
        scalars.oneOf(z, CONSISTENCIES),
        'Passed on with writes; Consul makes them through its leader in any case.',
        'default',
      ),
      failFast: optional(scalars.bool(z), 'Refuse writes at once while Consul is known to be away.', false),
      backoff: optional(
        backoffSchema(z),
        'Times in ms before Consul is tried again; none: from 250, doubling to 10000.',
      ),
      tls: optional(clientTlsSchema(z), 'TLS to the agent; none: in the clear.'),
    }),
  create: (config, { log }: StorageContext) =>
    new ConsulStorage({
      host: config.host ?? HOST,
      port: config.port ?? PORT,
      pathPrefix: config.pathPrefix ?? PATH_PREFIX,
      tls: config.tls as ClientTlsConfig | undefined,
      token: config.token,
      datacenter: config.datacenter,
      readConsistency: config.readConsistencyMode ?? 'default',
      writeConsistency: config.writeConsistencyMode ?? 'default',
      failFast: config.failFast ?? false,
      backoff: createBackoff(
        config.backoff as KindConfig | undefined,
        equalJitter(RETRY_MS, RETRY_MAX_MS, Math.random),
        Math.random,
      ),
      log,
    }),
});
