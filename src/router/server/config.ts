/** `routers[].servers[]`: where a router listens, and what it does to a request before it is routed. */
import * as defaults from '../../config/defaults.ts';
import type { KindSchema, Z } from '../../config/kind.ts';
import { kindSchema, optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { socketOptionsSchema } from '../../config/sockets.ts';

/** How a node is written in the Forwarded header (RFC 7239 section 6). */
const labelers: readonly KindSchema[] = [
  { kind: 'ip', summary: 'The IP address.', config: (z) => z.strictObject({}) },
  { kind: 'ip:port', summary: 'The IP address and port.', config: (z) => z.strictObject({}) },
  { kind: 'connectionRandom', summary: 'A random name, one for each connection.', config: (z) => z.strictObject({}) },
  { kind: 'requestRandom', summary: 'A random name, one for each request.', config: (z) => z.strictObject({}) },
  { kind: 'router', summary: "The router's label.", config: (z) => z.strictObject({}) },
  {
    kind: 'static',
    summary: 'A fixed name.',
    config: (z) => z.strictObject({ label: required(scalars.string(z), 'The name; an underscore is put before it.') }),
  },
];

export function sessionSchema(z: Z) {
  return z.strictObject({
    lifeTimeMs: optional(
      scalars.durationMs(z),
      'Close a connection after so many ms, when the request under way is done; none: never.',
    ),
    idleTimeMs: optional(scalars.durationMs(z), 'Close a connection that is unused for so many ms; none: never.'),
  });
}

export function serverSchema(z: Z) {
  const labeler = kindSchema(z, { noun: 'labeler', kinds: labelers });
  return z.strictObject({
    port: optional(scalars.port(z), 'Port to listen on; 0 takes a free one.', defaults.serverPort['http']),
    ip: optional(scalars.ip(z), 'Address to listen on; 0.0.0.0 for all.', defaults.serverIp),
    label: optional(scalars.string(z), 'Read for compatibility: logs and metrics name a server by ip and port.'),
    socketOptions: optional(socketOptionsSchema(z), 'Options of the listening socket and its connections.'),
    tls: optional(z.looseObject({}), 'TLS of this server.'),
    maxConcurrentRequests: optional(
      scalars.int(z, { min: 1 }),
      'Requests in work at a time; more are refused with 503. None: no limit.',
    ),
    timeoutMs: optional(
      scalars.durationMs(z),
      'Time in ms until the answer to a request begins (503); none, or 0: no limit.',
    ),
    announce: optional(z.array(scalars.path(z)), 'Names under which announcers make this server known.', []),
    serverSession: optional(sessionSchema(z), 'How long a connection may live.'),
    clearContext: optional(
      scalars.bool(z),
      'Drop l5d-* headers and dtab overrides of incoming requests: for servers that face strangers.',
      false,
    ),
    overrides: optional(
      z.strictObject({
        allow: optional(
          z.array(scalars.path(z)),
          'What the paths that entries lead to must begin with, such as /svc; none: any path.',
        ),
        // No more than the next hop takes.
        maxLength: optional(
          scalars.int(z, { min: 1, max: defaults.maxOverrideBytes }),
          'Bytes of an override.',
          defaults.maxOverrideBytes,
        ),
        inet: optional(
          scalars.oneOf(z, ['deny', 'deny-link-local', 'allow']),
          'Whether entries may lead to addresses (/$/inet): not at all, not to link-local and metadata addresses, or to any.',
          defaults.edgeOverrideInet,
        ),
      }),
      'Which dtab entries strangers may send in l5d-dtab. With this block the server drops every other l5d-* header, as with clearContext.',
    ),
    addForwardedHeader: optional(
      z.strictObject({
        by: optional(labeler, 'How this server is named.', { kind: 'requestRandom' }),
        for: optional(labeler, 'How the client is named.', { kind: 'requestRandom' }),
      }),
      'Add a Forwarded header (RFC 7239); none: do not.',
    ),
    maxCallDepth: optional(
      scalars.int(z, { min: 0 }),
      'Via entries a request may have; more are taken for a loop (400).',
      defaults.maxCallDepth,
    ),
    timestampHeader: optional(scalars.headerName(z), 'Header to set to the arrival time in ms since 1970; none: none.'),
    allowHalfClose: optional(
      scalars.bool(z),
      'Whether a client that closes its sending direction (FIN) still gets its response; false: it has left, and what is ' +
        'under way for it is cancelled.',
      false,
    ),
    maxHeaders: optional(
      scalars.int(z, { min: 1 }),
      `Header fields a request may have (431); an edge that does not say takes ${defaults.edgeMaxHeaders}.`,
      defaults.maxHeaders,
    ),
    headerTimeoutMs: optional(
      scalars.durationMs(z),
      `Time in ms for a whole head to arrive (408); an edge that does not say waits ${defaults.edgeHeaderTimeoutMs}.`,
      defaults.headerTimeoutMs,
    ),
    idleTimeoutMs: optional(
      scalars.durationMs(z),
      'Close a kept-alive connection without a request after so many ms.',
      defaults.idleTimeoutMs,
    ),
  });
}
