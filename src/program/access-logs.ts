/** The rule that a file which several access logs go into is rolled in one way: in a process they share it. */
import { resolve } from 'node:path';
import type { AccessLogProtocol } from '../access-log/config.ts';
import * as defaults from '../config/defaults.ts';
import type { Rule } from '../config/load.ts';
import { type KeyPath, showKeyPath } from '../config/problem.ts';
import { toBoolean, toInteger } from '../config/scalars.ts';
import { asMap, asText, type ConfigMap } from './config-tree.ts';

/** What may have an access log, and where it stands. */
export type AccessLogSection = readonly [config: ConfigMap, path: KeyPath, protocol: AccessLogProtocol];

export function consistentAccessLogs(sections: (root: ConfigMap) => Iterable<AccessLogSection>): Rule {
  return (root, report) => {
    const first = new Map<string, { readonly options: string; readonly path: KeyPath }>();
    for (const [config, section, protocol] of sections(asMap(root))) {
      const name = asText(config[`${protocol}AccessLog`]);
      if (name === undefined) continue;
      const path = [...section, `${protocol}AccessLog`];
      const options = optionsOf(config, `${protocol}AccessLog`);
      const other = first.get(resolve(name));
      if (other === undefined) first.set(resolve(name), { options, path });
      else if (other.options !== options) {
        const message = `the file is that of ${showKeyPath(other.path)} too; give both the same RollPolicy, Append and RotateCount`;
        report({ path, message });
      }
    }
  };
}

/** Equal texts for what means the same. */
function optionsOf(config: ConfigMap, key: string): string {
  const policy = asText(config[`${key}RollPolicy`]) ?? defaults.accessLogRollPolicy;
  const append = toBoolean(config[`${key}Append`]) ?? defaults.accessLogAppend;
  const count = toInteger(config[`${key}RotateCount`]) ?? defaults.accessLogRotateCount;
  return `${policy.toLowerCase()} ${append} ${count}`;
}
