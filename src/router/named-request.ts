/** What the retry loop knows of a request, and tells its exchange. */
import type { RequestHead, ResponseHead } from '../wire/head.ts';
import type { Attempt, ResponseSink } from './attempt.ts';
import type { Leaf } from './binding.ts';
import type { RequestDeadline } from './deadline.ts';
import type { RouteError } from './errors.ts';
import type { Recorder } from './recorder.ts';
import type { RequestBody } from './request-body.ts';
import type { Router } from './router.ts';

/** A request that has a name, and its exchange, which is told what becomes of it. */
export interface NamedRequest extends ResponseSink {
  readonly router: Router;
  readonly recorder: Recorder;
  readonly head: RequestHead;
  /** Null: it has none. */
  readonly body: RequestBody | null;
  /** The local dtab, shown. */
  readonly override: string;
  /** Until when its response has to begin; null: never. */
  readonly deadline: RequestDeadline | null;
  /** Bytes of a response, interim ones included, are on their way to the client. */
  readonly isAnswered: boolean;
  /** The response that the client gets begins; `success` as the service's classifier says. */
  respond(
    attempt: Attempt,
    head: ResponseHead,
    success: boolean,
    chunk: Buffer,
    start: number,
    end: number,
    fin: boolean,
  ): void;
  /** The response broke off. */
  onResponseCut(): void;
  /** There is none. */
  fail(error: RouteError): void;
  /** The name is bound to a status, with which the router itself answers. */
  answer(leaf: Leaf, success: boolean): void;
  /** Takes no more from the client until the next `onUpstreamDrain`: what was sent has not left. */
  hold(): void;
  /** The same while there is nowhere to send it; a client that has sent all is watched, since it may leave. */
  holdBody(): void;
}
