/** A part of a date or a clock time, as log lines and names of files have it. */
export function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
