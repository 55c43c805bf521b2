/** `io.l5d.httpController`: dtabs and bindings over HTTP, which namerctl, scripts and `io.l5d.namerd.http` use. */
import * as defaults from '../../../src/config/defaults.ts';
import { optional, unlessWrong } from '../../../src/config/kinds.ts';
import * as scalars from '../../../src/config/scalars.ts';
import { checkProvable } from '../../../src/control-http/auth/index.ts';
import { ControlServer } from '../../../src/control-http/index.ts';
import { defineInterface, type Interface, listenerKeys, securityKeys } from '../interface.ts';
import { controllerRoutes } from './routes.ts';

const KIND = 'io.l5d.httpController';
const PORT = 4180;
/** Each watch is a connection of its own. */
const MAX_CONNECTIONS = 10_000;

export const httpController = defineInterface({
  kind: KIND,
  port: PORT,
  // 1.7.5 says it twice.
  metrics: [KIND, KIND],
  summary: 'Dtabs and bindings over HTTP, for namerctl and scripts.',
  config: (z) =>
    z
      .strictObject({
        ...listenerKeys(z, PORT),
        ...securityKeys(z),
        maxConnections: optional(
          scalars.int(z, { min: 1 }),
          'Connections at a time (of ours); each watch is one. More are closed at once.',
          MAX_CONNECTIONS,
        ),
      })
      .superRefine(checkProvable, unlessWrong('auth', 'tls')),
  create: (
    { ip = defaults.serverIp, port = PORT, maxConnections = MAX_CONNECTIONS, socketOptions, tls, auth },
    context,
  ): Interface => {
    const { log, metrics } = context;
    const { route, close: closeRoutes } = controllerRoutes(context);
    const server = new ControlServer({
      name: 'HTTP controller',
      route,
      log,
      metrics,
      // Clients name this host as their DNS does.
      hosts: 'any',
      maxConnections,
      socketOptions,
      tls,
      auth,
    });
    return {
      start: async () => ({ host: ip, port: await server.listen(ip, port) }),
      close: async (graceMs) => {
        await server.close(graceMs);
        closeRoutes();
      },
      state: () => ({ watches: server.streams }),
    };
  },
});
