/**
 * What a proxy should make of a request and of a backend's reply, where the recording shows a fault of the original in
 * its place. Knows routers that name by Host and bind `<dstPrefix>` straight to the fs namer.
 */
import { replyTo } from '../support/backend-replies.ts';
import {
  type Header,
  header,
  isInterim,
  listMembers,
  type Message,
  parseResponses,
  requestLine,
  statusOf,
} from '../support/http-message.ts';
import { type Expectation, type ExpectedMessage, findHeader } from './expectation.ts';
import type { RecordedCase } from './recordings.ts';

/** Never forwarded, besides what Connection names (RFC 9110 section 7.6.1); Proxy-Connection and Keep-Alive as recorded. */
const HOP_BY_HOP = [
  'connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Context headers that are read, then written anew. */
const CONSUMED = /^l5d-(dtab|ctx-dtab|ctx-trace|sample|reqid|dst-service|dst-client)$/i;
const NO_REQUEST: Message = { start: '', headers: [], body: '', trailers: [], complete: true };
const PLAIN_DTAB = /^\s*(\/\S+)\s*=>\s*\/#\/io\.l5d\.fs;\s*$/;

/** The whole exchange for one request that names its service by `host`; undefined where the oracle knows too little. */
export function exchangeFor(recorded: RecordedCase, host: string, target: string): Expectation | undefined {
  const [sent] = recorded.sentRequests;
  const prefix = PLAIN_DTAB.exec(recorded.router.dtab)?.[1];
  if (sent === undefined || prefix === undefined || recorded.router.identifier !== undefined) return undefined;
  const service = `${prefix}/${host.toLowerCase()}`;
  const ports = portsOf(recorded.files[host.toLowerCase()] ?? '');
  if (ports.length === 0) return unroutable(recorded, service);
  const clear = recorded.router.servers[0]?.clearContext === true;
  const message = forwarded(sent, target, clear ? /^l5d-/i : CONSUMED, [
    ['l5d-dst-service', service],
    ['l5d-dst-client', `/#/io.l5d.fs/${host.toLowerCase()}`],
  ]);
  const responses = relayed(recorded, sent);
  return {
    responses,
    closed: responses.some((response) => /^close$/i.test(String(findHeader(response, 'connection')))),
    requests: [{ ports, message }],
  };
}

/** The ports in a file of the fs namer. */
export function portsOf(file: string): number[] {
  return [...file.matchAll(/^\S+ (\d+)/gm)].map((match) => Number(match[1]));
}

/** The request as a backend gets it, ids in normalised form. */
function forwarded(sent: Message, target: string, dropped: RegExp, context: readonly Header[]): ExpectedMessage {
  const { method, version } = requestLine(sent);
  return {
    start: `${method} ${target} ${version}`,
    headers: [
      ...endToEnd(sent.headers).filter(([name]) => !dropped.test(name)),
      ...(isChunked(sent) ? [['Transfer-Encoding', 'chunked'] as const] : []),
      ['Via', via(sent.headers, version)],
      ['l5d-reqid', '<the trace id>'],
      ['l5d-ctx-trace', '<new trace, from its root, flags 0>'],
      ...context,
    ],
    body: sent.body,
    trailers: sent.trailers,
    complete: sent.complete,
  };
}

/** The responses that a client gets for what the backend answers to this request, interim ones first. */
export function relayed(recorded: RecordedCase, sent: Message, attempt = 0): ExpectedMessage[] {
  const { method, version } = requestLine(sent);
  const reply = replyTo(sent, attempt);
  const bytes = (reply.early ?? '') + reply.parts.filter((part) => typeof part === 'string').join('');
  const clear = recorded.router.servers[0]?.clearContext === true;
  return parseResponses(bytes, [method], reply.after === 'close').map((message) => {
    if (isInterim(message)) return message;
    const [replyVersion = ''] = message.start.split(' ');
    const headers: Header[] = [...endToEnd(message.headers), ['Via', via(message.headers, replyVersion)]];
    if (statusOf(message) === 101) {
      headers.push(['Connection', 'Upgrade'], ['Upgrade', header(message.headers, 'upgrade') ?? '']);
    } else if (isUnsized(message, method) && version !== 'HTTP/1.0') {
      headers.push(['Transfer-Encoding', 'chunked']);
    }
    const kept = headers.filter(([name]) => name.toLowerCase() !== 'l5d-success-class');
    kept.push(['l5d-success-class', statusOf(message) >= 500 ? '0.0' : '1.0']);
    if (asksToClose(sent) || endsWithConnection(message, sent)) kept.push(['Connection', 'close']);
    // The error of a hop further in tells of the inside: an edge passes on no more of it than the status.
    const blanked = clear && header(message.headers, 'l5d-err') !== undefined;
    return {
      ...message,
      start: message.start.replace(/^HTTP\/1\.0/, 'HTTP/1.1'),
      body: blanked ? '' : message.body,
      headers: kept
        .filter(([name]) => !clear || !name.toLowerCase().startsWith('l5d-'))
        .map(([name, value]) => [name, blanked && name.toLowerCase() === 'content-length' ? '0' : value] as const),
    };
  });
}

/** Template A of the original: a name that binds to nothing. A clearContext server tells nothing of the inside. */
function unroutable(recorded: RecordedCase, service: string): Expectation {
  const dtab = recorded.router.dtab
    .split(';')
    .map((dentry) => dentry.trim())
    .filter((dentry) => dentry !== '')
    .map((dentry) => `  ${dentry}\n`)
    .join('');
  const body =
    recorded.router.servers[0]?.clearContext === true
      ? 'Unable to route request!'
      : `Unable to route request!\n\nservice name: ${service}\ndtab:\n\nbase dtab:\n${dtab}override dtab:\n\n`;
  const [sent] = recorded.sentRequests;
  const closed = sent !== undefined && asksToClose(sent);
  return { responses: [generatedError(502, body, closed)], closed, requests: [] };
}

/** No identifier named the request. */
export function unidentified(recorded: RecordedCase, reason: string): Expectation {
  const [sent] = recorded.sentRequests;
  const { method, target } = requestLine(sent ?? NO_REQUEST);
  const request = `Request("${method} ${target}", from /127.0.0.1:<client>) / `;
  const body = `Unknown destination: ${recorded.router.servers[0]?.clearContext === true ? '' : request}${reason}`;
  const closed = sent !== undefined && asksToClose(sent);
  return { responses: [generatedError(400, body, closed)], closed, requests: [] };
}

/** An answer of the proxy's own. Its length is checked by its being complete. */
export function generatedError(status: number, body: string | RegExp, closed: boolean): ExpectedMessage {
  return {
    start: new RegExp(`^HTTP/1\\.1 ${status} \\S`),
    headers: [
      ['Content-Type', 'text/plain'],
      ['l5d-err', typeof body === 'string' ? formEncoded(body).replace('%3Cclient%3E', '<client>') : /^[\w.*+%-]+$/],
      ['Content-Length', typeof body === 'string' ? String(body.length) : /^[1-9]\d*$/],
      ...(closed ? [['Connection', 'close'] as const] : []),
    ],
    body,
    trailers: [],
    complete: true,
  };
}

/** application/x-www-form-urlencoded as the original's platform does it: `*-._` stay, blank becomes `+`. */
export function formEncoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function asksToClose(request: Message): boolean {
  const options = listMembers(request.headers, 'connection');
  if (options.includes('close')) return true;
  return requestLine(request).version === 'HTTP/1.0' && !options.includes('keep-alive');
}

function endToEnd(headers: readonly Header[]): Header[] {
  const hopByHop = [...HOP_BY_HOP, ...listMembers(headers, 'connection'), 'via'];
  return headers.filter(([name]) => !hopByHop.includes(name.toLowerCase()));
}

function via(headers: readonly Header[], version: string): string {
  const received = header(headers, 'via');
  const own = `${version.replace('HTTP/', '')} linkerd`;
  return received === undefined ? own : `${received}, ${own}`;
}

/** Whether a response has a body that no length tells the end of. */
function isUnsized(message: Message, method: string): boolean {
  const status = statusOf(message);
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return false;
  return header(message.headers, 'content-length') === undefined || isChunked(message);
}

/** An HTTP/1.0 client knows no chunks: where there is no length, the end of the connection ends the body. */
function endsWithConnection(response: Message, request: Message): boolean {
  const { method, version } = requestLine(request);
  return version === 'HTTP/1.0' && isUnsized(response, method);
}

function isChunked(message: Message): boolean {
  return listMembers(message.headers, 'transfer-encoding').includes('chunked');
}
