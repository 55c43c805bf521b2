/**
 * HTTP to one server of the control side (a namerd, a storage's backend): bounded in time and size, over watched certificates, with
 * failures in words. Built on undici, which is loaded when a client is opened.
 */
import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { Log } from '../port/log.ts';
import { ClientTls, type ClientTlsConfig } from '../wire/tls/index.ts';
import { PINGS_MISSED, pingMsOf } from './pings.ts';

const MAX_CONNECTIONS = 16;
const CONNECT_MS = 3_000;
/** A peer whose host died is noticed although nothing is said to it. */
const TCP_KEEP_ALIVE_MS = 10_000;
/** For an answer from its request to its end, if the caller says nothing else. */
const ANSWER_MS = 5_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** What is said in place of a stream. */
const MAX_REFUSAL_BYTES = 64 * 1024;
/** One line of a stream. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** How the system and undici say that the peer has closed a connection. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

type Connector = ReturnType<typeof buildConnector>;

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  /** None: in the clear. What is open already stays its owner's to close. */
  readonly tls?: ClientTlsConfig | ClientTls | undefined;
  readonly log: Log;
  /** At a time, Infinity for no limit; each stream holds one. Default 16. */
  readonly maxConnections?: number | undefined;
}

export interface Question {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Time in ms for the whole answer; of a stream, for its head. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Answer extends Head {
  readonly text: string;
}

/** The server can't be reached, breaks off, or does not answer in time. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  /** It took the connection, and closed it without an answer: it is there, but may have more connections than it wants. */
  readonly wasClosed: boolean;

  constructor(message: string, wasClosed = false) {
    super(message);
    this.wasClosed = wasClosed;
  }
}

/** The server answers, but not with what was asked for. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  /** What it says, on one line. */
  readonly said: string;

  constructor(status: number, text: string) {
    const said = shorten(text);
    super(`it answers ${status}: ${said}`);
    this.status = status;
    this.said = said;
  }
}

export class ControlClient {
  /** For messages: `http://localhost:2379`. */
  readonly origin: string;
  readonly #options: ClientOptions;
  readonly #tls: ClientTlsConfig | ClientTls | undefined;
  #ownTls: ClientTls | undefined;
  #pool: Pool | null = null;

  constructor(options: ClientOptions) {
    const { host, port, tls } = options;
    this.#options = options;
    this.#tls = tls instanceof ClientTls || tls?.enabled !== false ? tls : undefined;
    this.origin = `${this.#tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Loads the HTTP client; connects to nothing yet. Rejects when files of certificates can't be used. */
  async open(): Promise<void> {
    const undici = await import('undici');
    const { maxConnections = MAX_CONNECTIONS, log } = this.#options;
    if (this.#tls !== undefined && !(this.#tls instanceof ClientTls)) {
      this.#ownTls = await ClientTls.open(this.#tls, { name: this.origin, log });
    }
    const tls = this.#tls instanceof ClientTls ? this.#tls : this.#ownTls;
    const common = {
      timeout: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      // A stream is a connection of its own, so that the reader of one may be slow.
      allowH2: false,
    };
    // With the certificates that count when a connection is made.
    const overTls: Connector = (options, callback) =>
      undici.buildConnector({ ...common, ...tls?.connectionOptions })(options, callback);
    this.#pool = new undici.Pool(this.origin, {
      connections: Number.isFinite(maxConnections) ? maxConnections : null,
      pipelining: 1,
      connect: tls === undefined ? common : overTls,
      // Each question has its own limit.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Rejects with Unreachable, or with the reason of the signal. */
  async ask(question: Question): Promise<Answer> {
    const late = AbortSignal.timeout(question.timeoutMs ?? ANSWER_MS);
    try {
      const { statusCode, headers, body } = await this.#request(question, late);
      return { status: statusCode, headers, text: await textOf(body, MAX_ANSWER_BYTES) };
    } catch (error) {
      throw this.#explain(error, question, late);
    }
  }

  /**
   * The lines of an answer that does not end; empty ones, by which a server says that it is alive, are left out. `onHead` hears of
   * the answer's head. Rejects with Refused if the status is not 200; with Unreachable when the connection breaks off or the server
   * ends the stream; with the reason of the signal.
   */
  async *lines(question: Question, onHead: (head: Head) => void = () => {}): AsyncGenerator<string, never> {
    const limit = new Limit(question.timeoutMs ?? ANSWER_MS);
    let isOpen = false;
    try {
      const { statusCode, headers, body } = await this.#request(question, limit.signal);
      if (statusCode !== 200) throw new Refused(statusCode, await textOf(body, MAX_REFUSAL_BYTES).catch(() => ''));
      isOpen = true;
      onHead({ status: statusCode, headers });
      const silenceMs = (pingMsOf(headers) ?? 0) * PINGS_MISSED;
      body.setEncoding('utf8');
      let rest = '';
      limit.restart(silenceMs);
      for await (const chunk of body as AsyncIterable<string>) {
        limit.restart(silenceMs);
        const [first = '', ...others] = chunk.split('\n');
        const lines = [rest + first, ...others];
        rest = lines.pop() ?? '';
        if (rest.length > MAX_LINE_BYTES) throw new Error(`it sends more than ${MAX_LINE_BYTES} bytes in a line`);
        for (const line of lines) if (line !== '') yield line;
      }
      // Of a server that sends one answer, without a line's end.
      if (rest !== '') yield rest;
    } catch (error) {
      const isSilent = isOpen && limit.signal.aborted && !question.signal?.aborted;
      throw isSilent ? new Unreachable(`${this.origin} is silent`) : this.#explain(error, question, limit.signal);
    } finally {
      limit.clear();
    }
    throw new Unreachable(`${this.origin} ended the stream`);
  }

  /** Breaks everything off. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
    this.#ownTls?.close();
  }

  async #request(question: Question, late: AbortSignal): Promise<Dispatcher.ResponseData> {
    if (this.#pool === null) throw new Unreachable(`the client of ${this.origin} is closed`);
    const { method = 'GET', path, headers = {}, body = null, signal } = question;
    const all = signal === undefined ? late : AbortSignal.any([signal, late]);
    return await this.#pool.request({ method, path, headers, body, signal: all });
  }

  #explain(error: unknown, { signal, timeoutMs = ANSWER_MS }: Question, late: AbortSignal): Error {
    if (signal?.aborted) return signal.reason as Error;
    if (error instanceof Unreachable || error instanceof Refused) return error;
    if (late.aborted) return new Unreachable(`${this.origin} does not answer within ${timeoutMs} ms`);
    const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: Error[] };
    // Of a host with several addresses each has failed.
    const reason = message || errors?.map((one) => one.message).join('; ') || code;
    return new Unreachable(`${this.origin} can not be reached: ${reason}`, code !== undefined && CLOSED.has(code));
  }
}

async function textOf(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A time limit that begins again with what comes. */
class Limit {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.restart(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 0: no limit. */
  restart(ms: number): void {
    this.clear();
    if (ms > 0) this.#timer = setTimeout(() => this.#controller.abort(), ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** What a server says, for a message of one line. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
