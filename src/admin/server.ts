/**
 * The administration server: a few small endpoints, on loopback unless configured. Browsers are kept from being used against
 * it: a foreign Host is refused (DNS rebinding), and what changes state wants a POST.
 */
import { type ControlHandler, ControlServer, routesByPath } from '../control-http/index.ts';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';
import type { PathFilter } from './security.ts';

export interface AdminServerOptions {
  /** Names in Host under which the server may be asked, beside IP addresses and localhost. */
  readonly hosts?: readonly string[] | undefined;
  /** Which paths are served; all when left out. */
  readonly filter?: PathFilter | undefined;
  /** Where it counts what it does (`adminhttp`); nowhere when left out. */
  readonly metrics?: MetricRegistry | undefined;
}

/** Handlers by path; one whose path ends with `/` (but for `/` itself) serves all below it. */
export function adminServer(
  handlers: ReadonlyMap<string, ControlHandler>,
  log: Log,
  options: AdminServerOptions = {},
): ControlServer {
  const { filter, hosts, metrics } = options;
  const byPath = routesByPath(handlers);
  return new ControlServer({
    name: 'admin server',
    log,
    hosts,
    hostsKey: 'admin.hosts',
    metrics: metrics?.scope(['adminhttp']),
    route: (path) => (filter === undefined || filter(path) ? byPath(path) : undefined),
  });
}
