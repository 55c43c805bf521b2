/**
 * Reason phrases of the status codes in use (RFC 9110 15, RFC 6585). A table of our own, since importing node:http brings
 * 10 MiB of code into every worker.
 */
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** Empty for a code without a phrase; a status line may do without (RFC 9112 4). */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? '';
}

/** By status, of those that came with the usual phrase: nearly every response. */
const STATUS_LINES: (string | undefined)[] = [];

/** `HTTP/1.1 200 OK` with its CRLF. */
export function statusLine(status: number, reason: string): string {
  const usual = reason === REASONS[status];
  const known = usual ? STATUS_LINES[status] : undefined;
  if (known !== undefined) return known;
  const line = `HTTP/1.1 ${status} ${reason}\r\n`;
  if (usual) STATUS_LINES[status] = line;
  return line;
}
