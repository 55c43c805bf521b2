/**
 * What the recording backend answers. A request for `/be/<mode>` chooses the reply, so that a test can ask for any
 * behaviour of a backend, good or bad, through whatever stands between. The modes and their bytes are those behind
 * test/fixtures/http.json.
 */
import { STATUS_CODES } from 'node:http';
import { header, type Message, requestLine } from './http-message.ts';

export interface Reply {
  /** Sent as soon as the request's head is there, before its body. */
  readonly early?: string;
  /** Bytes (latin1) and pauses in ms. */
  readonly parts: readonly (string | number)[];
  /** What becomes of the connection; `tunnel` sends every further byte back. */
  readonly after: 'keep' | 'close' | 'tunnel' | 'hang';
}

const TEXT = 'Content-Type: text/plain\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const FIVE = '5\r\nhello\r\n';
const LAST = '0\r\n\r\n';

/** The mode that a request target in origin-form or absolute-form asks for: what stands behind `/be/`, or `ok`. */
export function modeOf(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  return path.startsWith('/be/') ? path.slice('/be/'.length) : 'ok';
}

/** @param attempt how often this very target was asked for before, for modes that fail a number of times */
export function replyTo(request: Message, attempt: number): Reply {
  const { method, target } = requestLine(request);
  const mode = modeOf(target);
  const reply = byName(mode, request) ?? byPattern(mode, method, attempt) ?? ok;
  return method === 'HEAD' ? withoutBody(reply) : reply;
}

const ok = keep(`HTTP/1.1 200 OK\r\nServer: be/1\r\n${TEXT}${sized('hello from backend\n')}`);

function byName(mode: string, request: Message): Reply | undefined {
  switch (mode) {
    case 'ok':
      return ok;
    case 'chunked':
      return keep(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n${FIVE}6\r\n world\r\n${LAST}`);
    case 'chunkslow':
      return { parts: [`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n${FIVE}`, 500, '6\r\n world\r\n', 500, LAST], after: 'keep' };
    case 'trailer':
      return keep(`HTTP/1.1 200 OK\r\n${CHUNKED}Trailer: X-T\r\n\r\n${FIVE}0\r\nX-T: tv\r\n\r\n`);
    case 'chunkcut':
      return close(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n${FIVE}a\r\ncut`);
    case 'close':
      return close(`HTTP/1.1 200 OK\r\n${TEXT}Connection: close\r\n${sized('bye\n')}`);
    case 'http10':
      return close(`HTTP/1.0 200 OK\r\n${TEXT}\r\nold body until close\n`);
    case 'eof':
      return close(`HTTP/1.1 200 OK\r\n${TEXT}\r\nbody until close\n`);
    case 'drop':
      return { parts: [], after: 'close' };
    case 'hang':
      return { parts: [], after: 'hang' };
    case 'partial':
      return close(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 100\r\n\r\n0123456789`);
    case 'garbage':
      return close('this is not HTTP at all\r\n\r\n');
    case 'cl2':
      return keep(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`);
    case 'cl2same':
      return keep(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`);
    case 'clte':
      return keep(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${CHUNKED}\r\n${FIVE}${LAST}`);
    case 'rc':
      return keep('HTTP/1.1 299 Rather Custom\r\nContent-Length: 0\r\n\r\n');
    case 'big':
      return keep(`HTTP/1.1 200 OK\r\n${sized('z'.repeat(200_000))}`);
    case 'hdrs':
      return keep(
        `HTTP/1.1 200 OK\r\nServer: be/2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nVia: 1.0 other\r\n${TEXT}` +
          'Connection: x-foo, keep-alive\r\nX-Foo: hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n' +
          'Proxy-Authenticate: Basic realm="x"\r\nTE: trailers\r\nX-Bar: end\r\nl5d-foo: bar\r\nl5d-ctx-trace: abc\r\n' +
          `Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n${sized('hdrs\n')}`,
      );
    case '1xx':
      return keep(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n${TEXT}${sized('after102\n')}`);
    case '100c':
      return { ...keep(`HTTP/1.1 200 OK\r\n${TEXT}${sized('after100\n')}`), early: 'HTTP/1.1 100 Continue\r\n\r\n' };
    case '100cclose':
      return {
        ...close(`HTTP/1.1 200 OK\r\n${TEXT}Connection: close\r\n${sized('after100\n')}`),
        early: 'HTTP/1.1 100 Continue\r\n\r\n',
      };
    case 'upgrade': {
      const protocol = header(request.headers, 'upgrade');
      if (protocol === undefined) return ok;
      return {
        parts: [`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`],
        after: 'tunnel',
      };
    }
    default:
      return undefined;
  }
}

function byPattern(mode: string, method: string, attempt: number): Reply | undefined {
  const slow = /^slow(\d+)$/.exec(mode);
  if (slow !== null) return { parts: [Number(slow[1]), `HTTP/1.1 200 OK\r\n${TEXT}${sized('slow\n')}`], after: 'keep' };
  const large = /^bighdr(\d+)$/.exec(mode);
  if (large !== null) {
    return keep(`HTTP/1.1 200 OK\r\nX-Big: ${'a'.repeat(Number(large[1]) * 1024)}\r\n${TEXT}${sized('big\n')}`);
  }
  const drops = /^drop~x(\d+)$/.exec(mode);
  if (drops !== null) {
    if (attempt < Number(drops[1])) return { parts: [], after: 'close' };
    return keep(`HTTP/1.1 200 OK\r\n${TEXT}${sized('recovered\n')}`);
  }
  const status = /^s(\d{3})((?:~[a-z0-9]+)*)$/.exec(mode);
  if (status === null) return undefined;
  return statusReply(Number(status[1]), (status[2] ?? '').split('~').slice(1), method, attempt);
}

/** `s<code>` with flags: `~retry ~noretry ~err ~succ1 ~chunked`, and `~x<N>`: fails N times, then recovers. */
function statusReply(status: number, flags: readonly string[], method: string, attempt: number): Reply {
  const failures = flags.map((flag) => /^x(\d+)$/.exec(flag)?.[1]).find((count) => count !== undefined);
  if (failures !== undefined && attempt >= Number(failures)) {
    return keep(`HTTP/1.1 200 OK\r\n${TEXT}${sized(`recovered after ${failures}\n`)}`);
  }
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unassigned'}\r\n`;
  if (method === 'HEAD') return keep(`${line}Content-Length: 42\r\n\r\n`);
  if (status === 204 || status === 304) return keep(`${line}ETag: "x"\r\n\r\n`);
  const extra = flags.map((flag) => FLAG_HEADERS[flag] ?? '').join('');
  if (flags.includes('chunked')) return keep(`${line}${extra}${CHUNKED}\r\n${FIVE}${LAST}`);
  return keep(`${line}${TEXT}${extra}${sized(`status ${status}\n`)}`);
}

const FLAG_HEADERS: Readonly<Record<string, string>> = {
  retry: 'l5d-retryable: true\r\n',
  noretry: 'l5d-retryable: false\r\n',
  err: 'l5d-err: made+by+backend\r\n',
  succ0: 'l5d-success-class: 0.0\r\n',
  succ05: 'l5d-success-class: 0.5\r\n',
  succ1: 'l5d-success-class: 1.0\r\n',
};

function sized(body: string): string {
  return `Content-Length: ${body.length}\r\n\r\n${body}`;
}

function keep(bytes: string): Reply {
  return { parts: [bytes], after: 'keep' };
}

function close(bytes: string): Reply {
  return { parts: [bytes], after: 'close' };
}

/** The same head without body (RFC 9110 section 9.3.2). */
function withoutBody(reply: Reply): Reply {
  const bytes = reply.parts.filter((part) => typeof part === 'string').join('');
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? reply : { ...reply, parts: [bytes.slice(0, end + 4)] };
}
