/** The gRPC services of namerd as messages: io.linkerd.mesh, unchanged from the original, and how their bytes are written and read. */
export type { DelegateRequest, VersionedDtab } from './delegator-messages.ts';
export type { BindRequest } from './interpreter-messages.ts';
export { type Message, type Method, meshMethods, message } from './methods.ts';
export { ProtoError } from './proto-reader.ts';
