/** Times between one try and the next, whatever is tried: requests, endpoints that were taken out, servers that are away. */
import * as defaults from './defaults.ts';
import type { KindConfig, KindSchema, Z } from './kind.ts';
import { kindSchema, optional, required } from './kinds.ts';
import * as scalars from './scalars.ts';

/** The time in ms to wait before try number `tries` (0: the first wait), when the wait before that was `previousMs`. */
export type Backoff = (tries: number, previousMs: number) => number;

/** The configured backoff (`constant`, `jittered`), or `fallback`. `random`: uniform in [0, 1). */
export function createBackoff(config: KindConfig | undefined, fallback: Backoff, random: () => number): Backoff {
  switch (config?.kind) {
    case 'constant':
      return constant((config['ms'] as number | undefined) ?? defaults.backoffMs);
    case 'jittered':
      return decorrelatedJitter(config['minMs'] as number, config['maxMs'] as number, random);
    default:
      return fallback;
  }
}

const backoffs: readonly KindSchema[] = [
  {
    kind: 'constant',
    summary: 'Always the same time.',
    config: (z) => z.strictObject({ ms: optional(scalars.durationMs(z), 'The time in ms.', defaults.backoffMs) }),
  },
  {
    kind: 'jittered',
    summary: 'Random and growing times.',
    config: (z) =>
      z
        .strictObject({
          // It grows from here by multiplying.
          minMs: required(scalars.int(z, { min: 1 }), 'The shortest time in ms.'),
          maxMs: required(scalars.durationMs(z), 'The longest time in ms.'),
        })
        .superRefine(({ minMs, maxMs }, context) => {
          if (minMs <= maxMs) return;
          const message = `above maxMs (${maxMs}); the shortest time comes first`;
          context.addIssue({ code: 'custom', path: ['minMs'], message });
        }),
  },
];

export function backoffSchema(z: Z) {
  return kindSchema(z, { noun: 'backoff', kinds: backoffs });
}

export function constant(ms: number): Backoff {
  return () => ms;
}

/** The least at first, then random from the least to thrice the time before, but no more than the most. */
export function decorrelatedJitter(minMs: number, maxMs: number, random: () => number): Backoff {
  return (tries, previousMs) => {
    if (tries === 0) return minMs;
    return Math.min(maxMs, minMs + random() * Math.max(0, previousMs * 3 - minMs));
  };
}

/** The first time at first; then random in the upper half of a time that doubles, up to the most. */
export function equalJitter(firstMs: number, maxMs: number, random: () => number): Backoff {
  return (tries) => {
    if (tries === 0) return Math.min(firstMs, maxMs);
    const half = firstMs * 2 ** Math.min(tries - 1, 30);
    return Math.min(maxMs, half + random() * half);
  };
}

/**
 * Random from the first wait on, in the upper half of a time that doubles up to the most: for a fleet that loses the same server in
 * one moment, and is not to come back all at once.
 */
export function fleetJitter(firstMs: number, maxMs: number, random: () => number): Backoff {
  return (tries) => Math.min(maxMs, firstMs * 2 ** Math.min(tries, 30)) * (0.5 + random() / 2);
}

/** A backoff that counts the tries itself. */
export class Waits {
  readonly #backoff: Backoff;
  #tries = 0;
  #previousMs = 0;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** The time in ms to wait now. */
  next(): number {
    this.#previousMs = this.#backoff(this.#tries++, this.#previousMs);
    return this.#previousMs;
  }

  /** A try succeeded: the next wait is the first again. */
  reset(): void {
    this.#tries = 0;
    this.#previousMs = 0;
  }
}
