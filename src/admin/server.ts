/**
 * The administration server: a few small endpoints over node's http, on loopback unless configured. Browsers are kept
 * from being used against it: a foreign Host is refused (DNS rebinding), and what changes state wants a POST.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import type { Log } from '../port/log.ts';

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
  readonly body: string;
}

export type AdminHandler = (request: AdminRequest) => AdminResponse | Promise<AdminResponse>;

const MAX_BODY_BYTES = 1024 * 1024;

export function text(status: number, body: string): AdminResponse {
  return { status, contentType: 'text/plain;charset=UTF-8', body };
}

export function json(status: number, value: unknown): AdminResponse {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}

export function methodNotAllowed(allow: string): AdminResponse {
  return { status: 405, headers: { Allow: allow }, body: '' };
}

export class AdminServer {
  readonly #server: http.Server;
  readonly #handlers: ReadonlyMap<string, AdminHandler>;
  readonly #log: Log;

  constructor(handlers: ReadonlyMap<string, AdminHandler>, log: Log) {
    this.#handlers = handlers;
    this.#log = log;
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        log.error({ err: error, path: request.url }, 'an admin request failed');
        if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
        response.end('internal error\n');
      });
    });
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
    response.writeHead(answer.status, {
      ...(answer.contentType === undefined ? {} : { 'Content-Type': answer.contentType }),
      'Content-Length': Buffer.byteLength(answer.body),
      ...answer.headers,
    });
    response.end(request.method === 'HEAD' ? '' : answer.body);
  }

  async #answer(request: http.IncomingMessage): Promise<AdminResponse> {
    if (!isOwnHost(request.headers.host)) {
      return text(403, 'This Host is not served here: use an IP address or localhost.\n');
    }
    const base = URL.parse(request.url ?? '/', 'http://admin');
    if (base === null) return text(400, 'The request target is not a path.\n');
    const handler = this.#handlers.get(base.pathname);
    if (handler === undefined) return text(404, '');
    return await handler({
      method: request.method ?? 'GET',
      path: base.pathname,
      query: base.searchParams,
      contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
      body: () => readBody(request),
    });
  }
}

/** IP literals and localhost can't be re-bound by a foreign DNS server. */
function isOwnHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host
    .replace(/:[0-9]*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return name === '' || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}

async function readBody(request: http.IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
