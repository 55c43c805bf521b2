/** The keys of an access log; 1.7.5 puts the protocol in front: `httpAccessLog`, `h2AccessLogRollPolicy`. */
import * as defaults from '../config/defaults.ts';
import type { Z } from '../config/kind.ts';
import { optional } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { parseRollPolicy, type RollPolicy } from './roll-policy.ts';

export type AccessLogProtocol = 'http' | 'h2';

/** To be spread into the schema of what has an access log. */
export function accessLogKeys<P extends AccessLogProtocol>(z: Z, protocol: P) {
  const file = optional(scalars.string(z), 'File of the access log; none: it is not written.');
  const policy = optional(rollPolicy(z), 'When the access log is rolled.', defaults.accessLogRollPolicy);
  const append = optional(scalars.bool(z), 'Whether to keep what the file holds at start.', defaults.accessLogAppend);
  const count = optional(scalars.int(z, { min: -1 }), 'Rolled files to keep; -1: all.', defaults.accessLogRotateCount);
  return {
    [`${protocol}AccessLog`]: file,
    [`${protocol}AccessLogRollPolicy`]: policy,
    [`${protocol}AccessLogAppend`]: append,
    [`${protocol}AccessLogRotateCount`]: count,
  } as Record<`${P}AccessLog`, typeof file> &
    Record<`${P}AccessLogRollPolicy`, typeof policy> &
    Record<`${P}AccessLogAppend`, typeof append> &
    Record<`${P}AccessLogRotateCount`, typeof count>;
}

/** What a checked config says of an access log. */
export interface AccessLogConfig {
  readonly path: string;
  readonly policy: RollPolicy;
  readonly append: boolean;
  readonly keep: number;
}

type Keys<P extends AccessLogProtocol> = {
  readonly [K in `${P}AccessLog` | `${P}AccessLogRollPolicy`]?: string | undefined;
} & { readonly [K in `${P}AccessLogAppend`]?: boolean | undefined } & {
  readonly [K in `${P}AccessLogRotateCount`]?: number | undefined;
};

/** Undefined where none is to be written. */
export function accessLogConfig<P extends AccessLogProtocol>(keys: Keys<P>, protocol: P): AccessLogConfig | undefined {
  const read = keys as Readonly<Record<string, string | boolean | number | undefined>>;
  const path = read[`${protocol}AccessLog`];
  if (typeof path !== 'string') return undefined;
  const policy = read[`${protocol}AccessLogRollPolicy`] ?? defaults.accessLogRollPolicy;
  return {
    path,
    policy: parseRollPolicy(String(policy))!,
    append: (read[`${protocol}AccessLogAppend`] ?? defaults.accessLogAppend) === true,
    keep: Number(read[`${protocol}AccessLogRotateCount`] ?? defaults.accessLogRotateCount),
  };
}

function rollPolicy(z: Z) {
  const allowed = 'never, hourly, daily, weekly(1) to weekly(7), 10.megabytes';
  return scalars.checked(z, 'a roll policy', (text) =>
    parseRollPolicy(text) === undefined
      ? { message: `unknown roll policy ${scalars.show(text)}; allowed: ${allowed}` }
      : undefined,
  );
}
