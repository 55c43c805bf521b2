/**
 * The methods of namerd's gRPC services, for both sides: the path that calls one, and how what it is asked and answers is written
 * and read. No gRPC library here: it is loaded by who serves or calls.
 */
import type { Addr, BoundId, DelegateTree, Dtab, NameTree, Path } from '../naming/index.ts';
import { readOptionalDtab, readOptionalText, writeOptionalDtab, writeOptionalText } from './codec-messages.ts';
import {
  type DelegateRequest,
  readDelegateRequest,
  readDelegation,
  readVersionedDtab,
  type VersionedDtab,
  writeDelegateRequest,
  writeDelegation,
  writeVersionedDtab,
} from './delegator-messages.ts';
import {
  type BindRequest,
  readBindRequest,
  readBoundTree,
  writeBindRequest,
  writeBoundTree,
} from './interpreter-messages.ts';
import { readOptionalPath, writeOptionalPath } from './naming-messages.ts';
import { ProtoReader } from './proto-reader.ts';
import { encode, type ProtoWriter } from './proto-writer.ts';
import { readReplicas, writeReplicas } from './resolver-messages.ts';

/** How a message is written and read. `decode` throws ProtoError. */
export interface Message<T> {
  encode(value: T): Buffer;
  decode(bytes: Buffer): T;
}

export interface Method<Request, Response> {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

export function message<T>(
  write: (writer: ProtoWriter, value: T) => void,
  read: (reader: ProtoReader) => T,
): Message<T> {
  return {
    encode: (value) => encode((writer) => write(writer, value)),
    decode: (bytes) => read(new ProtoReader(bytes)),
  };
}

const bindRequest = message<BindRequest>(writeBindRequest, readBindRequest);
const boundTree = message<NameTree<BoundId>>(writeBoundTree, readBoundTree);
const onlyPath = message<Path | undefined>(writeOptionalPath, readOptionalPath);
const onlyDtab = message<Dtab | undefined>(writeOptionalDtab, readOptionalDtab);
const onlyText = message<string | undefined>(writeOptionalText, readOptionalText);
const replicas = message<Addr>(writeReplicas, readReplicas);
const versionedDtab = message<VersionedDtab>(writeVersionedDtab, readVersionedDtab);
const delegateRequest = message<DelegateRequest>(writeDelegateRequest, readDelegateRequest);
const delegation = message<DelegateTree<BoundId>>(writeDelegation, readDelegation);

function get<Request, Response>(
  path: string,
  request: Message<Request>,
  response: Message<Response>,
): Method<Request, Response> {
  return { path: `/io.linkerd.mesh.${path}`, requestStream: false, responseStream: false, request, response };
}

function stream<Request, Response>(
  path: string,
  request: Message<Request>,
  response: Message<Response>,
): Method<Request, Response> {
  return { ...get(path, request, response), responseStream: true };
}

export const meshMethods = {
  getBoundTree: get('Interpreter/GetBoundTree', bindRequest, boundTree),
  streamBoundTree: stream('Interpreter/StreamBoundTree', bindRequest, boundTree),
  getReplicas: get('Resolver/GetReplicas', onlyPath, replicas),
  streamReplicas: stream('Resolver/StreamReplicas', onlyPath, replicas),
  getDtab: get('Delegator/GetDtab', onlyPath, versionedDtab),
  streamDtab: stream('Delegator/StreamDtab', onlyPath, versionedDtab),
  getDelegateTree: get('Delegator/GetDelegateTree', delegateRequest, delegation),
  streamDelegateTree: stream('Delegator/StreamDelegateTree', delegateRequest, delegation),
  readDtab: get('Codec/ReadDtab', onlyText, onlyDtab),
  showDtab: get('Codec/ShowDtab', onlyDtab, onlyText),
  readPath: get('Codec/ReadPath', onlyText, onlyPath),
  showPath: get('Codec/ShowPath', onlyPath, onlyText),
} as const;
