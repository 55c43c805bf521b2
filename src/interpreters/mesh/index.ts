/** Asks namerd over gRPC to bind names (reference/interpreters-transformers.md section 1). */
import * as defaults from '../../config/defaults.ts';
import { defineKind, type Z } from '../../config/kind.ts';
import { optional } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { Path } from '../../naming/index.ts';
import type { RouterContext } from '../context.ts';
import type { Connect } from '../remote/client.ts';
import { addressesOf, maxAgeMsOf, metricsOf, remoteKeys, retryOf, snapshotOf } from '../remote/config.ts';
import { RemoteInterpreter } from '../remote/interpreter.ts';
import { Namerds } from '../remote/namerds.ts';
import { Security } from '../remote/security.ts';
import { ReceiptReporter } from './reporter.ts';

const KIND = 'io.l5d.mesh';
const BASE = defaults.meshRetryBaseSeconds;
const MAX = defaults.meshRetryMaxSeconds;

function rootSchema(z: Z) {
  return scalars.checked(z, 'a path of one segment such as /default', (text) => {
    const problem = scalars.parsed(text, Path.parse, 'path');
    if (problem !== undefined) return problem;
    if (Path.parse(text).length === 1) return undefined;
    return { message: `${scalars.show(text)} is not one segment; write the namespace as /default` };
  });
}

function failureThresholdSchema(z: Z) {
  return z.strictObject({
    minPeriodMs: optional(scalars.int(z, { min: 1 }), 'ms between two pings.', defaults.meshPingMs),
    closeTimeoutMs: optional(scalars.int(z, { min: 1 }), 'ms for the answer to a ping.', defaults.meshPingTimeoutMs),
  });
}

export const mesh = defineKind({
  kind: KIND,
  thread: 'control',
  summary: 'Binds names by a dtab of namerd, and its namers, over gRPC.',
  config: (z) =>
    z.strictObject({
      ...remoteKeys(z, BASE, MAX),
      root: optional(rootSchema(z), 'The namespace, as a path.', defaults.meshRoot),
      failureThreshold: optional(
        failureThresholdSchema(z),
        'When a namerd that answers no pings is left; without it, sooner where there is another.',
      ),
      initialStreamWindowSizeKB: optional(
        scalars.int(z, { min: 1, max: 1_000_000 }),
        'KiB that namerd may send on a stream before they are read.',
        defaults.meshStreamWindowKB,
      ),
    }),
  create: (config, context: RouterContext) => {
    const root = Path.parse(config.root ?? defaults.meshRoot);
    const namespace = Buffer.from(root.segments.join('/'), 'latin1').toString('utf8');
    const retry = retryOf(config.retry, BASE, MAX);
    const streamWindowBytes = (config.initialStreamWindowSizeKB ?? defaults.meshStreamWindowKB) * 1024;
    const { failureThreshold } = config;
    const security = new Security(config, context.log);
    const connect: Connect = async ({ host, port }, isAlone) => {
      await security.open();
      const { MeshClient } = await import('./client.ts');
      const isPatient = isAlone || failureThreshold !== undefined;
      return new MeshClient({
        host,
        port,
        root,
        retry,
        streamWindowBytes,
        security,
        pingMs: failureThreshold?.minPeriodMs ?? (isPatient ? defaults.meshPingMs : defaults.meshFailOverPingMs),
        pingTimeoutMs:
          failureThreshold?.closeTimeoutMs ??
          (isPatient ? defaults.meshPingTimeoutMs : defaults.meshFailOverPingTimeoutMs),
      });
    };
    const metrics = metricsOf(KIND, context);
    const namerds = new Namerds({ addresses: addressesOf(config.dst, context), connect, log: context.log });
    const { instance, router, log } = context;
    return new RemoteInterpreter({
      kind: KIND,
      namespace,
      namerds,
      retry,
      security,
      metrics,
      snapshot: snapshotOf(config.snapshot, { kind: KIND, namespace }, context, metrics),
      maxAgeMs: maxAgeMsOf(config.snapshot),
      lingerMs: context.lingerMs,
      reporter:
        instance === null ? undefined : new ReceiptReporter({ namerds, instance, router, namespace, retry, log }),
    });
  },
});
