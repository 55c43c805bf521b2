/** How soon namerd is asked again. */
import { fleetJitter, Waits } from '../../config/backoff.ts';

/** `retry:` of an interpreter, in ms. */
export interface Retry {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The waits between attempts that fail. */
export function waitsOf({ baseMs, maxMs }: Retry): Waits {
  return new Waits(fleetJitter(baseMs, maxMs, Math.random));
}
