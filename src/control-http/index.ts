/** HTTP on the control side: the small server of admin and namerd. Nothing here carries users' requests. */
export {
  type Answer,
  type ClientOptions,
  ControlClient,
  type Head,
  type Question,
  Refused,
  shorten,
  Unreachable,
} from './client.ts';
export { limitConnections } from './connection-limit.ts';
export { logFailedHandshakes } from './handshakes.ts';
export { jsonError } from './json-error.ts';
export { type MediaType, negotiate, parseContentType } from './media-types.ts';
export {
  type ControlHandler,
  type ControlRequest,
  type ControlResponse,
  forbidden,
  json,
  jsonUtf8,
  methodNotAllowed,
  prettyJson,
  type Router,
  routesByPath,
  text,
} from './messages.ts';
export { parsed, placeHeaders } from './parsed.ts';
export { askedPingSecs, PING_PARAMETER, pingHeader } from './pings.ts';
export { ControlServer, type ControlServerOptions } from './server.ts';
export { liveStates, type ShownState, type StateReader, type StateStream } from './state-stream.ts';
