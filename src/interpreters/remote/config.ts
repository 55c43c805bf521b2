/** The keys that all interpreters which ask namerd have. */
import { resolve } from 'node:path';
import type { z as Zod } from 'zod';
import * as defaults from '../../config/defaults.ts';
import type { Z } from '../../config/kind.ts';
import { optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { derive, hasValue, type Live } from '../../live/index.ts';
import { type Endpoint, evaluate, Path } from '../../naming/index.ts';
import { clientTlsSchema } from '../../wire/tls/index.ts';
import type { RouterContext } from '../context.ts';
import { SnapshotFile } from '../snapshot/file.ts';
import { RemoteMetrics } from './metrics.ts';
import type { Retry } from './retry.ts';

const MS_PER_HOUR = 3_600_000;

export interface SnapshotConfig {
  readonly dir?: string | undefined;
  readonly maxAgeHours?: number | undefined;
}

export interface RetryConfig {
  readonly baseSeconds?: number | undefined;
  readonly maxSeconds?: number | undefined;
}

/** `base` and `max` are the defaults, seconds. */
export function remoteKeys(z: Z, base: number, max: number) {
  return {
    dst: required(
      scalars.path(z),
      'Where namerd is, such as /$/inet/namerd/4321; several addresses are several namerds of one storage.',
    ),
    tls: optional(clientTlsSchema(z), 'TLS to namerd; none: in the clear. The files are watched.'),
    tokenPath: optional(
      scalars.file(z),
      'File with the bearer token to show where namerd has `auth` (of ours); it is watched. None: none is shown.',
    ),
    retry: optional(retrySchema(z, base, max), 'How soon namerd is tried again while it is away.'),
    snapshot: optional(
      z.strictObject({
        dir: optional(
          scalars.string(z),
          `Folder of the file with the last known names; none: $STATE_DIRECTORY, or ${defaults.stateDirectory}.`,
        ),
        maxAgeHours: optional(
          scalars.num(z, { min: 0 }),
          'Hours that a name which nobody can tell of is good for; 0: nothing is kept for the next start.',
          defaults.snapshotMaxAgeHours,
        ),
      }),
      'What is kept for a start while namerd is away.',
    ),
  };
}

function retrySchema(z: Z, base: number, max: number): Zod.ZodType<RetryConfig> {
  return z
    .strictObject({
      baseSeconds: optional(scalars.num(z, { min: 0.001 }), 'Seconds to the second attempt.', base),
      maxSeconds: optional(scalars.num(z, { min: 0.001 }), 'Seconds between attempts at the most.', max),
    })
    .superRefine(({ baseSeconds = base, maxSeconds = max }, context) => {
      if (baseSeconds <= maxSeconds) return;
      const message = `baseSeconds (${baseSeconds}) is more than maxSeconds (${maxSeconds})`;
      context.addIssue({ code: 'custom', path: ['baseSeconds'], message });
    });
}

export function retryOf(config: RetryConfig = {}, base: number, max: number): Retry {
  const { baseSeconds = base, maxSeconds = Math.max(max, baseSeconds) } = config;
  return { baseMs: baseSeconds * 1000, maxMs: maxSeconds * 1000 };
}

/** The endpoints that a path leads to now; none while it leads nowhere. */
export function addressesOf(dst: string, { locate }: RouterContext): Live<readonly Endpoint[]> {
  const bound = locate(Path.parse(dst));
  return derive(() => {
    const now = bound.value;
    const names = hasValue(now) ? evaluate(now.value) : undefined;
    return [...(names ?? [])].flatMap((name) => {
      const addr = name.addr.value;
      return addr.state === 'bound' ? addr.endpoints : [];
    });
  });
}

export function metricsOf(kind: string, { metrics, router }: RouterContext): RemoteMetrics {
  return new RemoteMetrics(metrics.scope(['rt', router, 'interpreter', kind]));
}

/** The file of one interpreter; null where nothing is to be kept. */
export function snapshotOf(
  config: SnapshotConfig | undefined,
  owner: { readonly kind: string; readonly namespace: string },
  { instance, router, log }: RouterContext,
  metrics: RemoteMetrics,
): SnapshotFile | null {
  if (instance === null || maxAgeMsOf(config) === 0) return null;
  const dir = resolve(config?.dir ?? instance.stateDirectory);
  return new SnapshotFile(`${dir}/${encodeURIComponent(`${router}.${owner.kind}`)}.json`, owner, log, metrics);
}

export function maxAgeMsOf(config: SnapshotConfig = {}): number {
  return (config.maxAgeHours ?? defaults.snapshotMaxAgeHours) * MS_PER_HOUR;
}
