/** When a log file is rolled, as the config says it: `never`, `hourly`, `daily`, `weekly(1)` (Sundays), `10.megabytes`. */
import { twoDigits } from './two-digits.ts';

export interface RollPolicy {
  /** A file takes no line that would make it larger. */
  readonly maxBytes: number;
  /** When the period ends that a time lies in; both in ms since the epoch. Periods are those of this machine's time zone. */
  periodEnd(at: number): number;
  /** When a file was begun, as the name that it is rolled to says it. */
  stamp(at: number): string;
}

const UNITS: Readonly<Record<string, number>> = {
  byte: 1,
  kilobyte: 1024,
  megabyte: 1024 ** 2,
  gigabyte: 1024 ** 3,
};

const never = () => Number.POSITIVE_INFINITY;

const calendarPolicies: Readonly<Record<string, RollPolicy>> = {
  never: { maxBytes: Number.POSITIVE_INFINITY, periodEnd: never, stamp: day },
  hourly: { maxBytes: Number.POSITIVE_INFINITY, periodEnd: nextHour, stamp: (at) => `${day(at)}-${hour(at)}` },
  daily: { maxBytes: Number.POSITIVE_INFINITY, periodEnd: (at) => midnightAfter(at, 1), stamp: day },
};

/** Undefined when the text is no policy; letters may be large or small, as in 1.7.5. */
export function parseRollPolicy(text: string): RollPolicy | undefined {
  const lower = text.toLowerCase();
  if (Object.hasOwn(calendarPolicies, lower)) return calendarPolicies[lower];
  const [, weekday] = /^weekly\(([1-7])\)$/.exec(lower) ?? [];
  if (weekday !== undefined) return weekly(Number(weekday));
  const [, count, unit] = /^(\d+)\.(byte|kilobyte|megabyte|gigabyte)s?$/.exec(lower) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return { maxBytes: Number(count) * UNITS[unit]!, periodEnd: never, stamp: second };
}

/** `weekday` counts from Sunday, which is 1. */
function weekly(weekday: number): RollPolicy {
  const periodEnd = (at: number): number => {
    const days = (weekday - 1 - new Date(at).getDay() + 7) % 7;
    return midnightAfter(at, days === 0 ? 7 : days);
  };
  return { maxBytes: Number.POSITIVE_INFINITY, periodEnd, stamp: day };
}

function nextHour(at: number): number {
  const date = new Date(at);
  return date.setHours(date.getHours() + 1, 0, 0, 0);
}

function midnightAfter(at: number, days: number): number {
  const date = new Date(at);
  date.setDate(date.getDate() + days);
  return date.setHours(0, 0, 0, 0);
}

function day(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}${twoDigits(date.getMonth() + 1)}${twoDigits(date.getDate())}`;
}

function hour(at: number): string {
  return twoDigits(new Date(at).getHours());
}

function second(at: number): string {
  const date = new Date(at);
  return `${day(at)}-${hour(at)}${twoDigits(date.getMinutes())}${twoDigits(date.getSeconds())}`;
}
