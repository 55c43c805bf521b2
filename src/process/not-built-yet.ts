/** The rows of linkerd.yaml that are not built yet (program/not-built.ts). Whoever builds one deletes its row. */
import { toBoolean } from '../config/scalars.ts';
import { type NotBuilt, refused, unreadKinds, warned } from '../program/not-built.ts';

const isFalse = (value: unknown): boolean => toBoolean(value) === false;
const isTrue = (value: unknown): boolean => toBoolean(value) === true;
const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
/** The TLS of a client may be switched off by name, above all in a static entry. */
const isSwitchedOff = (value: unknown): boolean => isFalse((value as { enabled?: unknown } | undefined)?.enabled);

export const notBuiltYet: readonly NotBuilt[] = [
  // -- routing would be lost
  ...refused('routers[]', ['h2', 'thrift', 'mux', 'thriftmux'], 'its requests would not be routed'),
  ...refused(
    'namers[]',
    [
      'io.l5d.consul',
      'io.l5d.curator',
      'io.l5d.dnssrv',
      'io.l5d.k8s',
      'io.l5d.k8s.external',
      'io.l5d.k8s.istio',
      'io.l5d.k8s.ns',
      'io.l5d.marathon',
      'io.l5d.rancher',
      'io.l5d.serversets',
      'io.l5d.zkLeader',
    ],
    'names under its prefix would not be found',
  ),
  ...refused(
    'routers[].interpreter',
    ['io.l5d.consul.interpreter', 'io.l5d.k8s.configMap', 'io.l5d.k8s.istio', 'io.l5d.namerd'],
    'names would be bound without its dtab',
  ),
  ...refused(
    'routers[].identifier',
    ['io.l5d.ingress', 'io.l5d.k8s.istio', 'io.l5d.k8s.istio-ingress'],
    'requests would be named otherwise',
  ),
  ...refused(
    'transformers[]',
    ['io.l5d.k8s.daemonset', 'io.l5d.k8s.localnode'],
    'requests would go to other endpoints',
  ),

  // -- security would be weakened
  { at: 'servers[].tls', refuse: true, consequence: 'the server would listen without TLS' },
  { at: 'client.tls', refuse: true, consequence: 'requests would be sent without TLS', harmless: isSwitchedOff },
  { at: 'client.requestAuthorizers', refuse: true, consequence: 'requests would go unchecked', harmless: isEmpty },
  {
    at: 'client.forwardClientCert',
    refuse: true,
    consequence: "a client could write another's certificate into the header",
    harmless: isFalse,
  },

  // -- top level and admin
  { at: 'admin.socketOptions.readTimeoutMs', consequence: 'a request has 15 s, an idle connection 5 s' },
  { at: 'admin.socketOptions.writeTimeoutMs', consequence: 'a client may take its time to read' },
  { at: 'admin.workerThreads', consequence: 'the admin server runs on the main thread' },
  ...warned('telemetry[]', ['io.l5d.statsd', 'io.l5d.tracelog', 'io.l5d.zipkin'], 'it exports nothing'),

  // -- routers
  { at: 'routers[].announcers', consequence: 'servers are announced nowhere', harmless: isEmpty },
  { at: 'routers[].httpAccessLog', consequence: 'no access log is written' },
  { at: 'routers[].httpAccessLogRollPolicy', consequence: 'no access log is written' },
  { at: 'routers[].httpAccessLogAppend', consequence: 'no access log is written' },
  { at: 'routers[].httpAccessLogRotateCount', consequence: 'no access log is written' },
  { at: 'routers[].tracePropagator', kind: 'io.l5d.zipkin', consequence: 'traces travel in l5d-ctx-trace' },

  { at: 'bindingCache.trees', consequence: 'trees live as long as the names of `paths`' },
  { at: 'bindingCache.bounds', consequence: 'bound names live as long as the names of `paths`' },
  { at: 'bindingCache.clients', consequence: 'clients live as long as the names of `paths`' },

  // -- servers
  { at: 'servers[].label', consequence: 'logs and metrics name a server by its ip and port' },
  { at: 'servers[].announce', consequence: 'the server is announced nowhere', harmless: isEmpty },

  // -- socket options of servers and clients
  { at: 'socketOptions.reuseAddr', consequence: 'addresses are reused', harmless: isTrue },
  { at: 'client.socketOptions.backlog', consequence: 'clients do not listen' },
  { at: 'client.socketOptions.reusePort', consequence: 'clients do not listen', harmless: isFalse },

  // -- clients
];

/** The kinds of a section that are refused: they are known by name, and their keys are not looked at. */
export function refusedKinds(at: string): string[] {
  return unreadKinds(notBuiltYet, at);
}
