/** One namerd over gRPC. */
import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { type Live, variable } from '../../live/index.ts';
import {
  exchangeReceipts,
  type FromNamerd,
  type Message,
  type Method,
  meshMethods,
  ProtoError,
} from '../../mesh/index.ts';
import {
  type Addr,
  type BoundId,
  type DelegateTree,
  type Dtab,
  leaf,
  type NameTree,
  type Path,
} from '../../naming/index.ts';
import { grpcChannelCredentials } from '../../wire/tls/grpc.ts';
import type { WatchEnding, WatchListener } from '../remote/client.ts';
import type { Retry } from '../remote/retry.ts';
import type { Security } from '../remote/security.ts';
import type { ReceiptClient, ReceiptListener, ReceiptStream } from './reporter.ts';

export interface MeshClientOptions {
  readonly host: string;
  readonly port: number;
  /** The namespace as a path of one segment. */
  readonly root: Path;
  readonly retry: Retry;
  readonly pingMs: number;
  readonly pingTimeoutMs: number;
  readonly streamWindowBytes: number;
  /** Opened. */
  readonly security: Security;
}

/** An address set of 100,000 endpoints has 3 MiB. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** A connection without streams is kept: the next name should not wait for one. */
const NEVER_MS = 2 ** 31 - 1;

export class MeshClient implements ReceiptClient {
  readonly #client: Client;
  readonly #root: Path;
  readonly #security: Security;
  readonly #isUp = variable(false);
  #isClosed = false;
  problem = '';

  constructor(options: MeshClientOptions) {
    const { host, port, retry, pingMs, pingTimeoutMs, streamWindowBytes, security } = options;
    this.#security = security;
    this.#root = options.root;
    const channel: ChannelOptions = {
      'grpc.keepalive_time_ms': pingMs,
      'grpc.keepalive_timeout_ms': pingTimeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.initial_reconnect_backoff_ms': retry.baseMs,
      'grpc.max_reconnect_backoff_ms': retry.maxMs,
      'grpc.client_idle_timeout_ms': NEVER_MS,
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc-node.flow_control_window': streamWindowBytes,
      // A watch knows by itself when to begin again.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
    };
    const target = host.includes(':') ? `ipv6:[${host}]:${port}` : `ipv4:${host}:${port}`;
    const { tls } = security;
    this.#client = new Client(
      target,
      tls === null ? credentials.createInsecure() : grpcChannelCredentials(tls),
      channel,
    );
    this.#follow(this.#client.getChannel().getConnectivityState(true));
  }

  get isUp(): Live<boolean> {
    return this.#isUp;
  }

  bind(dtab: Dtab, path: Path, listener: WatchListener<NameTree<BoundId>>): () => void {
    return this.#stream(meshMethods.streamBoundTree, { root: this.#root, name: path, dtab }, listener);
  }

  resolve(id: Path, listener: WatchListener<Addr>): () => void {
    return this.#stream(meshMethods.streamReplicas, id, listener);
  }

  delegate(dtab: Dtab, path: Path, listener: WatchListener<DelegateTree<BoundId>>): () => void {
    return this.#stream(meshMethods.streamDelegateTree, { root: this.#root, tree: leaf(path), dtab }, listener);
  }

  exchangeReceipts(listener: ReceiptListener): ReceiptStream {
    const { path, request, response } = exchangeReceipts;
    const call = this.#client.makeBidiStreamRequest(path, request.encode, tolerant(response), this.#metadata());
    let hasHeard = false;
    let isOver = false;
    const end = (isUnknown: boolean): void => {
      if (isOver) return;
      isOver = true;
      call.cancel();
      listener.onEnd(isUnknown);
    };
    call.on('data', (message: FromNamerd | ProtoError) => {
      if (isOver) return;
      hasHeard = true;
      if (message instanceof ProtoError) end(true);
      else listener.onMessage(message);
    });
    // A server that has not the service says so in one way or another; one that has, and is in trouble, in these.
    call.on('error', ({ code }: ServiceError) => end(!hasHeard && !LOST.has(code)));
    call.on('status', () => end(false));
    return {
      send: (message) => {
        if (!isOver) call.write(message);
      },
      end: () => {
        isOver = true;
        call.end();
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    const { authorization } = this.#security;
    if (authorization !== undefined) metadata.set('authorization', authorization);
    return metadata;
  }

  /** The channel connects again by itself, after a wait that grows, but only when asked to. */
  #follow(state: connectivityState): void {
    if (this.#isClosed || state === connectivityState.SHUTDOWN) return;
    if (state === connectivityState.READY) this.problem = '';
    else if (state === connectivityState.TRANSIENT_FAILURE) this.problem = 'can not be connected to';
    this.#isUp.set(state === connectivityState.READY);
    const channel = this.#client.getChannel();
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      if (!this.#isClosed) this.#follow(channel.getConnectivityState(true));
    });
  }

  #stream<Request, Response>(
    { path, request, response }: Method<Request, Response>,
    asked: Request,
    listener: WatchListener<Response>,
  ): () => void {
    const call = this.#client.makeServerStreamRequest(
      path,
      request.encode,
      tolerant(response),
      asked,
      this.#metadata(),
    );
    let isOver = false;
    const stop = (): void => {
      isOver = true;
      call.cancel();
    };
    const end = (ending: WatchEnding): void => {
      if (isOver) return;
      stop();
      listener.onEnd(ending);
    };
    call.on('metadata', () => {
      if (!isOver) listener.onOpen();
    });
    call.on('data', (message: Response | ProtoError) => {
      if (isOver) return;
      if (message instanceof ProtoError) end({ type: 'lost', message: `namerd sent no message: ${message.message}` });
      else listener.onValue(message);
    });
    call.on('error', (error: ServiceError) => end(endingOf(error)));
    call.on('status', ({ code }) => {
      if (code === status.OK) end({ type: 'lost', message: 'namerd ended the stream' });
    });
    return stop;
  }
}

/** Bytes that are no message are the watch's matter; thrown, they would end it with a text that says nothing. */
function tolerant<T>({ decode }: Message<T>): (bytes: Buffer) => T | ProtoError {
  return (bytes) => {
    try {
      return decode(bytes);
    } catch (error) {
      if (error instanceof ProtoError) return error;
      throw error;
    }
  };
}

/** Codes of a connection or a server that is in trouble; any other is namerd's answer. */
const LOST: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.UNAVAILABLE,
]);

function endingOf({ code, details }: ServiceError): WatchEnding {
  return { type: LOST.has(code) ? 'lost' : 'failed', message: details || status[code] || 'unknown' };
}
