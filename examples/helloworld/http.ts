// The demo application over HTTP. Every path greets; two administrative calls change latency and failure rate at run
// time, to watch retries and failure accrual at work:
//
//   curl -X POST 'localhost:7777/setLatency?latency=500ms'
//   curl -X POST 'localhost:7777/setFailureRate?failureRate=0.5'

import http from 'node:http';
import { parseDuration, parseRate } from './flags.ts';
import type { Greeter } from './greeter.ts';

/** A latency above this is refused: a client would rather have given up. */
export const MAX_LATENCY_MS = 10_000;

/** A target may itself wait MAX_LATENCY_MS, and so may its own target. */
const TARGET_TIMEOUT_MS = 60_000;
const TARGET_BODY_LIMIT_BYTES = 1024 * 1024;

export interface HttpOptions {
  readonly greeter: Greeter;
  /** Asked for the rest of the sentence, as GET http://<target>; undefined: nobody is asked. */
  readonly target: string | undefined;
  /** Answer `{"api_result": "<sentence>"}` instead of plain text. */
  readonly json: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

export function createHttpServer(options: HttpOptions): http.Server {
  const agent = new http.Agent({ keepAlive: true, proxyEnv: proxyEnvironment(options.environment) });
  const server = http.createServer((request, response) => {
    const [pathname, query] = (request.url ?? '/').split('?', 2);
    const parameters = new URLSearchParams(query);
    if (pathname === '/setLatency') {
      administer(request, response, parameters.get('latency'), (text) => {
        options.greeter.latencyMs = parseLatency(text);
      });
    } else if (pathname === '/setFailureRate') {
      administer(request, response, parameters.get('failureRate'), (text) => {
        options.greeter.failureRate = parseRate(text);
      });
    } else {
      void greet(options, agent, request, response);
    }
  });
  // A proxy keeps connections to us: none is closed for being idle, so that no request meets a closing one.
  server.keepAliveTimeout = 0;
  server.on('close', () => agent.destroy());
  return server;
}

/**
 * Node wants a proxy as a URL; everybody else writes `http_proxy=localhost:4140` too. Hosts on loopback are never asked
 * through a proxy, as in Go's client.
 */
function proxyEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const proxy = environment['http_proxy'] || environment['HTTP_PROXY'];
  if (!proxy) return {};
  const direct = environment['no_proxy'] || environment['NO_PROXY'];
  return {
    http_proxy: proxy.includes('://') ? proxy : `http://${proxy}`,
    no_proxy: ['localhost', '127.0.0.1', '[::1]', ...(direct ? [direct] : [])].join(','),
  };
}

async function greet(
  { greeter, target, json }: HttpOptions,
  agent: http.Agent,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    if (!(await greeter.isHealthy(gone.signal))) return refuse(response, 500, '');
    const said = target === undefined ? undefined : await ask(target, agent, contextOf(request), gone.signal);
    if (json) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ api_result: greeter.greet(said) }));
    } else {
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.end(`${greeter.greet(said)}!`);
    }
  } catch (error) {
    // The client went away: there is nobody to tell.
    if (!gone.signal.aborted) refuse(response, 503, (error as Error).message);
  }
}

/** The headers by which Signpost recognises requests that belong to one another (trace, deadline, local dtab). */
function contextOf(request: http.IncomingMessage): http.OutgoingHttpHeaders {
  const context: http.OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (name.startsWith('l5d-ctx')) context[name] = values;
  }
  return context;
}

/** GET http://<target>. Rejects with a message fit for the response when the target cannot answer with 200. */
function ask(
  target: string,
  agent: http.Agent,
  headers: http.OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(`http://${target}`, { agent, headers, signal, timeout: TARGET_TIMEOUT_MS });
    request.on('timeout', () => request.destroy(new Error(`no response within ${TARGET_TIMEOUT_MS} ms`)));
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection may be closed just as it is used again; a GET may be asked twice.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(ask(target, agent, headers, signal));
      else reject(error);
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > TARGET_BODY_LIMIT_BYTES) request.destroy(new Error('response too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`invalid response ${response.statusCode}`));
      });
    });
  });
}

/** An administrative call: POST with one parameter, which `apply` reads and refuses by throwing. */
function administer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  value: string | null,
  apply: (text: string) => void,
): void {
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST');
    refuse(response, 405, 'POST only');
    return;
  }
  try {
    apply(value ?? '');
    response.end('ok');
  } catch (error) {
    refuse(response, 400, (error as Error).message);
  }
}

/** A duration of at most MAX_LATENCY_MS, in milliseconds. */
export function parseLatency(text: string): number {
  const latencyMs = parseDuration(text);
  if (latencyMs > MAX_LATENCY_MS) throw new Error(`expected at most ${MAX_LATENCY_MS / 1_000}s`);
  return latencyMs;
}

function refuse(response: http.ServerResponse, status: number, message: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${message}\n`);
}
