/** What handlers of the control side's small servers are asked and what they answer. */
import type http from 'node:http';
import type { Identity } from './auth/index.ts';
import type { StateStream } from './state-stream.ts';

export interface ControlRequest {
  readonly method: string;
  /** As it was sent: escapes are not resolved. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  /** The media type of the body in lower case, without its parameters; empty when there is none. */
  readonly contentType: string;
  /** Who asks, and what they may do. */
  readonly identity: Identity;
  /** Aborted when the client has gone, or has got its answer. */
  readonly gone: AbortSignal;
  /** Read on demand, at most 1 MiB; null when it is longer. */
  bytes(): Promise<Buffer | null>;
  /** The same as UTF-8 text. */
  body(): Promise<string | null>;
}

export interface ControlResponse {
  readonly status: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as UTF-8. */
  readonly body: string | readonly Buffer[] | StateStream;
}

export type ControlHandler = (request: ControlRequest) => ControlResponse | Promise<ControlResponse>;

/** The handler for a path as it was sent; undefined: 404. */
export type Router = (path: string) => ControlHandler | undefined;

const JSON_UTF8 = 'application/json;charset=UTF-8';

export function text(status: number, body: string): ControlResponse {
  return { status, contentType: 'text/plain;charset=UTF-8', body };
}

export function json(status: number, value: unknown): ControlResponse {
  return { status, contentType: 'application/json', body: JSON.stringify(value) };
}

/** With the charset that some endpoints of the original name. */
export function jsonUtf8(status: number, value: unknown): ControlResponse {
  return { status, contentType: JSON_UTF8, body: JSON.stringify(value) };
}

/** For endpoints that people read. */
export function prettyJson(status: number, value: unknown): ControlResponse {
  return { status, contentType: JSON_UTF8, body: JSON.stringify(value, null, 2) };
}

export function methodNotAllowed(allow: string): ControlResponse {
  return { status: 405, headers: { Allow: allow }, body: '' };
}

/** The answer to somebody who is known, but may not do that. */
export function forbidden(what: string): ControlResponse {
  return text(403, `You may not ${what}.\n`);
}

/** Serves handlers by path; one whose path ends with `/` (but for `/` itself) serves all below it. */
export function routesByPath(handlers: ReadonlyMap<string, ControlHandler>): Router {
  return (path) => {
    const exact = handlers.get(path);
    if (exact !== undefined) return exact;
    // The longest prefix, of those that end with a slash.
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = handlers.get(path.slice(0, end + 1));
      if (above !== undefined) return above;
    }
    return undefined;
  };
}
