/**
 * Takes raw HTTP/1 messages apart, for tests only: small, lenient, and on purpose not the codec under test. Bytes are
 * latin1 strings, one character a byte, so that they can be printed, compared and matched.
 */
export type Header = readonly [name: string, value: string];

export interface Message {
  /** Request line or status line. */
  start: string;
  headers: Header[];
  /** Without chunk framing. */
  body: string;
  trailers: Header[];
  /** False when the bytes ended before the message's own framing said so. */
  complete: boolean;
}

interface Parsed {
  message: Message;
  /** Offset behind the message. */
  end: number;
}

export function headerValues(headers: readonly Header[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([other]) => other.toLowerCase() === wanted).map(([, value]) => value);
}

export function header(headers: readonly Header[], name: string): string | undefined {
  return headerValues(headers, name)[0];
}

/** The members of a comma-separated list field (RFC 9110 section 5.6.1), in lower case. */
export function listMembers(headers: readonly Header[], name: string): string[] {
  return headerValues(headers, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

/** Splits `METHOD target version`; parts that are missing are empty. */
export function requestLine(message: Message): { method: string; target: string; version: string } {
  const first = message.start.indexOf(' ');
  const last = message.start.lastIndexOf(' ');
  if (first < 0) return { method: message.start, target: '', version: '' };
  if (first === last)
    return { method: message.start.slice(0, first), target: message.start.slice(first + 1), version: '' };
  return {
    method: message.start.slice(0, first),
    target: message.start.slice(first + 1, last),
    version: message.start.slice(last + 1),
  };
}

export function statusOf(message: Message): number {
  return Number(message.start.split(' ')[1]);
}

export function isInterim(message: Message): boolean {
  const status = statusOf(message);
  return status >= 100 && status < 200 && status !== 101;
}

/** The request that starts at `from`, or undefined while its head is not complete. */
export function parseRequest(bytes: string, from = 0): Parsed | undefined {
  const head = parseHead(bytes, from);
  if (head === undefined) return undefined;
  const { message, end } = head;
  if (listMembers(message.headers, 'transfer-encoding').includes('chunked'))
    return withChunkedBody(message, bytes, end);
  const length = header(message.headers, 'content-length');
  return withLength(message, bytes, end, length === undefined ? 0 : Number(length));
}

/** All requests in `bytes`; what follows the last whole head is ignored. */
export function parseRequests(bytes: string): Message[] {
  const messages: Message[] = [];
  let at = skipEmptyLines(bytes, 0);
  for (;;) {
    const parsed = parseRequest(bytes, at);
    if (parsed === undefined) return messages;
    messages.push(parsed.message);
    at = skipEmptyLines(bytes, parsed.end);
  }
}

/**
 * All responses in `bytes`, interim ones included. `methods` are those of the requests they answer, in order; `closed`
 * says that no more bytes will come, which completes a response without a length (RFC 9112 section 6.3).
 */
export function parseResponses(bytes: string, methods: readonly string[], closed: boolean): Message[] {
  const messages: Message[] = [];
  let at = 0;
  let answered = 0;
  while (at < bytes.length) {
    const parsed = parseResponse(bytes, at, methods[answered] ?? 'GET', closed);
    if (parsed === undefined) {
      messages.push({ start: bytes.slice(at), headers: [], body: '', trailers: [], complete: false });
      return messages;
    }
    messages.push(parsed.message);
    if (!isInterim(parsed.message)) answered++;
    at = parsed.end;
  }
  return messages;
}

function parseResponse(bytes: string, from: number, method: string, closed: boolean): Parsed | undefined {
  const head = parseHead(bytes, from);
  if (head === undefined) return undefined;
  const { message, end } = head;
  const status = statusOf(message);
  if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)) {
    message.body = bytes.slice(end); // a tunnel from here on
    return { message, end: bytes.length };
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { message, end };
  if (listMembers(message.headers, 'transfer-encoding').includes('chunked'))
    return withChunkedBody(message, bytes, end);
  const length = header(message.headers, 'content-length');
  if (length !== undefined) return withLength(message, bytes, end, Number(length));
  message.body = bytes.slice(end);
  message.complete = closed;
  return { message, end: bytes.length };
}

function parseHead(bytes: string, from: number): Parsed | undefined {
  const end = bytes.indexOf('\r\n\r\n', from);
  if (end < 0) return undefined;
  const [start = '', ...lines] = bytes.slice(from, end).split('\r\n');
  const message = { start, headers: parseFields(lines), body: '', trailers: [], complete: true };
  return { message, end: end + 4 };
}

function parseFields(lines: readonly string[]): Header[] {
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

function withLength(message: Message, bytes: string, from: number, length: number): Parsed {
  const wanted = Number.isSafeInteger(length) && length > 0 ? length : 0;
  message.body = bytes.slice(from, from + wanted);
  message.complete = message.body.length === wanted;
  return { message, end: from + message.body.length };
}

function withChunkedBody(message: Message, bytes: string, from: number): Parsed {
  let at = from;
  const cut = (): Parsed => {
    message.complete = false;
    return { message, end: bytes.length };
  };
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return cut();
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16);
    if (!(size >= 0)) return cut();
    at = lineEnd + 2;
    if (size === 0) break;
    message.body += bytes.slice(at, at + size);
    if (bytes.length < at + size + 2) return cut();
    at += size + 2;
  }
  if (bytes.startsWith('\r\n', at)) return { message, end: at + 2 };
  const end = bytes.indexOf('\r\n\r\n', at);
  if (end < 0) return cut();
  message.trailers = parseFields(bytes.slice(at, end).split('\r\n'));
  return { message, end: end + 4 };
}

/** Empty lines before a request line are ignored (RFC 9112 section 2.2). */
function skipEmptyLines(bytes: string, from: number): number {
  let at = from;
  while (bytes.startsWith('\r\n', at)) at += 2;
  return at;
}
