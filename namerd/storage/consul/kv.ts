/** The calls of Consul's HTTP API that a storage needs: its key/value store and transactions on it (consul.io/api/kv, /txn). */
import { type Answer, type ControlClient, shorten } from '../../../src/control-http/index.ts';
import type { Listed } from '../remote/revisions.ts';

export type Consistency = 'default' | 'stale' | 'consistent';

export interface KvOptions {
  /** Ends with `/`, begins without. */
  readonly prefix: string;
  readonly token?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly writeConsistency: Consistency;
}

export interface Listing {
  /** Of the newest change below the prefix. */
  readonly index: number;
  readonly listed: readonly Listed[];
}

/** `done` with the index of the key, where it still has one; `conflict`: what was to hold did not. */
export type TxnOutcome = { readonly type: 'done'; readonly index: number | undefined } | { readonly type: 'conflict' };

/** Consul adds up to a sixteenth to the time that a question may wait. */
const WAIT_SLACK_MS = 5_000;

type Operation =
  | { readonly Verb: 'cas'; readonly Index: number; readonly Value: string }
  | { readonly Verb: 'set'; readonly Value: string }
  | { readonly Verb: 'check-index'; readonly Index: number }
  | { readonly Verb: 'delete' };

export class ConsulKv {
  readonly #client: ControlClient;
  readonly #options: KvOptions;

  constructor(client: ControlClient, options: KvOptions) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * All keys below the prefix. With `after` the question waits (at most `waitMs`) until the index is above that.
   */
  async list(
    consistency: Consistency,
    { after = 0, waitMs = 0, signal }: { after?: number; waitMs?: number; signal?: AbortSignal } = {},
  ): Promise<Listing> {
    const query: Record<string, string> = { recurse: 'true' };
    // An index of 0 would not wait.
    if (waitMs > 0) Object.assign(query, { index: String(Math.max(1, after)), wait: `${waitMs}ms` });
    const answer = await this.#get(
      this.#options.prefix,
      query,
      consistency,
      waitMs * (1 + 1 / 16) + WAIT_SLACK_MS,
      signal,
    );
    const entries = answer.status === 404 ? [] : entriesOf(answer);
    const listed = entries
      .filter(({ Key }) => Key.length > this.#options.prefix.length)
      .map(({ Key, Value, ModifyIndex }) => ({
        name: Key.slice(this.#options.prefix.length),
        text: Buffer.from(Value ?? '', 'base64').toString('utf8'),
        revision: ModifyIndex,
      }));
    return { index: Number(answer.headers['x-consul-index']), listed };
  }

  /** The index at which a key was last written; undefined: it isn't there. */
  async indexOf(name: string): Promise<number | undefined> {
    const answer = await this.#get(this.#options.prefix + name, {}, 'consistent');
    return answer.status === 404 ? undefined : entriesOf(answer)[0]?.ModifyIndex;
  }

  /** Writes a key if it was last written at `index` (0: if it isn't there; undefined: in any case). */
  async write(name: string, text: string, index: number | undefined): Promise<TxnOutcome> {
    const Value = Buffer.from(text).toString('base64');
    return await this.#txn(name, [index === undefined ? { Verb: 'set', Value } : { Verb: 'cas', Index: index, Value }]);
  }

  /** Deletes a key if it was last written at `index`. */
  async delete(name: string, index: number): Promise<TxnOutcome> {
    return await this.#txn(name, [{ Verb: 'check-index', Index: index }, { Verb: 'delete' }]);
  }

  async #txn(name: string, operations: readonly Operation[]): Promise<TxnOutcome> {
    const Key = this.#options.prefix + name;
    const body = JSON.stringify(operations.map((operation) => ({ KV: { ...operation, Key } })));
    const path = `/v1/txn${this.#query({}, this.#options.writeConsistency)}`;
    const answer = await this.#client.ask({ method: 'PUT', path, body, headers: this.#headers() });
    if (answer.status === 409) return { type: 'conflict' };
    if (answer.status !== 200) throw new Error(failureOf(answer));
    const { Results } = JSON.parse(answer.text) as { Results: { KV: { ModifyIndex: number } }[] | null };
    return { type: 'done', index: Results?.at(-1)?.KV.ModifyIndex };
  }

  async #get(
    key: string,
    query: Readonly<Record<string, string>>,
    consistency: Consistency,
    timeoutMs = WAIT_SLACK_MS,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const escaped = key.split('/').map(encodeURIComponent).join('/');
    const answer = await this.#client.ask({
      method: 'GET',
      path: `/v1/kv/${escaped}${this.#query(query, consistency)}`,
      headers: this.#headers(),
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.status !== 200 && answer.status !== 404) throw new Error(failureOf(answer));
    // Something else than Consul may answer 404 too.
    if (answer.headers['x-consul-index'] === undefined) {
      throw new Error(`${this.#client.origin} answers without an X-Consul-Index; is it a Consul agent?`);
    }
    return answer;
  }

  #query(query: Readonly<Record<string, string>>, consistency: Consistency): string {
    const { datacenter } = this.#options;
    const parameters = new URLSearchParams(query);
    if (datacenter !== undefined) parameters.set('dc', datacenter);
    if (consistency !== 'default') parameters.set(consistency, 'true');
    const text = parameters.toString();
    return text === '' ? '' : `?${text}`;
  }

  #headers(): Record<string, string> {
    const { token } = this.#options;
    return token === undefined ? {} : { 'X-Consul-Token': token };
  }
}

interface Entry {
  readonly Key: string;
  /** Base64; null: empty. */
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

function entriesOf({ text }: Answer): readonly Entry[] {
  return JSON.parse(text) as readonly Entry[];
}

function failureOf({ status, text }: Answer): string {
  const reason = shorten(text);
  if (status === 403) return `Consul refuses the token: ${reason}`;
  return status === 413 ? `it is too large for Consul: ${reason}` : `Consul answers ${status}: ${reason}`;
}
