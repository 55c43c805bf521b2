/**
 * The gRPC services of namerd as messages: io.linkerd.mesh, unchanged from the original, and signpost.receipt.v1 beside it; and how
 * their bytes are written and read.
 */
export type { DelegateRequest, VersionedDtab } from './delegator-messages.ts';
export { boundTreeMessage, digestOf } from './digest.ts';
export type { BindRequest } from './interpreter-messages.ts';
export { type Message, type Method, meshMethods } from './methods.ts';
export { ProtoError } from './proto-reader.ts';
export {
  type Computed,
  exchangeReceipts,
  type FromNamerd,
  type FromSignpost,
  type Hello,
  type LiveBinding,
  type ReceiptMessage,
} from './receipt-messages.ts';
