/**
 * Everything that can go wrong with a request, as values, and the one table that says what the client is told.
 * Texts and statuses are Linkerd's where it has the case (reference/http-semantics.md section 8).
 */
import { Dtab, showTree } from '../naming/index.ts';
import { PlainResponseHead } from '../wire/head.ts';
import { reasonPhrase } from '../wire/reasons.ts';

export type RouteError =
  /** No identifier applies, or one found the request wrong. */
  | { readonly type: 'unidentified'; readonly request: string; readonly reason: string }
  /** An override dtab that cannot be parsed or is not allowed. */
  | { readonly type: 'badOverride'; readonly reason: string }
  | { readonly type: 'callDepth'; readonly limit: number }
  /** The client's bytes break HTTP. */
  | { readonly type: 'badRequest'; readonly status: number; readonly reason: string }
  /** The name is bound to nothing, or to no endpoints. */
  | { readonly type: 'unbound'; readonly service: string; readonly base: string; readonly override: string }
  | { readonly type: 'bindingFailed'; readonly cause: string }
  | { readonly type: 'bindingTimeout'; readonly service: string; readonly ms: number }
  | ({ readonly type: 'connectFailed' } & Selected)
  /** The backend closed, reset or never finished. */
  | ({ readonly type: 'backendClosed'; readonly cause: string } & Selected)
  /** The backend's bytes break HTTP. */
  | ({ readonly type: 'backendMalformed'; readonly cause: string } & Selected)
  /** Every endpoint that was asked said that it has not acted on the request. */
  | { readonly type: 'nacked' }
  /** `maxConcurrentRequests` of a server. */
  | { readonly type: 'overloaded'; readonly limit: number; readonly retryAfterSecs: number }
  /** The process has as much memory as it may have. */
  | { readonly type: 'outOfMemory'; readonly retryAfterSecs: number }
  /** `hostConnectionPool.maxWaiters` of a client. */
  | ({ readonly type: 'tooManyWaiters'; readonly limit: number } & Selected)
  /** `timeoutMs` of a server, which is named by where it listens. */
  | { readonly type: 'serverTimeout'; readonly server: string; readonly ms: number }
  /** `totalTimeoutMs` of a service. */
  | { readonly type: 'totalTimeout'; readonly ms: number }
  /** `requestAttemptTimeoutMs` of a client; `trace` is shown as showTrace() does. */
  | ({ readonly type: 'attemptTimeout'; readonly ms: number; readonly trace: string } & Selected)
  /** What the client said in `l5d-ctx-deadline`. */
  | { readonly type: 'deadlinePassed' }
  /** Where streaming is off: a body of more than so many bytes. */
  | { readonly type: 'requestTooLarge'; readonly limit: number }
  | { readonly type: 'responseTooLarge'; readonly limit: number }
  /** Where streaming is off: the backend's response ended before it was complete. */
  | { readonly type: 'responseCut' };

/** What a request was about to use when it failed. */
export interface Selected {
  readonly service: string;
  readonly client: string;
  readonly addresses: readonly string[];
  readonly address: string;
}

export interface ErrorLimits {
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** Bytes of the `l5d-err` value. */
  readonly headerBytes: number;
  /** The client is outside the mesh: it is told what is wrong, but nothing of the inside (addresses, dtabs). */
  readonly edge: boolean;
}

/** Connections come and go quickly, so a second is long enough. */
const WAITERS_RETRY_AFTER_SECS = 1;

/** A refusal that came before anybody had acted on the request. Finagle clients know it by its first header. */
function shed(reason: string, retryAfterSecs: number): Answer {
  return {
    status: 503,
    message: `${reason} The request was not processed and is safe to retry.`,
    retryable: true,
    fields: [
      ['finagle-http-nack', 'true'],
      ['Retry-After', String(retryAfterSecs)],
    ],
  };
}

interface Answer {
  readonly status: number;
  readonly message: string;
  /** What is said outside, where the message tells of the inside. */
  readonly edge?: string;
  /** The request surely reached no application: it may be sent again whatever its method. */
  readonly retryable?: boolean;
  readonly fields?: readonly (readonly [string, string])[];
}

function answerTo(error: RouteError): Answer {
  switch (error.type) {
    case 'unidentified':
      return {
        status: 400,
        message: `Unknown destination: ${error.request} / ${error.reason}`,
        edge: `Unknown destination: ${error.reason}`,
      };
    case 'badOverride':
      return { status: 400, message: error.reason };
    case 'callDepth':
      return {
        status: 400,
        message: `Maximum number of calls (${error.limit}) has been exceeded. Please check for proxy loops.`,
      };
    case 'badRequest':
      return { status: error.status, message: `Malformed request: ${error.reason}` };
    case 'unbound':
      return {
        status: 502,
        message: unboundMessage(error.service, error.base, error.override),
        edge: 'Unable to route request!',
      };
    case 'bindingFailed':
      return { status: 502, message: error.cause, edge: 'Unable to resolve the name of the service.' };
    case 'bindingTimeout':
      return {
        status: 502,
        message: `Exceeded ${showDuration(error.ms)} binding timeout while resolving name: ${error.service}`,
        edge: 'Unable to resolve the name of the service in time.',
      };
    case 'connectFailed':
      return {
        status: 502,
        message: withSelection(`Unable to establish connection to ${error.address}.`, error),
        edge: 'Unable to establish connection to the service.',
      };
    case 'backendClosed':
      return {
        status: 502,
        message: withSelection(`No complete response from ${error.address}: ${error.cause}.`, error),
        edge: 'Unable to get a complete response from the service.',
      };
    case 'backendMalformed':
      return {
        status: 502,
        message: withSelection(`Malformed response from ${error.address}: ${error.cause}.`, error),
        edge: 'Unable to understand the response of the service.',
      };
    case 'nacked':
      return { status: 502, message: 'The request was Nacked by the server' };
    case 'overloaded':
      return shed(`The limit of ${error.limit} concurrent requests is reached.`, error.retryAfterSecs);
    case 'outOfMemory':
      return shed('The proxy is short of memory.', error.retryAfterSecs);
    case 'tooManyWaiters':
      return {
        status: 503,
        message: withSelection(`More than ${error.limit} requests wait for a connection to ${error.address}.`, error),
        edge: 'Too many requests wait for a connection to the service.',
        retryable: true,
        fields: [['Retry-After', String(WAITERS_RETRY_AFTER_SECS)]],
      };
    case 'serverTimeout': {
      const duration = showDuration(error.ms);
      return {
        status: 503,
        message: `exceeded ${duration} to ${error.server} while waiting for a response for an individual request, excluding retries. Remote Info: Not Available`,
        edge: `exceeded ${duration} while waiting for a response`,
      };
    }
    case 'totalTimeout':
      return {
        status: 503,
        message: `exceeded ${showDuration(error.ms)} to unspecified while waiting for a response for the request, including retries (if applicable). Remote Info: Not Available`,
        edge: `exceeded ${showDuration(error.ms)} while waiting for a response, including retries`,
      };
    case 'attemptTimeout': {
      const client = error.client.slice(1);
      const duration = showDuration(error.ms);
      return {
        status: 503,
        message: `exceeded ${duration} to ${client} while waiting for a response for an individual request, excluding retries. Remote Info: Upstream Address: Not Available, Upstream id: Not Available, Downstream Address: /${error.address}, Downstream label: ${client}, Trace Id: ${error.trace}`,
        edge: `exceeded ${duration} while waiting for a response for an individual request, excluding retries`,
      };
    }
    case 'deadlinePassed':
      return {
        status: 503,
        message: 'The deadline of the request (l5d-ctx-deadline) passed before there was a response.',
      };
    case 'requestTooLarge':
      return { status: 413, message: `The request's body is longer than ${error.limit} bytes.` };
    case 'responseTooLarge':
      return { status: 502, message: `The response's body is longer than ${error.limit} bytes.` };
    case 'responseCut':
      return { status: 502, message: 'The response ended before it was complete.' };
  }
}

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1000],
  ['milliseconds', 1],
];

/** A duration as the original prints it, such as `10.seconds` or `1.seconds+500.milliseconds`. */
export function showDuration(ms: number): string {
  let left = Math.round(ms);
  const parts: string[] = [];
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}.${unit}`);
  }
  return parts.length === 0 ? '0.seconds' : parts.join('+');
}

function unboundMessage(service: string, base: string, override: string): string {
  return [
    'Unable to route request!',
    '',
    `service name: ${service}`,
    'dtab:',
    '',
    'base dtab:',
    ...indented(base),
    'override dtab:',
    ...indented(override),
    '',
  ].join('\n');
}

/** The dentries of a dtab's shown form, one a line. */
export function dentryLines(dtab: string): string {
  return Dtab.parse(dtab)
    .entries.map(({ prefix, tree }) => `${prefix.show()} => ${showTree(tree)}`)
    .join('\n');
}

/** One dentry a line; an empty dtab is an empty line when it ends the text. */
function indented(dentries: string): string[] {
  return dentries === '' ? [''] : dentries.split('\n').map((dentry) => `  ${dentry}`);
}

function withSelection(message: string, { service, client, addresses, address }: Selected): string {
  return `${message}

service name: ${service}
client name: ${client}
addresses: [${addresses.join(', ')}]
selected address: ${address}
`;
}

/** As HTML forms encode: blank as `+`, everything but letters, digits and `.-*_` as `%XX` of its UTF-8 bytes. */
export function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The response to a failed request, with further fields. */
export function errorResponse(
  error: RouteError,
  limits: ErrorLimits,
  further: readonly (readonly [string, string])[] = [],
): { head: PlainResponseHead; body: Buffer } {
  const answer = answerTo(error);
  const message = limits.edge ? (answer.edge ?? answer.message) : answer.message;
  let body = Buffer.from(message);
  if (body.length > limits.bodyBytes) body = body.subarray(0, limits.bodyBytes);
  const fields: (readonly [string, string])[] = [
    ['l5d-err', formEncode(message).slice(0, limits.headerBytes)],
    ['Content-Type', 'text/plain'],
  ];
  if (answer.retryable) fields.push(['l5d-retryable', 'true']);
  if (answer.fields !== undefined) fields.push(...answer.fields);
  fields.push(...further);
  return { head: new PlainResponseHead(answer.status, reasonPhrase(answer.status), body.length, fields), body };
}
