/** Asks namerd over HTTP to bind names (reference/interpreters-transformers.md section 1): io.l5d.httpController answers. */
import * as defaults from '../../config/defaults.ts';
import { defineKind } from '../../config/kind.ts';
import { optional } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import type { RouterContext } from '../context.ts';
import type { Connect } from '../remote/client.ts';
import { addressesOf, maxAgeMsOf, metricsOf, remoteKeys, retryOf, snapshotOf } from '../remote/config.ts';
import { RemoteInterpreter } from '../remote/interpreter.ts';
import { Namerds } from '../remote/namerds.ts';
import { Security } from '../remote/security.ts';

const KIND = 'io.l5d.namerd.http';
const BASE = defaults.namerdHttpRetryBaseSeconds;
const MAX = defaults.namerdHttpRetryMaxSeconds;

export const namerdHttp = defineKind({
  kind: KIND,
  thread: 'control',
  // As in the original.
  experimental: true,
  summary: 'Binds names by a dtab of namerd, and its namers, over HTTP.',
  config: (z) =>
    z.strictObject({
      ...remoteKeys(z, BASE, MAX),
      namespace: optional(scalars.string(z), 'The namespace.', defaults.namerdNamespace),
    }),
  create: (config, context: RouterContext) => {
    const { namespace = defaults.namerdNamespace } = config;
    const retry = retryOf(config.retry, BASE, MAX);
    const security = new Security(config, context.log);
    const connect: Connect = async (address, isAlone) => {
      await security.open();
      const { NamerdHttpClient } = await import('./client.ts');
      return await NamerdHttpClient.open({
        ...address,
        namespace,
        retry,
        security,
        log: context.log,
        pingMs: isAlone ? defaults.meshPingMs : defaults.meshFailOverPingMs,
        pingTimeoutMs: isAlone ? defaults.meshPingTimeoutMs : defaults.meshFailOverPingTimeoutMs,
      });
    };
    const metrics = metricsOf(KIND, context);
    return new RemoteInterpreter({
      kind: KIND,
      namespace,
      namerds: new Namerds({ addresses: addressesOf(config.dst, context), connect, log: context.log }),
      retry,
      security,
      metrics,
      snapshot: snapshotOf(config.snapshot, { kind: KIND, namespace }, context, metrics),
      maxAgeMs: maxAgeMsOf(config.snapshot),
      lingerMs: context.lingerMs,
    });
  },
});
