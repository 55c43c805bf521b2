/** Numbers as the original prints them: counters whole, gauges and averages always with a fraction. */

/** What a stat has recorded, in whole units. */
export function whole(value: number): string {
  return String(Math.trunc(value));
}

/** `1.0`, `0.25`; what is no number is given as `null`. */
export function float(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}
