/** Times between one try and the next: of retries, and of endpoints that were taken out. */
import * as defaults from '../config/defaults.ts';
import type { KindConfig } from '../config/kind.ts';

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
