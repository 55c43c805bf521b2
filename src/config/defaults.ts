/**
 * Every default value of linkerd.yaml, in one place: what a key is worth when the user left it out. A validated config holds
 * only what the user wrote, so the rooms read `config.key ?? defaults.key`. The JSON Schema shows the same constants.
 *
 * The unit stands at the end of the name; `1.7.5` in a comment means that the value is the original's.
 */

// -- reading a config

/** Bytes a config file may have; a file above it is not a config, but a mistake. */
export const maxConfigBytes = 4 * 1024 * 1024;
/** Values a config may have after its aliases are expanded; bounds an alias bomb (each level doubling the last). */
export const maxConfigValues = 100_000;
/** Levels of maps and lists; the deepest key of linkerd.yaml stands at level 9. */
export const maxConfigDepth = 64;

// -- top level

/**
 * Data-plane workers when `workers` is left out: as many as there are CPUs for this process, but no more than this. One
 * carries what a host usually needs; the second is for bursts and for what the first may not survive.
 */
export const maxDefaultWorkers = 2;

/**
 * Share of the memory of its container, or of the machine, above which requests are refused. What is left is for what they need
 * while they end, and for a collection of garbage.
 */
export const memoryShare = 0.85;
/** The same of the JavaScript heap of each thread, of which Node sets the limit. */
export const heapShare = 0.8;

// -- admin

/** 1.7.5. Loopback, because the admin API can stop the process. */
export const adminIp = '127.0.0.1';
/** 1.7.5. */
export const adminPort = 9990;
/** 1.7.5. Time in ms that requests in flight get to finish after SIGTERM. */
export const shutdownGraceMs = 10_000;

// -- routers

/** 1.7.5. */
export const dstPrefix = '/svc';
/** 1.7.5. Time in ms for a name to be bound. */
export const bindingTimeoutMs = 10_000;
/** 1.7.5. Entries of each of the four layers of the binding cache. */
export const bindingCacheEntries = 1000;
/** 1.7.5. Seconds an unused binding is kept. */
export const bindingIdleTtlSecs = 600;
/** KiB of one message's header block. 1.7.5 has 8, which large cookies and tokens exceed; 60 is Envoy's. */
export const maxHeadersKB = 60;
/** KiB of a request line. 1.7.5 has 4; 8 is nginx's. */
export const maxInitialLineKB = 8;
/** 1.7.5. KiB of an error body that the router itself writes. */
export const maxErrResponseKB = 5120;
/** 1.7.5. KiB up to which a body with Content-Length is kept for a retry. */
export const streamAfterContentLengthKB = 5;
/** KiB of a body that is collected whole. 1.7.5 has 2 GiB, with which a handful of requests can take all memory. */
export const maxBufferedBodyKB = 5120;
/** 1.7.5 has -1. Off, because compressing costs more than all else that a proxy does. */
export const compressionLevel = 0;

/** The default identifier of http routers. 1.7.5. */
export const identifierKind = 'io.l5d.header.token';
/** 1.7.5. */
export const interpreterKind = 'default';

// -- interpreters that ask namerd

/** 1.7.5. Namespace of namerd, as a path. */
export const meshRoot = '/default';
/** 1.7.5, of io.l5d.mesh. Seconds from the first failed attempt to connect to the second. */
export const meshRetryBaseSeconds = 1;
/**
 * Seconds between attempts at the most. 1.7.5 has 600, with which a proxy may not notice for ten minutes that namerd is back; ten
 * seconds cost namerd one refused connection.
 */
export const meshRetryMaxSeconds = 10;
/** 1.7.5. KiB that namerd may send on one stream before they are read. */
export const meshStreamWindowKB = 10_240;
/** 1.7.5, of `failureThreshold` when it stands there. ms between two pings, and for the answer to one. */
export const meshPingMs = 5_000;
export const meshPingTimeoutMs = 6_000;
/** The same where there is more than one namerd: the next one is at work within 2 s. */
export const meshFailOverPingMs = 750;
export const meshFailOverPingTimeoutMs = 750;
/** 1.7.5, of io.l5d.namerd.http. */
export const namerdNamespace = 'default';
/**
 * Seconds, of io.l5d.namerd.http. 1.7.5 has 5 and 600, with which a proxy may not notice for ten minutes that namerd is back; ten
 * seconds cost namerd one refused connection.
 */
export const namerdHttpRetryBaseSeconds = 1;
export const namerdHttpRetryMaxSeconds = 10;
/** Where systemd gives no STATE_DIRECTORY. */
export const stateDirectory = '/var/lib/signpost';
/** Hours that what a name was bound to last is good for, where nobody can tell any more. */
export const snapshotMaxAgeHours = 24;

// -- servers

/** 1.7.5. Loopback: a proxy that listens on all addresses must say so. */
export const serverIp = '127.0.0.1';
/** Ports of servers that name none, by protocol. 1.7.5. */
export const serverPort: Readonly<Record<string, number>> = {
  http: 4140,
  h2: 4142,
  thrift: 4114,
  mux: 4141,
  thriftmux: 4144,
};
/** 1.7.5. Requests with more Via entries than this are taken for a loop. */
export const maxCallDepth = 1000;
/** Header fields of one message. The original has no such limit; 200 is what a mesh hop needs with room to spare. */
export const maxHeaders = 200;
/** Header fields of a request at an edge, where no other proxy adds any. As Envoy. */
export const edgeMaxHeaders = 100;
/** Time in ms from the first byte of a head to its end, so that a slow sender holds no connection for ever. */
export const headerTimeoutMs = 10_000;
/** The same at an edge, where clients may be far away. As nginx and Node. */
export const edgeHeaderTimeoutMs = 60_000;
/** Time in ms that a kept-alive connection may stay without a request. Above the 60 s that common clients pool for. */
export const idleTimeoutMs = 75_000;

/** Bytes of a request's dtab override; it is a handful of entries. */
export const maxOverrideBytes = 1024;
/** What an override reaches under `/$/inet`. 1.7.5 has no such limit; nobody overrides to a cloud's metadata server. */
export const overrideInet = 'deny-link-local';
/** The same at an edge that accepts overrides: strangers choose among names, not among all addresses there are. */
export const edgeOverrideInet = 'deny';

// -- clients

/** 1.7.5: there it could not be changed. Time in ms for one TCP connect. */
export const connectTimeoutMs = 1000;
/** 1.7.5. */
export const loadBalancerKind = 'p2c';
/** 1.7.5. Draws before an endpoint is taken that would rather not be. */
export const maxEffort = 5;
/** 1.7.5. Time in ms over which ewma forgets latencies. */
export const ewmaDecayTimeMs = 10_000;
/** 1.7.5. Time in ms over which aperture averages the load. */
export const apertureSmoothWindowMs = 5000;
/** 1.7.5. Requests in flight for each endpoint at which an aperture shrinks, */
export const apertureLowLoad = 0.5;
/** 1.7.5. and at which it grows. */
export const apertureHighLoad = 2;
/** 1.7.5. */
export const minAperture = 1;
/** Requests that may wait for a connection to one endpoint. 1.7.5 has no limit, so that a queue grows until memory ends. */
export const maxWaiters = 10_000;
/** 1.7.5. Idle connections per endpoint that are kept whatever their age. */
export const poolMinSize = 0;

// -- services

/** 1.7.5. */
export const classifierKind = 'io.l5d.http.nonRetryable5XX';

// -- retries and failure accrual

/** 1.7.5. Consecutive failures that eject an endpoint. */
export const accrualFailures = 5;
/** 1.7.5. ms for which an endpoint is out at first, */
export const accrualBackoffMs = 5000;
/** 1.7.5. and at most, after as many tries as it takes. */
export const accrualMaxBackoffMs = 300_000;
/**
 * The most endpoints that may be out, in percent. The original has no such limit: all of them, and then all are used.
 */
export const maxEjectionPercent = 100;
/** 1.7.5. With failFast: ms until a connect is tried again at first, */
export const failFastBackoffMs = 1000;
/** 1.7.5. and at most. */
export const failFastMaxBackoffMs = 32_000;
/** 1.7.5. Seconds over which a budget is counted. */
export const budgetTtlSecs = 10;
/** 1.7.5. */
export const budgetMinRetriesPerSec = 10;
/** 1.7.5. A fraction: 0.2 is one retry for five requests. */
export const budgetPercentCanRetry = 0.2;
/** 1.7.5, of a constant backoff that says no time. ms between retries. */
export const backoffMs = 0;
/**
 * The backoff of retries that have none: jittered between these, in ms. 1.7.5 waits for nothing, and so sends all its retries into
 * the very moment in which an endpoint is in trouble. Three of these take 130 ms at most.
 */
export const retryBackoffMinMs = 10;
export const retryBackoffMaxMs = 500;
/** Further tries of one request, retries and requeues together. 1.7.5 goes on while the budget lasts: about 100 times. */
export const maxPerRequest = 3;
/** The longest Retry-After in ms that is waited for; a client should not be kept waiting for what it can be told. */
export const maxRetryAfterMs = 1000;

// -- access logs

/** 1.7.5. When a new file is begun. */
export const accessLogRollPolicy = 'never';
/** 1.7.5. Whether what the file holds at the start is kept. */
export const accessLogAppend = true;
/** 1.7.5. Rolled files that are kept: all. */
export const accessLogRotateCount = -1;

// -- telemetry

/** 1.7.5. */
export const prometheusPath = '/admin/metrics/prometheus';
/** 1.7.5. */
export const zipkinPort = 9410;
/** 1.7.5. */
export const zipkinSampleRate = 0.001;
/** 1.7.5. */
export const statsdPort = 8125;
/** 1.7.5. ms between gauges. */
export const statsdGaugeIntervalMs = 10_000;
/** 1.7.5. */
export const statsdSampleRate = 0.01;
/** 1.7.5. Traces kept for the page. */
export const recentRequestsCapacity = 10;
