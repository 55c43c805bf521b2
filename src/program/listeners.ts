/** The rule that no two servers of a process listen on the same address. */
import type { Rule } from '../config/load.ts';
import { type KeyPath, showKeyPath } from '../config/problem.ts';
import { toInteger } from '../config/scalars.ts';
import { asMap, asText, type ConfigMap } from './config-tree.ts';

export interface Listener {
  readonly ip: string;
  readonly port: number;
  /** What it is called in messages. */
  readonly owner: KeyPath;
  /** Where its port stands; the section where that is left out. */
  readonly path: KeyPath;
  readonly isDefault: boolean;
}

/**
 * The listener of a section with `ip` and a port at `key`; `ip` and `fallback` are the defaults. None where there is neither
 * port nor default, and none for port 0, which is another one each time.
 */
export function* listener(
  config: ConfigMap,
  path: KeyPath,
  ip: string,
  fallback: number | undefined,
  key = 'port',
): Generator<Listener> {
  const isDefault = config[key] === undefined;
  const port = isDefault ? fallback : toInteger(config[key]);
  if (port === undefined || port === 0) return;
  const keyPath = [...path, key];
  const owner = key === 'port' ? path : keyPath;
  yield { ip: asText(config['ip']) ?? ip, port, owner, path: isDefault ? path : keyPath, isDefault };
}

/** Two listeners of one process can't share an address; the wildcard addresses overlap with every other. */
export function uniqueListeners(listeners: (root: ConfigMap) => Iterable<Listener>): Rule {
  return (root, report) => {
    const seen: Listener[] = [];
    for (const listener of listeners(asMap(root))) {
      const other = seen.find((earlier) => clash(earlier, listener));
      seen.push(listener);
      if (other === undefined) continue;
      const origin = listener.isDefault ? ' (the default)' : '';
      report({
        path: listener.path,
        message: `port ${listener.port}${origin} is taken by ${showKeyPath(other.owner)}; give each its own port`,
      });
    }
  };
}

const wildcards = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

const clash = (a: Listener, b: Listener): boolean =>
  a.port === b.port && (a.ip === b.ip || wildcards.has(a.ip) || wildcards.has(b.ip));
