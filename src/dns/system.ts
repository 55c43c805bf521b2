/** What the system's files say about hosts, followed while somebody reads it. */
import { type FileContent, watchFile } from '../files/index.ts';
import { type Activity, derive, hasValue, type Live } from '../live/index.ts';
import { HostsFile } from './hosts-file.ts';
import { DEFAULT_RESOLV_CONF, parseResolvConf, type ResolvConf } from './resolv-conf.ts';

export interface System {
  readonly hosts: HostsFile;
  readonly conf: ResolvConf;
}

export interface SystemPaths {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** Undefined until both files were looked at. A file that is missing or can't be read counts as empty. */
export function followSystem(paths: SystemPaths, lingerMs?: number): Live<System | undefined> {
  const options = lingerMs === undefined ? {} : { lingerMs };
  const hostsText = textOf(watchFile(paths.hosts, options));
  const confText = textOf(watchFile(paths.resolvConf, options));
  const hosts = derive(() => {
    const text = hostsText.value;
    return text === undefined ? undefined : HostsFile.parse(text);
  });
  const conf = derive(() => {
    const text = confText.value;
    if (text === undefined) return undefined;
    return text === '' ? DEFAULT_RESOLV_CONF : parseResolvConf(text);
  });
  return derive(() => {
    const [nowHosts, nowConf] = [hosts.value, conf.value];
    return nowHosts === undefined || nowConf === undefined ? undefined : { hosts: nowHosts, conf: nowConf };
  });
}

function textOf(file: Live<Activity<FileContent>>): Live<string | undefined> {
  return derive(() => {
    const now = file.value;
    if (hasValue(now)) return now.value.state === 'file' ? now.value.text : '';
    return now.phase === 'pending' ? undefined : '';
  });
}
