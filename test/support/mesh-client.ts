/** A client of io.linkerd.mesh over a real connection. */
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Method } from '../../src/mesh/index.ts';
import { eventually } from './eventually.ts';

interface Test {
  teardown(fn: () => void): void;
}

/** What came of a stream so far. */
export class Stream<T> {
  readonly messages: T[] = [];
  error: ServiceError | null = null;
  /** The server has ended it, well or not. */
  isOver = false;
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  /** The newest message once it satisfies the condition. */
  until(condition: (message: T) => boolean): Promise<T> {
    return eventually(
      () => {
        const last = this.messages.at(-1);
        return last !== undefined && condition(last) ? last : undefined;
      },
      `a message with ${condition}; got ${JSON.stringify(this.messages.at(-1))} ${this.error ?? ''}`,
    );
  }

  ended(): Promise<ServiceError> {
    return eventually(() => this.error ?? undefined, 'the end of a stream');
  }
}

export class MeshClient {
  readonly #client: Client;

  constructor(t: Test, port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
    });
    t.teardown(() => this.close());
  }

  get<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.request.encode,
        method.response.decode,
        request,
        (error: ServiceError | null, response?: Response) => {
          if (error === null) resolve(response as Response);
          else reject(error);
        },
      );
    });
  }

  /** The gRPC code and details of a call that fails. */
  async refusal<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
  ): Promise<[code: number, details: string]> {
    try {
      const response = await this.get(method, request);
      throw new Error(`answered ${JSON.stringify(response)}`);
    } catch (error) {
      const { code, details } = error as ServiceError;
      if (code === undefined) throw error;
      return [code, decodeURI(details)];
    }
  }

  stream<Request, Response>(method: Method<Request, Response>, request: Request): Stream<Response> {
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.request.encode,
      method.response.decode,
      request,
    );
    const stream = new Stream<Response>(() => call.cancel());
    collect(call, stream);
    return stream;
  }

  /** A stream in both directions. */
  exchange<Request, Response>(
    path: string,
    encode: (message: Request) => Buffer,
    decode: (bytes: Buffer) => Response,
  ): Exchange<Request, Response> {
    const call = this.#client.makeBidiStreamRequest(path, encode, decode);
    const stream = new Stream<Response>(() => call.cancel());
    collect(call, stream);
    return Object.assign(stream, { send: (message: Request) => void call.write(message), end: () => void call.end() });
  }

  close(): void {
    this.#client.close();
  }
}

export interface Exchange<Request, Response> extends Stream<Response> {
  send(message: Request): void;
  /** Says that no more will come. */
  end(): void;
}

function collect<T>(call: ClientReadableStream<T> | ClientDuplexStream<never, T>, stream: Stream<T>): void {
  call.on('data', (message: T) => stream.messages.push(message));
  call.on('error', (error: ServiceError) => {
    stream.error = error;
  });
  call.on('end', () => {
    stream.isOver = true;
  });
}
