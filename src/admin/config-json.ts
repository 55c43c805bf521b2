/** `/config.json`: the config that runs, as it was read: coerced, dtabs in their shown form, what is secret masked. */

import { type ControlHandler, jsonUtf8 } from '../control-http/index.ts';
import { Dtab } from '../naming/index.ts';

const MASK = '***';
/** Keys whose text is a secret itself; a path to one is not. */
const SECRET = /(password|passphrase|secret|token|credentials?|apikey|privatekey)$/i;

/** Makes what is shown of a config. */
export type ShowConfig = (config: object) => object;

export function configHandler(config: object, show: ShowConfig): ControlHandler {
  const shown = show(config);
  return () => jsonUtf8(200, shown);
}

export function showLinkerdConfig(config: object): object {
  const shown = showValue('', config) as Record<string, unknown>;
  // The original's order, whatever the file's.
  const { namers, routers, telemetry, admin, usage, ...others } = shown;
  return { namers, routers, telemetry, admin, usage, ...others };
}

/** A value of the config and all below it; `key` is its own. */
export function showValue(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => showValue(key, item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, showValue(name, item)]));
  }
  if (typeof value !== 'string') return value;
  if (SECRET.test(key)) return MASK;
  if (key === 'dtab') return Dtab.parse(value).show();
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`);
}
