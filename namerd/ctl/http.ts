/** One HTTP exchange with namerd. */
import type http from 'node:http';
import type https from 'node:https';
import { explained, failed, TIMED_OUT } from './network-failure.ts';
import type { TlsFiles } from './tls-files.ts';

/**
 * An `import` of node:http reads all its exports, WebSocket among them, and so loads undici, which takes as long as all else that a
 * command does (`npm run bench:namerctl`).
 */
function moduleFor(url: URL): typeof http | typeof https {
  return process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
}

/** Through the proxy that the environment names, as the original; never for this machine itself. */
function agentFor(url: URL): http.Agent | false {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY } = process.env;
  const isProxied = [http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY].some(
    (proxy) => proxy !== undefined && proxy !== '',
  );
  if (!isProxied || /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return false;
  return new (moduleFor(url).Agent)({ proxyEnv: process.env });
}

/** namerd answers from memory, or within the 2 s that it gives a name; a store that hangs may need longer. */
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** A dtab has at most 1 MiB, a history many of them. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_REDIRECTS = 10;

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly tls: TlsFiles;
}

export interface Answer {
  readonly status: number;
  /** As the server wrote it. */
  readonly reason: string;
  /** Names in lower case. */
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Resolves to whatever answer came; throws Failure when none did.
 *
 * @param waitMs that namerd was asked to take before it answers
 */
export async function exchange(request: Outgoing, waitMs = 0): Promise<Answer> {
  let { url } = request;
  for (let redirects = 0; ; redirects++) {
    const answer = await read(request, await send({ ...request, url }, ANSWER_TIMEOUT_MS + waitMs));
    const target = redirectOf(request, answer, url);
    if (target === undefined) return answer;
    if (redirects === MAX_REDIRECTS) throw failed(request, `stopped after ${MAX_REDIRECTS} redirects`);
    url = target;
  }
}

/**
 * The lines of an answer that does not end by itself; another status than 200 is answered as it is. Throws Failure when there is no
 * answer or it breaks off, and ends quietly when `signal` says so.
 */
export async function openStream(request: Outgoing, signal: AbortSignal): Promise<Answer | AsyncGenerator<string>> {
  const response = await send(request, 0, signal);
  // A namerd whose host is gone is noticed although it has nothing to say.
  response.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return response.statusCode === 200 ? linesOf(request, response, signal) : await read(request, response);
}

async function* linesOf(
  request: Outgoing,
  response: http.IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let partial = '';
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (partial + chunk).split('\n');
      partial = lines.pop() ?? '';
      yield* lines.filter((line) => line !== '');
    }
  } catch (error) {
    if (!signal.aborted) throw explained(request, error as NodeJS.ErrnoException);
  }
}

/** @param answerTimeoutMs 0: none */
function send(request: Outgoing, answerTimeoutMs: number, signal?: AbortSignal): Promise<http.IncomingMessage> {
  const { method, url, headers, body, tls } = request;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw failed(request, `unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  return new Promise((resolve, reject) => {
    const options: https.RequestOptions = {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) },
      agent: agentFor(url),
      ...tls,
      ...(signal === undefined ? {} : { signal }),
    };
    let sent: http.ClientRequest;
    try {
      sent = moduleFor(url).request(url, options, resolve);
    } catch (error) {
      // A certificate or key that can't be read.
      reject(explained(request, error as NodeJS.ErrnoException));
      return;
    }
    const giveUp = (reason: string): void => void sent.destroy(Object.assign(new Error(reason), { code: TIMED_OUT }));
    const connecting = setTimeout(() => giveUp('i/o timeout'), CONNECT_TIMEOUT_MS);
    sent.on('socket', (socket) => {
      const stop = (): void => clearTimeout(connecting);
      if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', stop);
      else stop();
    });
    if (answerTimeoutMs > 0) {
      sent.setTimeout(answerTimeoutMs, () => giveUp(`no answer within ${answerTimeoutMs / 1000} s`));
    }
    sent.on('error', (error) => reject(explained(request, error)));
    sent.on('close', () => clearTimeout(connecting));
    sent.end(body);
  });
}

async function read(request: Outgoing, response: http.IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, statusMessage: reason = '', headers } = response;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
    }
  } catch (error) {
    throw explained(request, error as NodeJS.ErrnoException);
  }
  return { status, reason, headers, body: Buffer.concat(chunks).toString('utf8') };
}

/** Where a redirect leads, if it may be followed: as the original, and never with a token to another server. */
function redirectOf({ method, headers }: Outgoing, { status, headers: answered }: Answer, from: URL): URL | undefined {
  const isSafe = method === 'GET' && [301, 302, 303, 307, 308].includes(status);
  if (answered.location === undefined || !(isSafe || status === 307 || status === 308)) return undefined;
  const to = URL.parse(answered.location, from.href);
  if (to === null) return undefined;
  const isOtherServer = to.host !== from.host || (from.protocol === 'https:' && to.protocol !== 'https:');
  return headers['Authorization'] !== undefined && isOtherServer ? undefined : to;
}
