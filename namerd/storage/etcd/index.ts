/** `io.l5d.etcd`: dtabs in etcd, for several namerds. Over etcd's API v3; the original's v2 is gone from etcd. */
import { defineKind } from '../../../src/config/kind.ts';
import { optional } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { type ClientTlsConfig, clientTlsSchema } from '../../../src/wire/tls/index.ts';
import { pathPrefix } from '../remote/config.ts';
import type { StorageContext } from '../storage.ts';
import { EtcdStorage } from './storage.ts';

/** 1.7.5, as the other defaults here. */
const PORT = 2379;
const HOST = 'localhost';
const PATH_PREFIX = '/namerd/dtabs';

export const etcd = defineKind({
  kind: 'io.l5d.etcd',
  thread: 'control',
  experimental: true,
  summary: 'Keeps dtabs in etcd (API v3), a key for each namespace.',
  config: (z) =>
    z.strictObject({
      host: optional(scalars.string(z), 'Host of etcd; a name with several addresses is tried at each.', HOST),
      port: optional(scalars.port(z), "Port for etcd's clients.", PORT),
      pathPrefix: optional(pathPrefix(z), 'What stands before the names of namespaces, in keys.', PATH_PREFIX),
      tls: optional(clientTlsSchema(z), 'TLS to etcd; none: in the clear.'),
    }),
  create: (config, { log }: StorageContext) =>
    new EtcdStorage({
      host: config.host ?? HOST,
      port: config.port ?? PORT,
      pathPrefix: config.pathPrefix ?? PATH_PREFIX,
      tls: config.tls as ClientTlsConfig | undefined,
      log,
    }),
});
