/** The telemeters of the config, made. */
import type { KindConfig } from '../config/kind.ts';
import { type RecentRequests, type Telemeter, telemeterKinds } from '../telemetry/index.ts';

/** Kinds that are not built yet are left out: the config check has warned of them. */
export function createTelemeters(configs: readonly KindConfig[]): Telemeter[] {
  return configs.flatMap((config) => {
    const kind = telemeterKinds.find((candidate) => candidate.kind === config.kind);
    return kind === undefined ? [] : [kind.create(config as never, undefined as never)];
  });
}

/** The one that wants to be told of requests; of several the last, since they are shown on one page. */
export function recentRequestsOf(telemeters: readonly Telemeter[]): RecentRequests | undefined {
  return telemeters.findLast((telemeter) => telemeter.kind === 'io.l5d.recentRequests');
}
