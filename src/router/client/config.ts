/** `routers[].client`: what holds for a bound name (balancer, pool, accrual, TLS); for all clients or by prefix of the id. */
import * as defaults from '../../config/defaults.ts';
import type { Z } from '../../config/kind.ts';
import { kindSchema, optional } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { socketOptionsSchema } from '../../config/sockets.ts';
import { sessionSchema } from '../server/config.ts';
import { globalOrStatic } from '../service/config.ts';
import { budgetSchema } from '../service/retries-config.ts';
import { balancerKinds } from './balancers/index.ts';
import { accrualSchema } from './failure-accrual/index.ts';

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
        kinds: balancerKinds,
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
        maxSize: optional(
          scalars.int(z, { min: 1 }),
          'Most connections, of all workers together, but one for each worker at least; none: no limit.',
        ),
        idleTimeMs: optional(scalars.durationMs(z), 'Close a connection that is unused for so many ms; none: never.'),
        maxWaiters: optional(
          scalars.int(z, { min: 0 }),
          'Requests that may wait for a connection, in all workers together; more go elsewhere or are refused with 503.',
          defaults.maxWaiters,
        ),
      }),
      'Connections to one endpoint.',
    ),
    failFast: optional(
      scalars.bool(z),
      'Leave an endpoint alone after a failed connect, and try in the background until one is through.',
      false,
    ),
    failureAccrual: accrualSchema(z),
    requestAttemptTimeoutMs: optional(scalars.durationMs(z), 'Time in ms for one attempt; none, or 0: no limit.'),
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
