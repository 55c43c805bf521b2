/**
 * The calls of etcd's v3 API that a storage needs, through the JSON gateway that every etcd serves on its client port
 * (etcd.io/docs/v3.4/dev-guide/api_grpc_gateway): the same calls as over gRPC, bytes as base64, numbers as text. It spares a second
 * HTTP stack and a copy of etcd's message definitions, and TLS is that of every other backend. What gRPC would have on top,
 * keep-alive pings on the watch, is made up for by asking now and then (see storage.ts).
 */
import { type Answer, type ControlClient, shorten } from '../../../src/control-http/index.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
}

export interface Header {
  /** Of the whole store. */
  readonly revision: number;
  readonly clusterId: string;
}

export interface RangeAnswer {
  readonly header: Header;
  readonly pairs: readonly KeyValue[];
  /** How many keys there are, whatever the limit. */
  readonly count: number;
}

export interface TxnAnswer {
  readonly header: Header;
  readonly isDone: boolean;
  /** The key as the failing branch found it; undefined: it isn't there, or nothing failed. */
  readonly found: KeyValue | undefined;
}

export type WatchEvent =
  | { readonly type: 'put'; readonly pair: KeyValue }
  | { readonly type: 'delete'; readonly key: string; readonly modRevision: number };

export type WatchMessage =
  | { readonly type: 'events'; readonly events: readonly WatchEvent[] }
  /** The revisions to begin with are no longer kept: everything has to be read again. */
  | { readonly type: 'compacted' };

/** What has to hold for a write. */
export type Compare =
  | { readonly target: 'CREATE'; readonly create_revision: '0'; readonly result: 'EQUAL' | 'GREATER' }
  | { readonly target: 'MOD'; readonly mod_revision: string; readonly result: 'EQUAL' };

/** A value, or null for a deletion. */
export type Change = { readonly key: string; readonly value: string | null };

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (encoded: string | undefined): string => Buffer.from(encoded ?? '', 'base64').toString('utf8');

export class EtcdGateway {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  /** All keys that begin with a text; with `newestOnly` the one that was written last, without its value. */
  async range(prefix: string, { newestOnly = false, signal }: { newestOnly?: boolean; signal?: AbortSignal } = {}) {
    const answer = await this.#call<RawRange>(
      '/v3/kv/range',
      {
        key: base64(prefix),
        range_end: base64(endOf(prefix)),
        ...(newestOnly ? { limit: '1', sort_target: 'MOD', sort_order: 'DESCEND', keys_only: true } : {}),
      },
      signal,
    );
    const pairs = (answer.kvs ?? []).map(pairOf);
    return { header: headerOf(answer), pairs, count: Number(answer.count ?? 0) } satisfies RangeAnswer;
  }

  /** Makes the change if what is compared holds, else reads the key. */
  async change({ key, value }: Change, compare: readonly Compare[]): Promise<TxnAnswer> {
    const encoded = base64(key);
    const done =
      value === null
        ? { request_delete_range: { key: encoded } }
        : { request_put: { key: encoded, value: base64(value) } };
    const answer = await this.#call<RawTxn>('/v3/kv/txn', {
      compare: compare.map((one) => ({ ...one, key: encoded })),
      success: [done],
      failure: [{ request_range: { key: encoded } }],
    });
    const found = answer.responses?.[0]?.response_range?.kvs?.[0];
    return {
      header: headerOf(answer),
      isDone: answer.succeeded === true,
      found: found === undefined ? undefined : pairOf(found),
    };
  }

  /** The changes of the keys that begin with a text, from a revision on. Throws when the stream breaks. */
  async *watch(prefix: string, fromRevision: number, signal: AbortSignal): AsyncGenerator<WatchMessage> {
    const create = { key: base64(prefix), range_end: base64(endOf(prefix)), start_revision: String(fromRevision) };
    const body = JSON.stringify({ create_request: create });
    for await (const line of this.#client.lines({ method: 'POST', path: '/v3/watch', body, signal })) {
      if (line.trim() === '') continue;
      const { result, error } = JSON.parse(line) as { result?: RawWatch; error?: RawError };
      if (error !== undefined) throw new Error(`etcd ended the watch: ${error.message ?? shorten(line)}`);
      if (result?.canceled === true) {
        if (result.compact_revision === undefined)
          throw new Error(`etcd ended the watch: ${result.cancel_reason ?? ''}`);
        yield { type: 'compacted' };
        return;
      }
      if (result?.events !== undefined) yield { type: 'events', events: result.events.map(eventOf) };
    }
  }

  async #call<Shape>(path: string, body: object, signal?: AbortSignal): Promise<Shape> {
    const question = { method: 'POST', path, body: JSON.stringify(body) } as const;
    const answer = await this.#client.ask(signal === undefined ? question : { ...question, signal });
    if (answer.status !== 200) throw new Error(failureOf(answer, path, this.#client.origin));
    return JSON.parse(answer.text) as Shape;
  }
}

function failureOf({ status, text }: Answer, path: string, origin: string): string {
  if (status === 404) return `${origin} does not serve ${path}; etcd 3.4 or later with its gRPC gateway on is needed`;
  try {
    const { error, message } = JSON.parse(text) as { error?: string; message?: string };
    return `etcd refuses: ${message ?? error ?? status}`;
  } catch {
    return `${origin} answers ${status}: ${shorten(text)}`;
  }
}

// -- as the gateway writes them: absent values are zero

interface RawHeader {
  readonly header?: { readonly revision?: string; readonly cluster_id?: string };
}

interface RawPair {
  readonly key?: string;
  readonly value?: string;
  readonly mod_revision?: string;
}

interface RawRange extends RawHeader {
  readonly kvs?: readonly RawPair[];
  readonly count?: string;
}

interface RawTxn extends RawHeader {
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: RawRange }[];
}

interface RawWatch extends RawHeader {
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  readonly compact_revision?: string;
  readonly events?: readonly { readonly type?: string; readonly kv?: RawPair }[];
}

interface RawError {
  readonly message?: string;
}

function headerOf({ header }: RawHeader): Header {
  return { revision: Number(header?.revision ?? 0), clusterId: header?.cluster_id ?? '' };
}

function pairOf({ key, value, mod_revision }: RawPair): KeyValue {
  return { key: text(key), value: text(value), modRevision: Number(mod_revision ?? 0) };
}

function eventOf({ type, kv = {} }: { readonly type?: string; readonly kv?: RawPair }): WatchEvent {
  const pair = pairOf(kv);
  return type === 'DELETE' ? { type: 'delete', key: pair.key, modRevision: pair.modRevision } : { type: 'put', pair };
}

/** The first key after all that begin with a text: its last byte plus one. It ends with `/`. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
