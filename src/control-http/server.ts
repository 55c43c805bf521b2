/**
 * The small HTTP server of the control side: the admin server and namerd's HTTP API are routes on it. It has limits, keeps
 * browsers out, counts, and sends bodies that end as well as streams of states.
 */
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricScope } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';
import { isForeignOrigin, isOwnHost } from './browsers.ts';
import { type ControlRequest, type ControlResponse, type Router, text } from './messages.ts';
import { countRequests } from './metrics.ts';
import { type StateStream, sendStates } from './state-stream.ts';

// An import of node:http would read all its exports, WebSocket among them, and so load undici: 10 MiB for nothing.
const { createServer } = process.getBuiltinModule('node:http');

const MAX_BODY_BYTES = 1024 * 1024;

/** Whoever reaches a control port must not use up what requests need: few connections, small heads, little time. */
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 5_000;
/** How often those times are looked at. */
const CHECK_MS = 1_000;
/** A peer whose host died is noticed although a stream has nothing to say to it. */
const TCP_KEEP_ALIVE_MS = 30_000;
const SERVER_OPTIONS: http.ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: CHECK_MS,
  keepAlive: true,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  noDelay: true,
};

export interface ControlServerOptions {
  /** What it is called in the log: `admin server`. */
  readonly name: string;
  readonly route: Router;
  readonly log: Log;
  /** Where its metrics stand; none: nowhere. */
  readonly metrics?: MetricScope | undefined;
  /**
   * Names in Host under which pages in browsers may ask, beside IP addresses and localhost. `any`: clients that are no browsers
   * use names of their own; what comes from a page is held to the names of this machine all the same.
   */
  readonly hosts?: readonly string[] | 'any' | undefined;
  /** The key of the config that such names are listed under, for the answer that refuses others. */
  readonly hostsKey?: string | undefined;
  /** Default 256. */
  readonly maxConnections?: number | undefined;
}

export class ControlServer {
  readonly #server: http.Server;
  readonly #options: ControlServerOptions;
  readonly #hosts: ReadonlySet<string>;
  readonly #endStreams = new Set<() => void>();

  constructor(options: ControlServerOptions) {
    const { log, name, hosts = [], maxConnections = MAX_CONNECTIONS, metrics } = options;
    this.#options = options;
    this.#hosts = new Set(hosts === 'any' ? [] : hosts.map((host) => host.toLowerCase()));
    this.#server = createServer(SERVER_OPTIONS, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A client that went away while its body was read or its answer awaited.
        if (response.destroyed || (request.destroyed && !request.complete)) return;
        log.error({ err: error, path: request.url }, `a request to the ${name} failed`);
        if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
        response.end('internal error\n');
      });
    });
    this.#server.maxConnections = maxConnections;
    if (metrics !== undefined) countRequests(this.#server, metrics);
  }

  /** The number of streams that are open. */
  get streams(): number {
    return this.#endStreams.size;
  }

  /** Rejects with the system's error, such as EADDRINUSE. Resolves to the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const { log, name } = this.#options;
    this.#server.on('error', (error) => log.error({ err: error }, `the ${name} failed`));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts nothing new and ends streams; cuts requests that are not answered within `graceMs`. */
  async close(graceMs = 0): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const end of [...this.#endStreams]) end();
    const cut = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    if (graceMs === 0) this.#server.closeAllConnections();
    await closed;
    clearTimeout(cut);
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { status, contentType, headers, body } = await this.#answer(request, gone.signal);
    if (gone.signal.aborted) return;
    // The rest of a body that nobody wants is passed over if it is short; a long one is not waited for.
    if (!request.complete && !(contentLength(request) <= MAX_BODY_BYTES)) response.setHeader('Connection', 'close');
    const pieces = isStream(body) ? undefined : typeof body === 'string' ? [body] : body;
    response.writeHead(status, {
      // What an answer echoes must not be taken for a page.
      'X-Content-Type-Options': 'nosniff',
      ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
      // RFC 9110 section 8.6: no length with a 204.
      ...(pieces === undefined || status === 204 ? {} : { 'Content-Length': lengthOf(pieces) }),
      ...headers,
    });
    if (request.method === 'HEAD') response.end();
    else if (isStream(body)) this.#stream(body, response);
    else {
      for (const piece of pieces ?? []) response.write(piece);
      response.end();
    }
  }

  #stream(stream: StateStream, response: http.ServerResponse): void {
    const end = sendStates(stream, response);
    this.#endStreams.add(end);
    response.once('close', () => this.#endStreams.delete(end));
  }

  async #answer(request: http.IncomingMessage, gone: AbortSignal): Promise<ControlResponse> {
    const { headers } = request;
    const isHeldToHosts = this.#options.hosts !== 'any' || headers.origin !== undefined;
    if (isHeldToHosts && !isOwnHost(headers.host, this.#hosts)) {
      const { hostsKey } = this.#options;
      const orList = hostsKey === undefined ? '' : `, or list it in ${hostsKey}`;
      return text(403, `This Host is not served here: use an IP address or localhost${orList}.\n`);
    }
    if (isForeignOrigin(headers)) return text(403, 'Pages of other origins may not ask this server.\n');
    const url = request.url ?? '/';
    const target = URL.parse(url, 'http://control');
    if (target === null) return text(400, 'The request target is not a path.\n');
    // URLSearchParams would pass over it and hand the text on as it is.
    const malformed = /%(?![0-9a-f]{2})/i.exec(url);
    if (malformed !== null) {
      return text(400, `Malformed escape at character ${malformed.index + 1} of the target; write % as %25.\n`);
    }
    const handler = this.#options.route(target.pathname);
    return handler === undefined ? { status: 404, body: '' } : await handler(controlRequest(request, target, gone));
  }
}

function controlRequest(request: http.IncomingMessage, target: URL, gone: AbortSignal): ControlRequest {
  const bytes = () => readBody(request);
  return {
    method: request.method ?? 'GET',
    path: target.pathname,
    query: target.searchParams,
    headers: request.headers,
    contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    gone,
    bytes,
    body: async () => (await bytes())?.toString('utf8') ?? null,
  };
}

function isStream(body: ControlResponse['body']): body is StateStream {
  return typeof body === 'object' && 'subscribe' in body;
}

function lengthOf(pieces: readonly (string | Buffer)[]): number {
  return pieces.reduce((length, piece) => length + Buffer.byteLength(piece), 0);
}

/** NaN when the request does not say. */
function contentLength(request: http.IncomingMessage): number {
  return Number(request.headers['content-length']);
}

async function readBody(request: http.IncomingMessage): Promise<Buffer | null> {
  if (contentLength(request) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  // Where it is broken off, the connection must still carry the answer.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
