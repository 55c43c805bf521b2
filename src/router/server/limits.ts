/** How much a client may send and how long it may take, by the keys of its server and router. */
import * as defaults from '../../config/defaults.ts';
import type { ServerConnectionLimits } from '../../wire/http1/server-connection.ts';
import type { RouterConfig, ServerConfig } from '../config.ts';
import { headLimits } from '../http/limits.ts';
import { isEdge } from '../override.ts';

export function connectionLimits(router: RouterConfig, server: ServerConfig): ServerConnectionLimits {
  const { serverSession, socketOptions } = server;
  const [maxHeaders, headerTimeoutMs] = isEdge(server)
    ? [defaults.edgeMaxHeaders, defaults.edgeHeaderTimeoutMs]
    : [defaults.maxHeaders, defaults.headerTimeoutMs];
  return {
    ...headLimits(router, server.maxHeaders ?? maxHeaders),
    headerTimeoutMs: server.headerTimeoutMs ?? headerTimeoutMs,
    idleTimeoutMs: idleTimeoutMs(server),
    lifeTimeMs: serverSession?.lifeTimeMs,
    endMeansGone: !(server.allowHalfClose ?? false),
    readTimeoutMs: socketOptions?.readTimeoutMs,
    writeTimeoutMs: socketOptions?.writeTimeoutMs,
  };
}

/** The shorter of the two keys; whoever sets one of them means it, also where it is longer than the default. */
function idleTimeoutMs({ idleTimeoutMs: own, serverSession }: ServerConfig): number {
  const session = serverSession?.idleTimeMs;
  if (own === undefined) return session ?? defaults.idleTimeoutMs;
  return Math.min(own, session ?? own);
}
