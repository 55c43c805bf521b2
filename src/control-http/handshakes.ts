/** TLS handshakes of clients that come to nothing, in the log. */
import type { Server } from 'node:tls';
import type { Log } from '../port/log.ts';

/** At level DEBUG, since anybody can make them fail. */
export function logFailedHandshakes(server: Pick<Server, 'on'>, log: Log): void {
  server.on('tlsClientError', (error, socket) => {
    // Of a certificate that is not believed, Node closes the connection; what follows from that is all that the error tells.
    const reason = socket.authorizationError ?? (error as NodeJS.ErrnoException).code;
    log.debug({ err: error, reason, peer: socket.remoteAddress }, 'a TLS handshake failed');
  });
}
