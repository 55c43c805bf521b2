/**
 * The administration server: a few small endpoints over node's http, on loopback unless configured. Browsers are kept
 * from being used against it: a foreign Host is refused (DNS rebinding), and what changes state wants a POST.
 */
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';
import { countRequests } from './metrics.ts';
import type { PathFilter } from './security.ts';

// An import of node:http would read all its exports, WebSocket among them, and so load undici: 10 MiB for nothing.
const { createServer } = process.getBuiltinModule('node:http');

export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  /** Read on demand, at most MAX_BODY_BYTES; null when it is longer. */
  body(): Promise<string | null>;
}

export interface AdminResponse {
  readonly status: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. */
  readonly body: string | readonly Buffer[];
}

export type AdminHandler = (request: AdminRequest) => AdminResponse | Promise<AdminResponse>;

const JSON_UTF8 = 'application/json;charset=UTF-8';

const MAX_BODY_BYTES = 1024 * 1024;

/** Whoever reaches the admin port must not use up what requests need: few connections, small heads, little time. */
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 5_000;
/** How often those times are looked at. */
const CHECK_MS = 1_000;
const SERVER_OPTIONS: http.ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: CHECK_MS,
};

export function text(status: number, body: string): AdminResponse {
  return { status, contentType: 'text/plain;charset=UTF-8', body };
}

export function json(status: number, value: unknown): AdminResponse {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}

/** With the charset that some endpoints of the original name. */
export function jsonUtf8(status: number, value: unknown): AdminResponse {
  return { status, contentType: JSON_UTF8, body: JSON.stringify(value) };
}

/** For endpoints that people read. */
export function prettyJson(status: number, value: unknown): AdminResponse {
  return { status, contentType: JSON_UTF8, body: JSON.stringify(value, null, 2) };
}

export function methodNotAllowed(allow: string): AdminResponse {
  return { status: 405, headers: { Allow: allow }, body: '' };
}

export interface AdminServerOptions {
  /** Names in Host under which the server may be asked, beside IP addresses and localhost. */
  readonly hosts?: readonly string[] | undefined;
  /** Which paths are served; all when left out. */
  readonly filter?: PathFilter | undefined;
  /** Where it counts what it does; nowhere when left out. */
  readonly metrics?: MetricRegistry | undefined;
}

export class AdminServer {
  readonly #server: http.Server;
  readonly #handlers: ReadonlyMap<string, AdminHandler>;
  readonly #log: Log;
  readonly #hosts: ReadonlySet<string>;
  readonly #filter: PathFilter;

  /** Handlers by path; one whose path ends with `/` (but for `/` itself) serves all below it. */
  constructor(handlers: ReadonlyMap<string, AdminHandler>, log: Log, options: AdminServerOptions = {}) {
    this.#handlers = handlers;
    this.#log = log;
    this.#hosts = new Set(options.hosts?.map((host) => host.toLowerCase()));
    this.#filter = options.filter ?? (() => true);
    this.#server = createServer(SERVER_OPTIONS, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A client that went away while its body was read.
        if (request.destroyed && !request.complete) return;
        log.error({ err: error, path: request.url }, 'an admin request failed');
        if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
        response.end('internal error\n');
      });
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    if (options.metrics !== undefined) countRequests(this.#server, options.metrics);
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
    this.#server.on('error', (error) => this.#log.error({ err: error }, 'the admin server failed'));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const answer = await this.#answer(request);
    const pieces = typeof answer.body === 'string' ? [answer.body] : answer.body;
    // The rest of a body that nobody wants is not waited for.
    if (!request.complete) response.setHeader('Connection', 'close');
    response.writeHead(answer.status, {
      // What an answer echoes must not be taken for a page.
      'X-Content-Type-Options': 'nosniff',
      ...(answer.contentType === undefined ? {} : { 'Content-Type': answer.contentType }),
      'Content-Length': pieces.reduce((length, piece) => length + Buffer.byteLength(piece), 0),
      ...answer.headers,
    });
    if (request.method !== 'HEAD') for (const piece of pieces) response.write(piece);
    response.end();
  }

  async #answer(request: http.IncomingMessage): Promise<AdminResponse> {
    if (!this.#isOwnHost(request.headers.host)) {
      return text(403, 'This Host is not served here: use an IP address or localhost, or list it in admin.hosts.\n');
    }
    if (isForeignOrigin(request.headers)) return text(403, 'Pages of other origins may not ask this server.\n');
    const base = URL.parse(request.url ?? '/', 'http://admin');
    if (base === null) return text(400, 'The request target is not a path.\n');
    const handler = this.#filter(base.pathname) ? this.#handlerOf(base.pathname) : undefined;
    if (handler === undefined) return text(404, '');
    return await handler({
      method: request.method ?? 'GET',
      path: base.pathname,
      query: base.searchParams,
      contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
      body: () => readBody(request),
    });
  }

  #handlerOf(path: string): AdminHandler | undefined {
    const exact = this.#handlers.get(path);
    if (exact !== undefined) return exact;
    // The longest prefix, of those that end with a slash.
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = this.#handlers.get(path.slice(0, end + 1));
      if (above !== undefined) return above;
    }
    return undefined;
  }

  /** IP literals and localhost can't be re-bound by a foreign DNS server; for other names the user vouches. */
  #isOwnHost(host: string | undefined): boolean {
    if (host === undefined) return true;
    const name = host
      .replace(/:[0-9]*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    const isLocal = name === '' || name === 'localhost' || name.endsWith('.localhost');
    return isLocal || isIP(name) !== 0 || this.#hosts.has(name);
  }
}

/**
 * A browser says for which page it asks: by Origin when it posts or reads across origins (Fetch 3.2), by Sec-Fetch-Site
 * for the rest, such as images. A link from elsewhere may lead here.
 */
function isForeignOrigin(headers: http.IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase()) return true;
  const isForeignSite = ['cross-site', 'same-site'].includes(String(headers['sec-fetch-site']));
  return isForeignSite && headers['sec-fetch-mode'] !== 'navigate';
}

async function readBody(request: http.IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length']) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  // Where it is broken off, the connection must still carry the answer.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
