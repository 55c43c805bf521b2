/** `socketOptions`: the same keys under servers, clients and admin. */

import type { Z } from './kind.ts';
import { optional } from './kinds.ts';
import * as scalars from './scalars.ts';

/** `keepAlive` is the default of that key: connections to endpoints are probed, accepted ones are not. */
export function socketOptionsSchema(z: Z, keepAlive = false) {
  return z.strictObject({
    noDelay: optional(scalars.bool(z), 'Send small writes at once (TCP_NODELAY).', true),
    reuseAddr: optional(scalars.bool(z), 'Listen although old connections linger (SO_REUSEADDR).', true),
    reusePort: optional(scalars.bool(z), 'Let several processes listen on the port (SO_REUSEPORT, Linux).', false),
    readTimeoutMs: optional(scalars.durationMs(z), 'Close a connection that sends nothing for so many ms.'),
    writeTimeoutMs: optional(scalars.durationMs(z), 'Close a connection that takes nothing for so many ms.'),
    keepAlive: optional(scalars.bool(z), 'Probe idle connections (SO_KEEPALIVE).', keepAlive),
    backlog: optional(scalars.int(z, { min: 0 }), 'Connections that may wait to be accepted.'),
  });
}
