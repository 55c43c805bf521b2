/**
 * The metric tree of an http router: every name that Signpost records, with its type and meaning, in one place. The
 * names are the original's (reference: its own metrics.json and Prometheus text); those of its names that are not here
 * stand in test/metrics-missing.json, with the reason. `{...}` stands for one segment or more of any text.
 */

export type MetricType = 'counter' | 'gauge' | 'stat';

/**
 * How a gauge of several threads becomes one number: most are added (connections); what every thread sees whole, such as
 * the size of a replica set, is not (`max`).
 */
export type GaugeMerge = 'sum' | 'max';

export interface MetricDefinition {
  /** Below the scope's path. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Of a gauge that is not added over the threads. */
  readonly merge?: GaugeMerge;
  /** No thread records it: the collector makes it of what threads record. */
  readonly derived?: true;
  /** Only some configs have it: made when it is first set, in no block. */
  readonly optional?: true;
}

export interface ScopeDefinition {
  /** Segments; `{...}` is one segment, which may contain `/`. */
  readonly path: readonly string[];
  readonly metrics: readonly MetricDefinition[];
  /** There are many such scopes, and each has all of its metrics but those that are rare: see shapes.ts. */
  readonly inBlocks?: true;
}

const counter = (name: string, help: string): MetricDefinition => ({ name, type: 'counter', help });
const gauge = (name: string, help: string, merge: GaugeMerge = 'sum'): MetricDefinition =>
  merge === 'sum' ? { name, type: 'gauge', help } : { name, type: 'gauge', help, merge };
const stat = (name: string, help: string): MetricDefinition => ({ name, type: 'stat', help });
const optional = (metric: MetricDefinition): MetricDefinition => ({ ...metric, optional: true });
const derived = (name: string, help: string): MetricDefinition => ({ name, type: 'gauge', help, derived: true });

/** What servers, services and clients all count. */
const requests: readonly MetricDefinition[] = [
  counter('requests', 'Requests that began.'),
  counter('success', 'Requests that were answered and classified as successes.'),
  counter('failures', 'Requests that failed or were classified as failures.'),
  counter('failures/{exception}', 'Failures by class: of the original, where it has one.'),
  gauge('pending', 'Requests in flight.'),
  stat('request_latency_ms', 'Time in ms from a request to the end of its response.'),
];

/** What servers and clients count of connections. */
const connections: readonly MetricDefinition[] = [
  counter('connects', 'Connections opened.'),
  counter('closes', 'Connections closed.'),
  gauge('connections', 'Connections that are open.'),
  counter('received_bytes', 'Bytes received on connections.'),
  counter('sent_bytes', 'Bytes sent on connections.'),
  counter('read_timeout', 'Connections closed because nothing could be read for too long.'),
  counter('write_timeout', 'Connections closed because nothing could be written for too long.'),
  stat('connection_duration', 'Life of a connection in ms.'),
  stat('connection_requests', 'Requests on a connection.'),
];

const statuses: readonly MetricDefinition[] = [
  counter('status/{code}', 'Responses by status.'),
  ...['1XX', '2XX', '3XX', '4XX', '5XX'].map((group) =>
    counter(`status/${group}`, `Responses with a status ${group}.`),
  ),
  counter('status/error', 'Requests without a response.'),
];

export const metricTree: readonly ScopeDefinition[] = [
  {
    path: ['rt', '{router}'],
    metrics: [gauge('originator', '1 if requests begin here: the router adds no hop to a chain.', 'max')],
  },
  {
    path: ['rt', '{router}', 'server', '{server}'],
    inBlocks: true,
    metrics: [
      ...requests,
      ...connections,
      ...statuses,
      counter('nacks', 'Requests refused because too many were in flight, or memory was short.'),
      stat('connection_received_bytes', 'Bytes received on a connection.'),
      stat('connection_sent_bytes', 'Bytes sent on a connection.'),
      stat('request_payload_bytes', 'Bytes of a request body.'),
      stat('response_payload_bytes', 'Bytes of a response body.'),
      counter('admission_control/deadline/exceeded', 'Requests that came after their deadline.'),
      counter('admission_control/deadline/rejected', 'Requests that were refused for that.'),
      stat('admission_control/deadline/expired_ms', 'How long in ms after their deadline they came.'),
      stat('admission_control/deadline/remaining_ms', 'Time in ms that a request had until its deadline when it came.'),
      stat('dtab/size', 'Dentries of a local dtab, of requests that have one.'),
      ...['1XX', '2XX', '3XX', '4XX', '5XX'].map((group) =>
        stat(`time/${group}`, `Time in ms to a response with a status ${group}.`),
      ),
      stat('time/error', 'Time in ms until a request ended without a response.'),
      counter('thread_usage/requests/per_thread/{thread}', 'Requests that a worker thread took.'),
      derived('thread_usage/requests/mean', 'Requests of a worker thread, on average.'),
      derived('thread_usage/requests/stddev', 'Standard deviation of the requests of the worker threads.'),
      derived('thread_usage/requests/relative_stddev', 'The standard deviation as a share of the mean: 0 is even.'),
    ],
  },
  {
    path: ['rt', '{router}', 'service', '{service}'],
    inBlocks: true,
    metrics: [
      ...requests,
      counter('retries/total', 'Requests sent again after a failure that the response classifier calls retryable.'),
      stat('retries/per_request', 'How often a request was retried.'),
      gauge('retries/budget', 'Retries that are allowed now.', 'max'),
      counter('retries/budget_exhausted', 'Failures not retried, because no retries were left.'),
      counter('retries/backoffs_exhausted', 'Failures not retried, because there had been enough or was no time.'),
    ],
  },
  {
    path: ['rt', '{router}', 'client', '{client}'],
    inBlocks: true,
    metrics: [
      ...requests,
      ...connections,
      ...statuses,
      gauge('available', '1 if there is an endpoint that requests may go to.', 'max'),
      counter('cancelled_connects', 'Connects given up before they were through.'),
      stat('connect_latency_ms', 'Time in ms to open a connection.'),
      stat('failed_connect_latency_ms', 'Time in ms until a connect failed.'),
      gauge('pool_size', 'Connections in use.'),
      gauge('pool_cached', 'Idle connections.'),
      gauge('pool_waiters', 'Requests that wait for a connection.'),
      counter('pool_num_waited', 'Requests that had to wait for a connection.'),
      counter('pool_num_too_many_waiters', 'Requests refused because too many waited for a connection.'),
      gauge('loadbalancer/size', 'Endpoints of the replica set.', 'max'),
      gauge('loadbalancer/available', 'Endpoints that requests may go to.', 'max'),
      gauge('loadbalancer/busy', 'Endpoints that failure accrual or failFast have taken out.', 'max'),
      gauge('loadbalancer/load', 'Requests in flight to all endpoints.'),
      gauge('loadbalancer/num_weight_classes', 'Different weights among the endpoints.', 'max'),
      gauge('loadbalancer/meanweight', 'Mean weight of the endpoints.', 'max'),
      gauge('loadbalancer/algorithm/{algorithm}', '1 for the kind of balancer that is used.', 'max'),
      counter('loadbalancer/adds', 'Endpoints added.'),
      counter('loadbalancer/removes', 'Endpoints removed.'),
      counter('loadbalancer/updates', 'Updates of the replica set.'),
      counter(
        'loadbalancer/rebuilds',
        'How often the balancer got other endpoints: after updates, and when some are taken out or good again.',
      ),
      counter(
        'loadbalancer/max_effort_exhausted',
        'Requests for which no endpoint was found that is in and has a connection to spare.',
      ),
      optional(gauge('loadbalancer/aperture', 'Endpoints that an aperture balancer is over.', 'max')),
      counter('failure_accrual/removals', 'Endpoints taken out for their failures.'),
      counter('failure_accrual/revivals', 'Endpoints that were good again.'),
      counter('failure_accrual/probes', 'Requests sent to an endpoint that was out, to see whether it is good again.'),
      counter('failure_accrual/removed_for_ms', 'Time in ms for which endpoints were taken out, all together.'),
      optional(counter('failfast/marked_dead', 'Endpoints left alone because a connect failed.')),
      optional(counter('failfast/marked_available', 'Endpoints that could be connected to again.')),
      optional(gauge('failfast/is_marked_dead', 'Endpoints that are left alone because connects failed.', 'max')),
      optional(
        gauge('failfast/unhealthy_for_ms', 'Time in ms for which connects to one of them have failed, at most.', 'max'),
      ),
      optional(gauge('failfast/unhealthy_num_tries', 'Connects to one of them that have failed, at most.', 'max')),
      counter('retries/requeues', 'Requests sent again, because no endpoint can have acted on them.'),
      stat('retries/requeues_per_request', 'How often a request was sent again.'),
      gauge('retries/budget', 'Requeues that are allowed now.', 'max'),
      counter('retries/budget_exhausted', 'Requests not sent again, because no requeues were left.'),
      counter('retries/request_limit', 'Requests not sent again, because they had been too often.'),
      counter('retries/cannot_retry', 'Requests lost on the way that may not, or can not, be sent twice.'),
      counter('retries/not_open', 'Requests not sent again, because no other endpoint was left.'),
      counter('service_creation/failures', 'Requests for which no connection was to be had.'),
      counter('service_creation/failures/{exception}', 'The same by class of failure.'),
      stat('service_creation/service_acquisition_latency_ms', 'Time in ms to get a connection, new or idle.'),
    ],
  },
  { path: ['rt', '{router}', 'client', '{client}', 'service', '{service}'], inBlocks: true, metrics: requests },
  {
    path: ['rt', '{router}', 'bindcache', 'path'],
    metrics: [
      counter('misses', 'Names that had to be bound.'),
      counter('evicts', 'Names that made room for others.'),
      counter('expires', 'Names that were unused for too long.'),
    ],
  },
  {
    path: ['rt', '{router}', 'bindcache', 'client'],
    metrics: [
      counter('misses', 'Clients that had to be made.'),
      counter('expires', 'Clients that no name led to any more.'),
    ],
  },
  {
    path: ['adminhttp'],
    metrics: [
      ...requests.filter(({ name }) => name !== 'failures/{exception}'),
      ...connections.filter(({ name, type }) => type !== 'stat' && !name.endsWith('_timeout')),
      counter('refused_connections', 'Connections closed at once, because there were as many as may be.'),
      optional(counter('auth/no_credentials', 'Calls that show neither a token nor a certificate that is believed.')),
      optional(counter('auth/unknown_token', "Calls with a token that is nobody's.")),
      optional(counter('auth/denied', 'Calls for what the grants of whoever is known do not allow.')),
    ],
  },
  {
    path: ['jvm'],
    metrics: [
      gauge('uptime', 'Time in ms since the process began.'),
      gauge('start_time', 'When the process began, in ms since 1970.'),
      gauge('num_cpus', 'CPUs that the process may use.'),
      gauge('fd_count', 'File descriptors that are open.'),
      gauge('fd_limit', 'File descriptors that may be open.'),
      gauge('thread/count', 'Threads of the operating system.'),
      gauge('heap/used', 'Bytes in use on the heaps of all JavaScript threads.'),
      gauge('heap/committed', 'Bytes that the heaps of all JavaScript threads have taken.'),
      gauge('heap/max', 'Bytes that the heaps of all JavaScript threads may take.'),
      gauge('gc/cycles', 'Garbage collections in all JavaScript threads.'),
      gauge('gc/msec', 'Time in ms of all garbage collections.'),
    ],
  },
  {
    path: ['process'],
    metrics: [
      counter('uncaught_errors', 'Errors that nobody caught: each is a defect, and is logged.'),
      counter('observer_errors', 'Errors of those who watch live values.'),
      gauge('shared_cells/held', 'Services, clients and endpoints of which all workers share what they must.'),
      counter('shared_cells/refused', 'The same, where each worker is on its own, because there are too many.'),
    ],
  },
  {
    path: ['telemetry', 'recentRequests'],
    metrics: [counter('dropped', 'Requests that were drawn but not shown, because too many came at once.')],
  },
  {
    path: ['metrics'],
    metrics: [
      gauge('live', 'Metrics in all threads.'),
      counter('refused', 'Metrics that were not made, because too many live.'),
    ],
  },
];

/**
 * Upper bounds in ms of the classic histogram buckets. The original has none: they stand beside its summaries, because
 * percentiles of several hosts can't be merged.
 */
const LATENCY_BOUNDS_MS: readonly number[] = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/**
 * The bounds of a stat's classic buckets: what servers, services and clients need for requests. Null for any other, since
 * they cost 17 lines a scrape each.
 */
export function bucketBounds(path: readonly string[], name: string): readonly number[] | null {
  return name === 'request_latency_ms' && path.length === 4 ? LATENCY_BOUNDS_MS : null;
}

/**
 * What stands in `failures/{exception}`: the classes that the original counts, where it is known to count one. A failure
 * with several segments is counted at each level, see failureNames().
 */
export const failureClass = {
  /** A response that was classified as a failure, such as any 5XX. */
  response: 'com.twitter.finagle.service.ResponseClassificationSyntheticException',
  unidentified: 'io.buoyant.router.RoutingFactory$UnknownDst',
  /** A service that is bound to nothing or to no endpoint. */
  unbound: 'com.twitter.finagle.naming.buoyant.RichNoBrokersAvailableException',
  /** A client without endpoints, under `service_creation/failures`. */
  noEndpoint: 'com.twitter.finagle.NoBrokersAvailableException',
  /** A service that no endpoint of could be connected to, and what its client counts then. */
  connectFailed: 'restartable/com.twitter.finagle.naming.buoyant.RichConnectionFailedExceptionWithPath',
  cannotConnect: 'com.twitter.finagle.naming.buoyant.RichConnectionFailedException',
  bindingTimeout: 'com.twitter.finagle.naming.buoyant.DynBoundTimeoutException',
  backendClosed: 'com.twitter.finagle.ChannelClosedException',
  /** The request took too long, all tries together. */
  timeout: 'com.twitter.finagle.GlobalRequestTimeoutException',
  /** One try did. */
  attemptTimeout: 'com.twitter.finagle.IndividualRequestTimeoutException',
  /** Whoever asked has gone, or waits no longer. */
  cancelled: 'com.twitter.finagle.CancelledRequestException',
  overloaded: 'rejected/com.twitter.finagle.Failure/java.util.concurrent.RejectedExecutionException',
  tooManyWaiters: 'com.twitter.finagle.TooManyWaitersException',
} as const;

/** The counters of a failure beside `failures`: `a/b` gives `failures/a` and `failures/a/b`. */
export function failureNames(failure: string): string[] {
  const segments = failure.split('/');
  return segments.map((_, at) => ['failures', ...segments.slice(0, at + 1)].join('/'));
}

const byScope = metricTree.map(({ path, metrics }) => ({ path, find: finder(metrics) }));

/** The definition of a metric of the tree; null when it is none of it. */
export function describe(path: readonly string[], name: string): MetricDefinition | null {
  const scope = byScope.find((candidate) => matches(candidate.path, path));
  return scope?.find(name) ?? null;
}

export function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length && pattern.every((segment, at) => segment.startsWith('{') || segment === path[at])
  );
}

function finder(metrics: readonly MetricDefinition[]): (name: string) => MetricDefinition | undefined {
  const literal = new Map(metrics.map((metric) => [metric.name, metric]));
  const open = metrics
    .filter(({ name }) => name.endsWith('}'))
    .map((metric) => [metric.name.slice(0, metric.name.indexOf('{')), metric] as const);
  return (name) => literal.get(name) ?? open.find(([prefix]) => name.startsWith(prefix))?.[1];
}
