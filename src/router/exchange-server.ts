/** What an exchange asks of the server that its request came by. */
import type { HeaderBlock, RequestHead } from '../wire/head.ts';
import type { ConnectionAddresses } from '../wire/stream.ts';
import type { TimerWheel } from '../wire/timer-wheel.ts';
import type { ErrorLimits, RouteError } from './errors.ts';
import type { OverridePolicy, OverrideResult } from './override.ts';
import type { RoutedName } from './routed-name.ts';
import type { Router } from './router.ts';
import type { ServedRequest } from './server/metrics.ts';

export interface ExchangeServer {
  readonly router: Router;
  readonly wheel: TimerWheel;
  /** Where it listens, as `ip/port`. */
  readonly address: string;
  /** How long a request may wait for its answer to begin; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  /** Nothing that comes from outside is believed, and nothing of the inside told (`clearContext`). */
  readonly isEdge: boolean;
  readonly errorLimits: ErrorLimits;
  /** What overrides it accepts. */
  readonly policy: OverridePolicy;
  /** Counts a request in; the error when it is not let in. */
  begin(head: RequestHead): RouteError | null;
  end(request: ServedRequest): void;
  /** The local dtab of a request, shown. */
  override(head: RequestHead): OverrideResult;
  identify(head: RequestHead, peer: ConnectionAddresses): RoutedName | RouteError;
  /** The headers of the trace that a request belongs to. */
  startTrace(head: RequestHead): HeaderBlock;
  /** A request came with a deadline, which is so many ms away; negative when it has passed. */
  countDeadline(leftMs: number): void;
}
