/** The services of io.linkerd.mesh, and signpost.receipt.v1, for a gRPC server: requests become questions, and answers messages. */
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Identity } from '../../../src/control-http/auth/index.ts';
import { toError } from '../../../src/live/index.ts';
import { exchangeReceipts, type Method, meshMethods, ProtoError } from '../../../src/mesh/index.ts';
import { Dtab, ParseError, Path } from '../../../src/naming/index.ts';
import type { Namespaces } from '../../namespaces.ts';
import type { Receipts } from '../../receipts/receipts.ts';
import type { Access, Caller } from './access.ts';
import type { Feeds } from './feeds.ts';
import { type StreamCounts, StreamFollower } from './follower.ts';
import type { Answer, Question } from './question.ts';
import { boundTreeOf, delegateTreeOf, dtabOf, replicasOf } from './questions.ts';
import { ReceiptExchange } from './receipt-exchange.ts';
import { interceptStreams, type RawRequest, type StreamHandler, take } from './server-stream.ts';
import { internal, invalidArgument, Refusal } from './status.ts';
import type { TreeState } from './trees.ts';

export interface MeshContext {
  readonly namespaces: Namespaces;
  /** Bound trees, which streams and receipts follow. */
  readonly trees: Feeds<TreeState>;
  /** Of everything else. */
  readonly feeds: Feeds;
  readonly receipts: Receipts;
  readonly access: Access;
  readonly counts: CallCounts;
}

export interface CallCounts extends StreamCounts {
  exchangeOpen(exchange: ReceiptExchange): void;
  exchangeOver(exchange: ReceiptExchange): void;
  /** A call has come in. */
  called(): void;
  refused(): void;
}

/** Both sides' messages are bytes to the library: a state is encoded once for all clients, and a request's faults get a status. */
const asIs = (bytes: Buffer): Buffer => bytes;
const unread = (bytes: Buffer): RawRequest => ({ bytes });

export interface Service {
  readonly definition: ServiceDefinition;
  /** Of what is answered once, and of receipts. */
  readonly implementation: UntypedServiceImplementation;
  /** Answers everything else. */
  readonly interceptor: ServerInterceptor;
}

export function meshServices(context: MeshContext): Service {
  const { namespaces, trees, feeds } = context;
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  const streams = new Map<string, StreamHandler>();
  const add = <Request, Response>(
    method: Method<Request, Response>,
    handler: UntypedServiceImplementation[string],
  ): void => {
    definition[method.path] = definitionOf(method);
    implementation[method.path] = handler;
  };
  const ask = <Request, Response, State extends Answer>(
    get: Method<Request, Response>,
    stream: Method<Request, Response>,
    questionOf: (request: Request, identity: Identity) => Question<State> | Refusal,
    feedsOf: Feeds<State>,
  ): void => {
    add(get, getting(context, get, questionOf));
    definition[stream.path] = definitionOf(stream);
    streams.set(stream.path, streaming(context, stream, questionOf, feedsOf));
  };
  const translate = <Request, Response>(
    method: Method<Request, Response>,
    answer: (request: Request) => Response,
  ): void => {
    add(method, translating(context, method, answer));
  };

  const { getBoundTree, streamBoundTree, getReplicas, streamReplicas } = meshMethods;
  const { getDtab, streamDtab, getDelegateTree, streamDelegateTree } = meshMethods;
  ask(getBoundTree, streamBoundTree, (request, identity) => boundTreeOf(namespaces, request, identity), trees);
  ask(getReplicas, streamReplicas, (id) => replicasOf(namespaces, id), feeds);
  ask(getDtab, streamDtab, (root, identity) => dtabOf(namespaces, root, identity), feeds);
  ask(getDelegateTree, streamDelegateTree, (request, identity) => delegateTreeOf(namespaces, request, identity), feeds);
  add(exchangeReceipts, exchanging(context));
  translate(meshMethods.readDtab, (text) => Dtab.parse(text ?? ''));
  translate(meshMethods.showDtab, (dtab) => dtab?.show());
  translate(meshMethods.readPath, (text) => (text === undefined ? Path.empty : Path.parse(text)));
  translate(meshMethods.showPath, (path) => path?.show());
  return { definition, implementation, interceptor: interceptStreams(streams) };
}

function definitionOf({
  path,
  requestStream,
  responseStream,
}: Pick<Method<unknown, unknown>, 'path' | 'requestStream' | 'responseStream'>): ServiceDefinition[string] {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: unread,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** Waits for the first answer. */
function getting<Request, Response>(
  { access, counts }: MeshContext,
  { request }: Method<Request, Response>,
  questionOf: (request: Request, identity: Identity) => Question | Refusal,
): handleUnaryCall<RawRequest, Buffer> {
  return (call, reply) => {
    counts.called();
    const refuse = (refusal: Refusal): void => {
      counts.refused();
      if (!call.cancelled) reply(refusal);
    };
    const end = ({ message, refusal }: Answer): void => {
      if (refusal !== undefined) refuse(refusal);
      else if (!call.cancelled) reply(null, message);
    };
    const asked = understand(access, call, (identity) => questionOf(request.decode(take(call.request)), identity));
    if (asked instanceof Refusal) {
      refuse(asked);
      return;
    }
    asked.first(cancellationOf(call)).then(end, (error) => refuse(internal(toError(error))));
  };
}

function streaming<Request, Response, State extends Answer>(
  { access, counts }: MeshContext,
  { request }: Method<Request, Response>,
  questionOf: (request: Request, identity: Identity) => Question<State> | Refusal,
  feeds: Feeds<State>,
): StreamHandler {
  return (caller, bytes, call) => {
    counts.called();
    const follower = understand(access, caller, (identity) => {
      const asked = questionOf(request.decode(bytes), identity);
      return asked instanceof Refusal ? asked : new StreamFollower(call, identity, feeds.get(asked), counts);
    });
    if (follower instanceof Refusal) counts.refused();
    return follower;
  };
}

function exchanging(context: MeshContext): handleBidiStreamingCall<RawRequest, Buffer> {
  const { access, counts } = context;
  return (call) => {
    counts.called();
    const identity = access.identify(call);
    if (identity instanceof Refusal) {
      counts.refused();
      call.emit('error', identity);
      return;
    }
    const exchange = new ReceiptExchange(call, identity, context);
    counts.exchangeOpen(exchange);
    exchange.onOver = () => counts.exchangeOver(exchange);
  };
}

function translating<Request, Response>(
  { access, counts }: MeshContext,
  { request, response }: Method<Request, Response>,
  answer: (request: Request) => Response,
): handleUnaryCall<RawRequest, Buffer> {
  return (call, reply) => {
    counts.called();
    const answered = understand(access, call, () => response.encode(answer(request.decode(take(call.request)))));
    if (answered instanceof Refusal) {
      counts.refused();
      reply(answered);
    } else {
      reply(null, answered);
    }
  };
}

/** What a request of a known client asks for; bytes or a text that can't be read are the client's fault. */
function understand<T>(access: Access, call: Caller, read: (identity: Identity) => T | Refusal): T | Refusal {
  const identity = access.identify(call);
  if (identity instanceof Refusal) return identity;
  try {
    const asked = read(identity);
    if (asked instanceof Refusal && asked.code === status.PERMISSION_DENIED) access.denied();
    return asked;
  } catch (thrown) {
    if (thrown instanceof ProtoError || thrown instanceof ParseError) return invalidArgument(thrown.message);
    return internal(toError(thrown));
  }
}

function cancellationOf(call: ServerUnaryCall<RawRequest, Buffer>): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort());
  return controller.signal;
}
