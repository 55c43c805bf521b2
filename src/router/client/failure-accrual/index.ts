/** `failureAccrual:` of a client: when an endpoint that fails is taken out, and for how long. */

import { type Backoff, backoffSchema, createBackoff, equalJitter } from '../../../config/backoff.ts';
import * as defaults from '../../../config/defaults.ts';
import type { Kind, KindConfig, Z } from '../../../config/kind.ts';
import { kindSchema, optional } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { consecutiveFailures } from './consecutive-failures.ts';
import { none } from './none.ts';
import type { AccrualPolicy } from './policy.ts';
import { successRate, successRateWindowed } from './success-rate.ts';

export type { AccrualPolicy } from './policy.ts';

const accrualKinds = [consecutiveFailures, successRate, successRateWindowed, none] as const;

const fallback: KindConfig = { kind: consecutiveFailures.kind, failures: defaults.accrualFailures };

export function accrualSchema(z: Z) {
  return optional(
    kindSchema(z, {
      noun: 'failure accrual',
      kinds: accrualKinds,
      common: {
        backoff: optional(
          backoffSchema(z),
          `Time until an endpoint that was taken out is tried again; none: ${defaults.accrualBackoffMs} ms, doubling up to ${defaults.accrualMaxBackoffMs}, with jitter.`,
        ),
        maxEjectionPercent: optional(
          scalars.int(z, { min: 0, max: 100 }),
          'The most endpoints that may be out at a time, in percent.',
          defaults.maxEjectionPercent,
        ),
      },
    }),
    'When an endpoint that fails is taken out.',
    fallback,
  );
}

/** What a client does about failures of its endpoints. */
export interface Accrual {
  /** Null: nothing. */
  readonly policy: AccrualPolicy | null;
  readonly backoff: Backoff;
  /** The most that `backoff` gives. */
  readonly maxBackoffMs: number;
  /** 0 to 100. */
  readonly maxEjectionPercent: number;
}

/** Clients whose keys are the same object share it: there may be many thousand, and what it counts is kept with the endpoints. */
const accruals = new WeakMap<KindConfig, Accrual>();

export function accrualOf(config: KindConfig = fallback): Accrual {
  let accrual = accruals.get(config);
  if (accrual === undefined) {
    accrual = createAccrual(config, Math.random);
    accruals.set(config, accrual);
  }
  return accrual;
}

/** `random`: uniform in [0, 1). */
export function createAccrual(config: KindConfig | undefined, random: () => number): Accrual {
  const { kind: name, ...keys } = config ?? fallback;
  const kind = accrualKinds.find((candidate) => candidate.kind === name) as Kind<
    object,
    undefined,
    AccrualPolicy | null
  >;
  const standard = equalJitter(defaults.accrualBackoffMs, defaults.accrualMaxBackoffMs, random);
  const backoff = keys['backoff'] as KindConfig | undefined;
  return {
    policy: kind.create(keys, undefined),
    backoff: createBackoff(backoff, standard, random),
    maxBackoffMs: ((backoff?.['maxMs'] ?? backoff?.['ms']) as number | undefined) ?? defaults.accrualMaxBackoffMs,
    maxEjectionPercent: (keys['maxEjectionPercent'] as number | undefined) ?? defaults.maxEjectionPercent,
  };
}
