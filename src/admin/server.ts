/**
 * The administration server: a few small endpoints, on loopback unless configured. Browsers are kept from being used against
 * it: a foreign Host is refused (DNS rebinding), and what changes state wants a POST.
 */
import * as defaults from '../config/defaults.ts';
import { type ControlHandler, ControlServer, forbidden, routesByPath } from '../control-http/index.ts';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';
import type { AdminConfig } from './config.ts';
import { isControl, pathFilter } from './security.ts';

/** Handlers by path; one whose path ends with `/` (but for `/` itself) serves all below it. */
export function adminServer(
  handlers: ReadonlyMap<string, ControlHandler>,
  log: Log,
  { hosts, security, socketOptions, tls, auth }: AdminConfig = {},
  /** Where it counts what it does (`adminhttp`); nowhere when left out. */
  metrics?: MetricRegistry,
): ControlServer {
  const isServed = security === undefined ? () => true : pathFilter(security);
  const byPath = routesByPath(handlers);
  return new ControlServer({
    name: 'admin server',
    log,
    hosts,
    hostsKey: 'admin.hosts',
    metrics: metrics?.scope(['adminhttp']),
    socketOptions,
    tls,
    auth,
    // Probes have no tokens, and it tells nothing.
    isOpenPath: (path) => path === '/admin/ping',
    route: (path) => {
      const handler = isServed(path) ? byPath(path) : undefined;
      return handler === undefined || !isControl(path) ? handler : controlled(handler);
    },
  });
}

/** Where a browser finds the admin server that listens on `port`. */
export function adminUrl({ ip = defaults.adminIp, tls }: AdminConfig = {}, port: number): string {
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}

/** To look at what can be changed is not to change it. */
function controlled(handler: ControlHandler): ControlHandler {
  return (request) =>
    request.identity.mayControl || (isReading(request.method) && !request.path.startsWith('/admin/pprof/'))
      ? handler(request)
      : forbidden('control this process');
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
