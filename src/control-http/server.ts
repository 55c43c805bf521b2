/**
 * The small HTTP server of the control side: the admin server and namerd's HTTP API are routes on it. It has limits, keeps
 * browsers out, counts, and sends bodies that end as well as streams of states.
 */
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { MetricScope } from '../metrics/registry.ts';
import type { Log } from '../port/log.ts';
import { peerNames, ServerTls, type ServerTlsConfig } from '../wire/tls/index.ts';
import { ANYBODY, type AuthConfig, Authenticator, type Identity, warnIfOpen } from './auth/index.ts';
import { contentLength, MAX_BODY_BYTES, readBody } from './body.ts';
import { isForeignOrigin, isOwnHost } from './browsers.ts';
import { limitConnections } from './connection-limit.ts';
import { logFailedHandshakes } from './handshakes.ts';
import { type ControlRequest, type ControlResponse, type Router, text } from './messages.ts';
import { countRequests } from './metrics.ts';
import { type StateStream, sendStates } from './state-stream.ts';

// An import of node:http would read all its exports, WebSocket among them, and so load undici: 10 MiB for nothing.
const { createServer } = process.getBuiltinModule('node:http');

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
const CLOSE_IDLE_MS = 20;
const SERVER_OPTIONS: http.ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: CHECK_MS,
  keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
};

/** Those of `socketOptions` that a control server heeds. */
export interface ListeningSocketOptions {
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
  readonly backlog?: number | undefined;
}

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
  readonly socketOptions?: ListeningSocketOptions | undefined;
  readonly tls?: ServerTlsConfig | undefined;
  readonly auth?: AuthConfig | undefined;
  /** Whether a path is served to whoever asks, in spite of `auth`. */
  readonly isOpenPath?: (path: string) => boolean;
}

interface OpenStream {
  readonly identity: Identity;
  end(): void;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #hosts: ReadonlySet<string>;
  readonly #streams = new Set<OpenStream>();
  #server: http.Server | undefined;
  #tls: ServerTls | undefined;
  #authenticator: Authenticator | undefined;

  constructor(options: ControlServerOptions) {
    const { hosts = [] } = options;
    this.#options = options;
    this.#hosts = new Set(hosts === 'any' ? [] : hosts.map((host) => host.toLowerCase()));
  }

  /** The number of streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /**
   * Rejects with the system's error, such as EADDRINUSE, or with one that says what is wrong with certificates or tokens. Resolves to
   * the port.
   */
  async listen(host: string, port: number): Promise<number> {
    const { log, name, metrics, tls, auth, socketOptions = {} } = this.#options;
    const { reusePort = false, backlog } = socketOptions;
    if (auth !== undefined) {
      this.#authenticator = await Authenticator.open(auth, log, metrics);
      this.#authenticator.onRevoked = () => this.#endRevoked();
    }
    this.#tls =
      tls === undefined ? undefined : await ServerTls.open(tls, { name, log, requestClientAuth: auth !== undefined });
    const server = this.#createServer();
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, reusePort, ...(backlog === undefined ? {} : { backlog }) }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => log.error({ err: error }, `the ${name} failed`));
    const bound = (server.address() as AddressInfo).port;
    warnIfOpen(log, { ip: host, port: bound, auth });
    return bound;
  }

  /** Accepts nothing new and ends streams; cuts requests that are not answered within `graceMs`. */
  async close(graceMs = 0): Promise<void> {
    this.#tls?.close();
    this.#authenticator?.close();
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const { end } of [...this.#streams]) end();
    // A connection is idle only when its answer has been sent.
    const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    if (graceMs === 0) server.closeAllConnections();
    await closed;
    clearInterval(closeIdle);
    clearTimeout(cut);
  }

  #createServer(): http.Server {
    const { log, name, metrics, maxConnections = MAX_CONNECTIONS, socketOptions = {} } = this.#options;
    const onRequest: http.RequestListener = (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A client that went away while its body was read or its answer awaited.
        if (response.destroyed || (request.destroyed && !request.complete)) return;
        log.error({ err: error, path: request.url }, `a request to the ${name} failed`);
        if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
        response.end('internal error\n');
      });
    };
    const { noDelay = true, keepAlive = true } = socketOptions;
    const serverOptions = { ...SERVER_OPTIONS, noDelay, keepAlive };
    const server =
      this.#tls === undefined
        ? createServer(serverOptions, onRequest)
        : secured(this.#tls, serverOptions, onRequest, log);
    limitConnections(server, { maxConnections, name, log, metrics });
    if (metrics !== undefined) countRequests(server, metrics);
    return server;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { status, contentType, headers, body, identity = ANYBODY } = await this.#answer(request, gone.signal);
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
    else if (isStream(body)) this.#stream(body, response, identity);
    else {
      for (const piece of pieces ?? []) response.write(piece);
      response.end();
    }
  }

  #identify(request: http.IncomingMessage, path: string): Identity | null {
    const authenticator = this.#authenticator;
    if (authenticator === undefined || this.#options.isOpenPath?.(path)) return ANYBODY;
    const { authorization } = request.headers;
    const certificateNames = this.#tls === undefined ? [] : peerNames(request.socket as TLSSocket);
    return authenticator.identify({ authorization, certificateNames });
  }

  #stream(stream: StateStream, response: http.ServerResponse, identity: Identity): void {
    const open = { identity, end: sendStates(stream, response) };
    this.#streams.add(open);
    response.once('close', () => this.#streams.delete(open));
  }

  /** A token that was taken back has no say in what is open either. */
  #endRevoked(): void {
    for (const { identity, end } of [...this.#streams]) if (identity.isRevoked) end();
  }

  async #answer(
    request: http.IncomingMessage,
    gone: AbortSignal,
  ): Promise<ControlResponse & { readonly identity?: Identity }> {
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
    const identity = this.#identify(request, target.pathname);
    if (identity === null) return UNAUTHENTICATED;
    const handler = this.#options.route(target.pathname);
    if (handler === undefined) return { status: 404, body: '' };
    const response = await handler(controlRequest(request, { target, gone, identity }));
    if (response.status === 403) this.#authenticator?.denied();
    return { ...response, identity };
  }
}

/** RFC 9110 section 11.6.1. */
const UNAUTHENTICATED: ControlResponse = {
  ...text(401, 'Send a token (Authorization: Bearer TOKEN) or show a client certificate that is known here.\n'),
  headers: { 'WWW-Authenticate': 'Bearer' },
};

function secured(tls: ServerTls, options: http.ServerOptions, onRequest: http.RequestListener, log: Log): http.Server {
  const { createServer: createSecureServer } = process.getBuiltinModule('node:https');
  const server = createSecureServer({ ...options, ...tls.handshakeOptions, ...tls.contextOptions }, onRequest);
  tls.follow(server);
  logFailedHandshakes(server, log);
  return server;
}

function controlRequest(
  request: http.IncomingMessage,
  { target, gone, identity }: { target: URL; gone: AbortSignal; identity: Identity },
): ControlRequest {
  const bytes = () => readBody(request);
  return {
    method: request.method ?? 'GET',
    path: target.pathname,
    query: target.searchParams,
    headers: request.headers,
    contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    gone,
    identity,
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
