/** `io.l5d.consul`: dtabs in Consul's key/value store, for several namerds; its layout is the original's. */

import { backoffSchema, createBackoff } from '../../../src/config/backoff.ts';
import type { KindConfig } from '../../../src/config/kind.ts';
import { defineKind } from '../../../src/config/kind.ts';
import { optional } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { serverKeys, serverOf, usualBackoff } from '../remote/config.ts';
import type { StorageContext } from '../storage.ts';
import { ConsulStorage } from './storage.ts';

/** 1.7.5. */
const PORT = 8500;

const CONSISTENCIES = ['default', 'stale', 'consistent'] as const;

export const consul = defineKind({
  kind: 'io.l5d.consul',
  thread: 'control',
  summary: "Keeps dtabs in Consul's key/value store, a key for each namespace.",
  config: (z) =>
    z.strictObject({
      ...serverKeys(z, 'a Consul agent', PORT),
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
    }),
  create: (config, { log }: StorageContext) =>
    new ConsulStorage({
      ...serverOf(config, PORT),
      token: config.token,
      datacenter: config.datacenter,
      readConsistency: config.readConsistencyMode ?? 'default',
      writeConsistency: config.writeConsistencyMode ?? 'default',
      failFast: config.failFast ?? false,
      backoff: createBackoff(config.backoff as KindConfig | undefined, usualBackoff, Math.random),
      log,
    }),
});
