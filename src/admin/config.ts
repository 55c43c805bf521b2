/** `admin:`: the administration server. */
import type { z as Zod } from 'zod';
import * as defaults from '../config/defaults.ts';
import type { Z } from '../config/kind.ts';
import { optional, unlessWrong } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import { socketOptionsSchema } from '../config/sockets.ts';
import { authSchema, checkProvable } from '../control-http/auth/index.ts';
import { serverTlsSchema } from '../wire/tls/index.ts';
import { securitySchema } from './security.ts';

export function adminSchema(z: Z, port: number = defaults.adminPort) {
  return z
    .strictObject({
      ip: optional(scalars.ip(z), 'Address to listen on. Whoever reaches it can stop the process.', defaults.adminIp),
      port: optional(scalars.port(z), 'Port to listen on; 0 takes a free one.', port),
      socketOptions: optional(socketOptionsSchema(z), 'Options of the listening socket and its connections.'),
      shutdownGraceMs: optional(
        scalars.durationMs(z),
        'Time in ms that requests in work get to finish at shutdown.',
        defaults.shutdownGraceMs,
      ),
      tls: optional(serverTlsSchema(z), 'TLS of the admin server.'),
      auth: optional(
        authSchema(z),
        'Who may ask (of ours); none: whoever reaches it. /admin/ping is answered to everybody. What stops the process, changes ' +
          'log levels or shows its memory needs `write: ["*"]`.',
      ),
      httpIdentifierPort: optional(scalars.port(z), 'Port of a server that answers how a request would be named.'),
      workerThreads: optional(
        scalars.int(z, { min: 1 }),
        "Threads of the original's admin server; has no meaning here.",
        2,
      ),
      security: optional(securitySchema(z), 'Which paths are served; the others answer 404.'),
      hosts: optional(
        z.array(hostName(z)),
        'Names (of ours) by which browsers and clients may address the admin server, beside IP addresses and localhost. ' +
          'Any other name in Host is refused, since a foreign page could have its own name point here.',
        [],
      ),
    })
    .superRefine(checkProvable, unlessWrong('auth', 'tls'));
}

/** Without a port. */
function hostName(z: Z) {
  return scalars.checked(z, 'a host name such as admin.example.com', (text) =>
    /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text)
      ? undefined
      : { message: `${scalars.show(text)} is not a host name; leave out scheme, port and path` },
  );
}

export type AdminConfig = Zod.infer<ReturnType<typeof adminSchema>>;
