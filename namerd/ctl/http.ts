/** One HTTP exchange with namerd. */
import type http from 'node:http';
import type https from 'node:https';
import { ExitCode, Failure } from './failure.ts';
import type { TlsFiles } from './settings.ts';

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

const TIMED_OUT = 'NAMERCTL_TIMED_OUT';

/** What the original says of errors of the system. */
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
};

interface NetworkError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  /** Of the addresses that a name has. */
  readonly errors?: readonly NetworkError[];
}

function explained(request: Outgoing, error: NetworkError): Failure {
  const { code = '', message, address, port, hostname } = error.errors?.[0] ?? error;
  const { hostname: host } = request.url;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failed(
      request,
      `dial tcp: lookup ${hostname ?? host}: no such host`,
      `Is ${hostname ?? host} the right name, and does it resolve here?`,
    );
  }
  const system = SYSTEM[code];
  if (system !== undefined) {
    const at = address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`;
    return failed(request, `dial tcp${at}: ${system}`, IS_IT_RUNNING);
  }
  if (
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/.test(code) ||
    message.includes('wrong version number')
  ) {
    return failed(
      request,
      'http: server gave HTTP response to HTTPS client',
      'Begin the base URL with http:// instead.',
    );
  }
  if (code === TIMED_OUT) return failed(request, message, IS_IT_RUNNING);
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return failed(request, `tls: ${message}`, howToFixTls(code));
  }
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || message === 'socket hang up' || message === 'aborted') {
    return failed(
      request,
      'EOF',
      'The connection was closed before the answer was complete: look at the log of namerd.',
    );
  }
  return failed(request, message);
}

const IS_IT_RUNNING =
  'Is namerd running there, and is this the port of its io.l5d.httpController (4180 unless its config says otherwise)?';

function howToFixTls(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for other names: use one of them in the base URL.';
  if (/SELF_SIGNED|UNABLE_TO|DEPTH_ZERO/.test(code))
    return "Give the certificate authority that namerd's certificate is from: --cacert FILE.";
  return 'If namerd asks for a client certificate, give one: --cert FILE --key FILE.';
}

/** `Get "http://...": what went wrong`, as the original has it, which asks without parameters. */
function failed({ method, url }: Outgoing, reason: string, hint?: string): Failure {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const shown = new URL(url);
  shown.search = '';
  if (shown.password !== '') shown.password = '***';
  return new Failure(`${verb} "${shown}": ${reason}`, ExitCode.unreachable, hint === undefined ? {} : { hint });
}
