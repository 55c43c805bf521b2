/** How a call that can't be answered ends: a gRPC status with the original's texts (reference/namerd.md section 6). */
import { status } from '@grpc/grpc-js';

/** What grpc-js makes trailers of. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

export const noRoot = new Refusal(status.INVALID_ARGUMENT, 'No namespace specified');
export const noName = new Refusal(status.NOT_FOUND, 'No name given');
export const rootNotFound = new Refusal(status.NOT_FOUND, 'Root not found');

export function invalidRoot(root: string): Refusal {
  return new Refusal(status.INVALID_ARGUMENT, `Invalid root: \`${root}\` must have exactly one segment`);
}

export function invalidArgument(details: string): Refusal {
  return new Refusal(status.INVALID_ARGUMENT, details);
}

export function tooMany(details: string): Refusal {
  return new Refusal(status.RESOURCE_EXHAUSTED, details);
}

/** Only with `auth`. */
export const unauthenticated = new Refusal(
  status.UNAUTHENTICATED,
  'namerd wants to know who asks: send a bearer token, or show a client certificate',
);

export function forbidden(namespace: string): Refusal {
  return new Refusal(status.PERMISSION_DENIED, `not allowed to read the namespace ${namespace}`);
}

/** Something went wrong on the way to an answer: a namer, the storage, a dtab that goes round in circles. */
export function internal(error: Error): Refusal {
  return new Refusal(status.INTERNAL, error.message);
}

/** The client does best to ask another namerd. */
export const stopping = new Refusal(status.UNAVAILABLE, 'namerd is stopping');
