/** `routers[].client`: what holds for a bound name (balancer, pool, accrual, TLS); for all clients or by prefix of the id. */
import * as defaults from '../../config/defaults.ts';
import type { KindSchema, Z } from '../../config/kind.ts';
import { kindSchema, optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { socketOptionsSchema } from '../../config/sockets.ts';
import { sessionSchema } from '../server/config.ts';
import { globalOrStatic } from '../service/config.ts';
import { backoffSchema, budgetSchema } from '../service/retries-config.ts';
import { balancerKinds } from './balancers/index.ts';

const maxEffort = (z: Z) =>
  optional(scalars.int(z, { min: 1 }), 'Draws before an endpoint that is not available is taken.', defaults.maxEffort);

/** Balancers of the original that p2c stands in for until they are built. */
const balancersToCome: readonly KindSchema[] = [
  {
    kind: 'ewma',
    summary: 'The endpoint with the lower peak latency of two.',
    config: (z) =>
      z.strictObject({
        maxEffort: maxEffort(z),
        decayTimeMs: optional(scalars.int(z, { min: 1 }), 'Time in ms over which latencies are forgotten.', 10_000),
      }),
  },
  {
    kind: 'aperture',
    summary: 'p2c over few endpoints, as many as the load needs.',
    config: (z) =>
      z.strictObject({
        maxEffort: maxEffort(z),
        smoothWindowMs: optional(scalars.int(z, { min: 1 }), 'Time in ms over which load is averaged.', 5000),
        lowLoad: optional(scalars.num(z, { min: 0 }), 'Load per endpoint below which the aperture shrinks.', 0.5),
        highLoad: optional(scalars.num(z, { min: 0 }), 'Load per endpoint above which the aperture grows.', 2.0),
        minAperture: optional(scalars.int(z, { min: 1 }), 'The fewest endpoints.', 1),
      }),
  },
  { kind: 'heap', summary: 'The endpoint with the least requests.', config: (z) => z.strictObject({}) },
];

const successRate = (z: Z) =>
  required(scalars.num(z, { min: 0, max: 1 }), 'Share of successes, 0 to 1, below which an endpoint is taken out.');

const accruals: readonly KindSchema[] = [
  {
    kind: 'io.l5d.consecutiveFailures',
    summary: 'Takes an endpoint out after so many failures in a row.',
    config: (z) => z.strictObject({ failures: required(scalars.int(z, { min: 1 }), 'Failures in a row.') }),
  },
  {
    kind: 'io.l5d.successRate',
    summary: 'Takes an endpoint out when its success rate over so many requests falls too low.',
    config: (z) =>
      z.strictObject({
        successRate: successRate(z),
        requests: required(scalars.int(z, { min: 1 }), 'Requests over which the rate is taken.'),
      }),
  },
  {
    kind: 'io.l5d.successRateWindowed',
    summary: 'Takes an endpoint out when its success rate over some time falls too low.',
    config: (z) =>
      z.strictObject({
        successRate: successRate(z),
        window: required(scalars.int(z, { min: 1 }), 'Seconds over which the rate is taken.'),
      }),
  },
  { kind: 'none', summary: 'Takes no endpoint out.', config: (z) => z.strictObject({}) },
];

/** The keys of a client; also those of an entry of `configs`. */
function clientKeys(z: Z) {
  return {
    tls: optional(
      z.looseObject({ enabled: optional(scalars.bool(z), 'Whether to use TLS.', true) }),
      'TLS to endpoints.',
    ),
    loadBalancer: optional(
      kindSchema(z, {
        noun: 'load balancer',
        kinds: [...balancerKinds, ...balancersToCome],
        common: {
          enableProbation: optional(scalars.bool(z), 'Keep endpoints that discovery lost while they work.', false),
        },
      }),
      'How an endpoint is chosen.',
      { kind: defaults.loadBalancerKind },
    ),
    hostConnectionPool: optional(
      z.strictObject({
        minSize: optional(
          scalars.int(z, { min: 0 }),
          'Idle connections that are kept although idleTimeMs is over.',
          defaults.poolMinSize,
        ),
        maxSize: optional(scalars.int(z, { min: 1 }), 'Most connections; none: no limit.'),
        idleTimeMs: optional(scalars.durationMs(z), 'Close a connection that is unused for so many ms; none: never.'),
        maxWaiters: optional(
          scalars.int(z, { min: 0 }),
          'Requests that may wait for a connection; more go elsewhere or are refused with 503.',
          defaults.poolMaxWaiters,
        ),
      }),
      'Connections to one endpoint.',
    ),
    failFast: optional(scalars.bool(z), 'Avoid an endpoint after a failed connect.', false),
    failureAccrual: optional(
      kindSchema(z, {
        noun: 'failure accrual',
        kinds: accruals,
        common: { backoff: optional(backoffSchema(z), 'Time until an endpoint that was taken out is tried again.') },
      }),
      'When an endpoint that fails is taken out.',
      { kind: 'io.l5d.consecutiveFailures', failures: defaults.accrualFailures },
    ),
    requestAttemptTimeoutMs: optional(scalars.durationMs(z), 'Time in ms for one attempt; none: no limit.'),
    requeueBudget: optional(budgetSchema(z), 'How many requests that never reached an endpoint may be sent again.'),
    clientSession: optional(sessionSchema(z), 'How long a connection may live.'),
    socketOptions: optional(socketOptionsSchema(z, true), 'Options of the connections.'),
    forwardClientCert: optional(scalars.bool(z), "Pass the client's certificate on in a header.", false),
    requestAuthorizers: optional(z.array(z.looseObject({})), 'Checks that each request must pass.', []),
    connectTimeoutMs: optional(scalars.int(z, { min: 1 }), 'Time in ms for a TCP connect.', defaults.connectTimeoutMs),
  };
}

export function clientSchema(z: Z) {
  return globalOrStatic(
    z,
    () => clientKeys(z),
    'Bound ids that this entry is for, as /#/io.l5d.fs/web or with * and {captures}.',
  );
}
