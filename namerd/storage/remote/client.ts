/** HTTP to the server of a storage: bounded in time and size, with failures in words. */

import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { Log } from '../../../src/port/log.ts';
import { ClientTls, type ClientTlsConfig } from '../../../src/wire/tls/index.ts';

/** Connections to the server: one is held by a watch. */
const CONNECTIONS = 16;
const CONNECT_MS = 3_000;
/** For an answer from its request to its end, if the caller says nothing else. */
const ANSWER_MS = 5_000;
/** What a server may answer: all namespaces at once, each up to 1 MiB. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** One message of a stream. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** None: in the clear. */
  readonly tls?: ClientTlsConfig | undefined;
  readonly log: Log;
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Time in ms for the whole answer. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** The server can't be reached, or does not answer in time. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export class BackendClient {
  /** For messages: `http://localhost:2379`. */
  readonly origin: string;
  readonly #log: Log;
  readonly #tlsConfig: ClientTlsConfig | undefined;
  #tls: ClientTls | null = null;
  #pool: Pool | null = null;

  constructor({ host, port, tls, log }: ClientOptions) {
    const shown = host.includes(':') ? `[${host}]` : host;
    this.#tlsConfig = tls?.enabled === false ? undefined : tls;
    this.origin = `${this.#tlsConfig === undefined ? 'http' : 'https'}://${shown}:${port}`;
    this.#log = log;
  }

  /** Loads the HTTP client; connects to nothing yet. Rejects when files of certificates can't be used. */
  async open(): Promise<void> {
    const undici = await import('undici');
    if (this.#tlsConfig !== undefined) {
      this.#tls = await ClientTls.open(this.#tlsConfig, { name: this.origin, log: this.#log });
    }
    this.#pool = new undici.Pool(this.origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      connect: connectorOf(undici.buildConnector, this.#tls),
      // Each question has its own limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Rejects with Unreachable, or with the reason of the signal. */
  async ask(question: Question): Promise<Answer> {
    const { timeoutMs = ANSWER_MS } = question;
    const late = AbortSignal.timeout(timeoutMs);
    const { statusCode, headers, body } = await this.#request(question, late);
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) throw new Error(`it answers with more than ${MAX_ANSWER_BYTES} bytes`);
        chunks.push(chunk);
      }
      return { status: statusCode, headers, text: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      throw this.#explain(error, question, late);
    }
  }

  /**
   * The lines of an answer that does not end. `timeoutMs` is for its head. Ends or throws when the connection does; the signal of
   * the question ends it too.
   */
  async *lines(question: Question): AsyncGenerator<string> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(timeoutError()), question.timeoutMs ?? ANSWER_MS);
    let rest = '';
    try {
      const { statusCode, body } = await this.#request(question, late.signal);
      clearTimeout(timer);
      if (statusCode !== 200) throw new Error(`it answers ${statusCode}: ${shorten(await body.text())}`);
      body.setEncoding('utf8');
      for await (const chunk of body as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_LINE_BYTES) throw new Error(`it sends more than ${MAX_LINE_BYTES} bytes in a line`);
        yield* lines;
      }
    } catch (error) {
      throw this.#explain(error, question, late.signal);
    } finally {
      clearTimeout(timer);
    }
    throw new Unreachable(`${this.origin} ended the stream`);
  }

  /** Breaks everything off. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
    this.#tls?.close();
  }

  async #request(question: Question, late: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (this.#pool === null) throw new Unreachable('it is not open');
    const { method, path, headers = {}, body = null, signal } = question;
    const all = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      return await this.#pool.request({ method, path, headers, body, signal: all });
    } catch (error) {
      throw this.#explain(error, question, late);
    }
  }

  #explain(error: unknown, { signal, timeoutMs = ANSWER_MS }: Question, late: AbortSignal): Error {
    if (signal?.aborted) return signal.reason as Error;
    if (late.aborted) return new Unreachable(`${this.origin} does not answer within ${timeoutMs} ms`);
    if (error instanceof Unreachable) return error;
    const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: Error[] };
    // Of a host with several addresses each has failed.
    const reason = message || errors?.map((one) => one.message).join('; ') || code;
    return new Unreachable(`${this.origin} can not be reached: ${reason}`);
  }
}

/** Each connection takes the certificates as they are then. */
function connectorOf(build: typeof buildConnector, tls: ClientTls | null): buildConnector.connector {
  return (options, callback) => {
    // They are those of node:tls, whose declaration allows undefined more often.
    const own = (tls?.connectionOptions ?? {}) as buildConnector.BuildOptions;
    build({ ...own, timeout: CONNECT_MS })(options, callback);
  };
}

function timeoutError(): Error {
  return new DOMException('timed out', 'TimeoutError');
}

/** What a server says, for a message of one line. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
