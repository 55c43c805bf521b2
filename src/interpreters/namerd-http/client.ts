/** One namerd over HTTP: each watch is a stream of JSON, a line for each state. */
import { ControlClient, PING_PARAMETER, type Question, Refused } from '../../control-http/index.ts';
import type { Live } from '../../live/index.ts';
import {
  type Addr,
  type BoundId,
  type DelegateTree,
  type Dtab,
  type NameTree,
  type Path,
  readAddr,
  readBoundTree,
  readDelegation,
} from '../../naming/index.ts';
import type { Log } from '../../port/log.ts';
import type { NamerdClient, WatchEnding, WatchListener } from '../remote/client.ts';
import type { Retry } from '../remote/retry.ts';
import type { Security } from '../remote/security.ts';
import { Pulse } from './pulse.ts';

/** Time in ms for namerd to take a watch. */
const OPEN_MS = 10_000;
/** Signs of life on a watch that we ask for, s: proxies in between cut connections that are silent for a minute. */
const PING_SECS = 20;
/** How often a namerd is asked again that answers a watch once and is done (delegate, in the original), ms. */
const POLL_MS = 5_000;

export interface NamerdHttpOptions {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  readonly retry: Retry;
  /** Open. */
  readonly security: Security;
  readonly log: Log;
  readonly pingMs: number;
  readonly pingTimeoutMs: number;
}

export class NamerdHttpClient implements NamerdClient {
  readonly #client: ControlClient;
  readonly #namespace: string;
  readonly #security: Security;
  readonly #pulse: Pulse;
  readonly #closing = new AbortController();
  #openWatches = 0;

  static async open(options: NamerdHttpOptions): Promise<NamerdHttpClient> {
    const { host, port, security, log } = options;
    const tls = security.tls ?? undefined;
    const client = new ControlClient({ host, port, tls, log, maxConnections: Number.POSITIVE_INFINITY });
    await client.open();
    return new NamerdHttpClient(client, options);
  }

  private constructor(client: ControlClient, options: NamerdHttpOptions) {
    const { namespace, security, pingMs, pingTimeoutMs, retry } = options;
    this.#client = client;
    this.#namespace = namespace;
    this.#security = security;
    const ask = (timeoutMs: number) => client.ask(this.#question({ method: 'HEAD', path: '/api/1/', timeoutMs }));
    this.#pulse = new Pulse({ ask, isHeard: () => this.#openWatches > 0, pingMs, pingTimeoutMs, retry });
  }

  get isUp(): Live<boolean> {
    return this.#pulse.isUp;
  }

  get problem(): string {
    return this.#pulse.problem;
  }

  bind(dtab: Dtab, path: Path, listener: WatchListener<NameTree<BoundId>>): () => void {
    return this.#watch('bind', { path: path.show(), dtab: dtab.show() }, readBoundTree, listener);
  }

  resolve(id: Path, listener: WatchListener<Addr>): () => void {
    return this.#watch('addr', { path: id.show() }, readAddr, listener);
  }

  delegate(dtab: Dtab, path: Path, listener: WatchListener<DelegateTree<BoundId>>): () => void {
    return this.#watch('delegate', { path: path.show(), dtab: dtab.show() }, readDelegation, listener);
  }

  close(): void {
    this.#closing.abort();
    this.#pulse.close();
    void this.#client.close();
  }

  #question(question: Question): Question {
    const { authorization } = this.#security;
    return {
      ...question,
      headers: { Accept: 'application/json', ...(authorization === undefined ? {} : { Authorization: authorization }) },
      signal: question.signal ?? this.#closing.signal,
    };
  }

  #watch<T>(
    endpoint: string,
    parameters: Readonly<Record<string, string>>,
    read: (json: unknown) => T,
    listener: WatchListener<T>,
  ): () => void {
    const stopping = new AbortController();
    const query = new URLSearchParams({ ...parameters, watch: 'true', [PING_PARAMETER]: String(PING_SECS) });
    const path = `/api/1/${endpoint}/${encodeURIComponent(this.#namespace)}?${query}`;
    const signal = AbortSignal.any([stopping.signal, this.#closing.signal]);
    const question = this.#question({ path, timeoutMs: OPEN_MS, signal });
    void this.#follow(question, read, listener, signal).then((ending) => {
      if (signal.aborted) return;
      // A watch that namerd answers for or that breaks off may be the first to notice that namerd has gone.
      if (ending.type === 'lost') this.#pulse.check();
      listener.onEnd(ending);
    });
    return () => stopping.abort();
  }

  /** Resolves when the watch is over. */
  async #follow<T>(
    question: Question,
    read: (json: unknown) => T,
    listener: WatchListener<T>,
    signal: AbortSignal,
  ): Promise<WatchEnding> {
    let said: string | undefined;
    let isOnce = false;
    let isOpen = false;
    try {
      const lines = this.#client.lines(question, ({ headers }) => {
        // An answer of known length is all that comes.
        isOnce = headers['content-length'] !== undefined;
        isOpen = !isOnce;
        if (isOpen) this.#openWatches++;
        if (!signal.aborted) listener.onOpen();
      });
      for await (const line of lines) {
        if (signal.aborted) break;
        const json = parse(line);
        // The last line of a watch that can't go on is the reason.
        if (json === undefined) said = line;
        else listener.onValue(read(json));
      }
    } catch (error) {
      if (isOnce && said === undefined && !signal.aborted)
        return await this.#askAgain(question, read, listener, signal);
      return endingOf(error as Error, said);
    } finally {
      if (isOpen) this.#openWatches--;
    }
    return { type: 'lost', message: 'the watch was left' };
  }

  async #askAgain<T>(
    question: Question,
    read: (json: unknown) => T,
    listener: WatchListener<T>,
    signal: AbortSignal,
  ): Promise<WatchEnding> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    return await this.#follow(question, read, listener, signal);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Statuses of a server, or a proxy before it, that is in trouble; any other is namerd's answer. */
const LOST: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

function endingOf(error: Error, said: string | undefined): WatchEnding {
  if (said !== undefined) return { type: 'failed', message: said };
  if (error instanceof Refused) return { type: LOST.has(error.status) ? 'lost' : 'failed', message: error.message };
  return { type: 'lost', message: error.message };
}
