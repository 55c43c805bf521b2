/** What went wrong with a request on its way, in the terms of the error table (errors.ts). */
import type { HeaderBlock } from '../wire/head.ts';
import type { ResetReason } from '../wire/stream.ts';
import type { Attempt, AttemptFailure } from './attempt.ts';
import type { Binding, Leaf } from './binding.ts';
import { dentryLines, type RouteError, type Selected } from './errors.ts';
import { showTrace } from './http/trace.ts';
import type { NamedRequest } from './named-request.ts';

/** The name leads to no endpoint. */
export function unbound(request: NamedRequest, { service }: Binding): RouteError {
  const { router, override } = request;
  return { type: 'unbound', service: service.name, base: router.baseDtab, override: dentryLines(override) };
}

/** What an attempt was about to use. */
export function selected({ service }: Binding, { client }: Leaf, { endpoint }: Attempt): Selected {
  return { service: service.name, client: client.id, addresses: client.addresses(), address: endpoint.address };
}

/** Why an attempt had no response. `trace`: its trace headers. */
export function attemptError(failure: AttemptFailure, using: Selected, leaf: Leaf, trace: HeaderBlock): RouteError {
  switch (failure.type) {
    case 'connect':
      return { type: 'connectFailed', ...using };
    case 'reset':
      return backendError(failure.reason, using);
    case 'timeout': {
      const ms = leaf.client.attemptTimeoutMs as number;
      return { type: 'attemptTimeout', ms, trace: showTrace(trace), ...using };
    }
  }
}

function backendError(reason: ResetReason, using: Selected): RouteError {
  switch (reason.type) {
    case 'malformed':
      return { type: 'backendMalformed', cause: reason.message, ...using };
    case 'failed':
      return { type: 'backendClosed', cause: `the connection failed (${reason.code})`, ...using };
    case 'timeout':
      return { type: 'backendClosed', cause: reason.message, ...using };
    case 'closed':
      return { type: 'backendClosed', cause: 'the connection was closed', ...using };
  }
}
