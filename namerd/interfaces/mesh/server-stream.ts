/**
 * A call that is answered by a stream, from its request on. The library would put a `stream.Writable` and the metadata of its end
 * in between and keep both for as long as a client follows: a tenth of what a stream costs, in memory and in time.
 */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { toError } from '../../../src/live/index.ts';
import type { Caller } from './access.ts';
import { internal, Refusal } from './status.ts';

/** A request as it came. */
export interface RawRequest {
  bytes: Buffer;
}

/** Its bytes, which would else be kept for as long as the stream. */
export function take(request: RawRequest): Buffer {
  const { bytes } = request;
  request.bytes = NO_BYTES;
  return bytes;
}

const NO_BYTES = Buffer.alloc(0);

/** Where what a client gets is given to. */
export type StreamCall = Pick<ServerInterceptingCall, 'sendMetadata' | 'sendMessage' | 'sendStatus'>;

/** What sends on a stream. */
export interface Sender {
  /** The stream is over; may come after an end of ours. */
  onCancelled(): void;
}

/** Answers a request: what sends on the stream from now on, or why nothing will. */
export type StreamHandler = (caller: Caller, request: Buffer, call: StreamCall) => Sender | Refusal;

/** Takes the calls of these methods, by their path, from the library's own handlers. */
export function interceptStreams(handlers: ReadonlyMap<string, StreamHandler>): ServerInterceptor {
  return ({ path }, call) => {
    const handler = handlers.get(path);
    if (handler === undefined) return call as ServerInterceptingCall;
    return new ServerInterceptingCall(call, { start: () => call.start(new ServerStream(call, handler)) });
  };
}

type BaseCall = Parameters<ServerInterceptor>[1];
type Listener = Parameters<BaseCall['start']>[0];

class ServerStream implements Listener {
  readonly #call: BaseCall;
  readonly #handler: StreamHandler;
  #metadata: Metadata | null = null;
  #request: Buffer | null = null;
  #sender: Sender | null = null;

  constructor(call: BaseCall, handler: StreamHandler) {
    this.#call = call;
    this.#handler = handler;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#call.startRead();
  }

  onReceiveMessage(request: RawRequest): void {
    if (this.#request === null) {
      this.#request = take(request);
      this.#call.startRead();
    } else {
      this.#call.sendStatus(notOne);
    }
  }

  onReceiveHalfClose(): void {
    const metadata = this.#metadata;
    const request = this.#request;
    this.#metadata = null;
    this.#request = null;
    if (metadata === null || request === null) {
      this.#call.sendStatus(notOne);
      return;
    }
    const answer = this.#answer({ metadata, getPeer: () => this.#call.getPeer() }, request);
    if (answer instanceof Refusal) this.#call.sendStatus(answer);
    else this.#sender = answer;
  }

  #answer(caller: Caller, request: Buffer): Sender | Refusal {
    try {
      return this.#handler(caller, request, this.#call);
    } catch (thrown) {
      return internal(toError(thrown));
    }
  }

  onCancel(): void {
    this.#sender?.onCancelled();
    this.#sender = null;
  }
}

const notOne = new Refusal(status.UNIMPLEMENTED, 'a call that is answered by a stream has one request');
