/** Differences on purpose in what is accepted from clients and forwarded to backends. */
import { header, headerValues, type Message, requestLine } from '../support/http-message.ts';
import type { Difference } from './differences.ts';
import {
  type Expectation,
  type ExpectedMessage,
  type ExpectedRequest,
  findHeader,
  removeHeader,
  setHeader,
} from './expectation.ts';
import { exchangeFor, generatedError, portsOf } from './oracle.ts';
import type { RecordedCase } from './recordings.ts';
import { faultOf } from './strictness.ts';

/** Default limits of security.md B4. */
const REQUEST_LINE_BYTES = 8 * 1024;
const HEAD_BYTES = 60 * 1024;

export const requestRules: Difference[] = [
  {
    id: 'ambiguous requests are refused',
    reason:
      'a request whose framing or target can be read in two ways is a way past the next hop; it is never forwarded',
    reference: 'fault 8; RFC 9112 section 11.2, and the section that faultOf names',
    change(_, recorded) {
      const fault = faultOf(recorded.sent);
      if (fault === undefined) return undefined;
      const status = fault.startsWith('unknown version') ? '(?:400|505)' : 400;
      return refused(status);
    },
  },
  {
    id: 'refusals by the codec are readable',
    reason: 'the original answers HTTP/1.0 with an empty body and no l5d-err, or nothing at all',
    reference: 'fault 8',
    change(expected) {
      const [response] = expected.responses;
      if (expected.responses.length !== 1 || typeof response?.start !== 'string') return undefined;
      const status = /^HTTP\/1\.0 (400|414|431) /.exec(response.start)?.[1];
      return status === undefined || findHeader(response, 'via') !== undefined ? undefined : refused(status);
    },
  },
  {
    id: 'larger default limits',
    reason: '8 KiB of request line and 60 KiB of head, where the router does not set maxInitialLineKB and maxHeadersKB',
    reference: 'design/security.md B4',
    change(expected, recorded) {
      if (!expected.responses.some((response) => /\b(414|431)\b/.test(String(response.start)))) return undefined;
      const [request] = recorded.sentRequests;
      const { maxHeadersKB, maxInitialLineKB } = recorded.router;
      if (request === undefined || maxHeadersKB !== undefined || maxInitialLineKB !== undefined) return undefined;
      const head = recorded.sent.indexOf('\r\n\r\n');
      if (request.start.length > REQUEST_LINE_BYTES || head > HEAD_BYTES) return undefined;
      return exchangeFor(recorded, header(request.headers, 'host') ?? '', requestLine(request).target);
    },
  },
  {
    id: 'absolute-form',
    reason: 'the authority of an absolute-form target wins over Host and becomes it; the origin gets origin-form',
    reference: 'fault 5; RFC 9112 section 3.2.2',
    change(expected, recorded) {
      const [request] = recorded.sentRequests;
      const target = absoluteForm(request);
      if (request === undefined || target === undefined || faultOf(recorded.sent) !== undefined) return undefined;
      if (header(request.headers, 'host') !== target.authority) {
        const named: Message = { ...request, headers: withHost(request, target.authority) };
        return exchangeFor({ ...recorded, sentRequests: [named] }, target.authority, target.originForm);
      }
      for (const { message } of expected.requests)
        message.start = `${requestLine(request).method} ${target.originForm} HTTP/1.1`;
      return expected;
    },
  },
  {
    id: 'host names in any case',
    reason: 'a host name is case-insensitive; the name of the service is in lower case, the port stays part of it',
    reference: 'fault 5; RFC 9110 section 4.2.3',
    change(_, recorded) {
      const [request] = recorded.sentRequests;
      const host = header(request?.headers ?? [], 'host');
      if (request === undefined || host === undefined || faultOf(recorded.sent) !== undefined) return undefined;
      if (host === host.toLowerCase() || absoluteForm(request) !== undefined) return undefined;
      return exchangeFor(recorded, host, requestLine(request).target);
    },
  },
  {
    id: 'methods are case-sensitive',
    reason: 'the original turns `get` into `GET`, which is another method',
    reference: 'RFC 9110 section 9.1',
    change(expected, recorded) {
      const method = requestLine(recorded.sentRequests[0] ?? NO_REQUEST).method;
      if (method === method.toUpperCase()) return undefined;
      return eachRequest(expected, (message) => {
        if (typeof message.start !== 'string') return false;
        message.start = message.start.replace(/^\S+/, method);
        return true;
      });
    },
  },
  {
    id: 'no length on bodiless requests',
    reason:
      'the original adds `content-length: 0` to every request without a body; it means something for POST, PUT, PATCH only',
    reference: 'RFC 9110 section 8.6',
    change(expected, recorded) {
      return eachRequest(expected, (message) => {
        const sent = sentFor(message, recorded);
        const { method } = requestLine(sent);
        const framed = ['content-length', 'transfer-encoding'].some((name) => header(sent.headers, name) !== undefined);
        if (framed || ['POST', 'PUT', 'PATCH'].includes(method) || findHeader(message, 'content-length') !== '0')
          return false;
        removeHeader(message, 'content-length');
        return true;
      });
    },
  },
  {
    id: 'no finagle-http-retryable-request',
    reason: 'a mark of the original among its own filters, which it leaks to backends',
    reference: 'http-semantics.md section 3',
    change(expected) {
      return eachRequest(expected, (message) => {
        if (findHeader(message, 'finagle-http-retryable-request') === undefined) return false;
        removeHeader(message, 'finagle-http-retryable-request');
        return true;
      });
    },
  },
  {
    id: 'no context of any kind from outside',
    reason: 'what old Finagles behind an edge take for a dtab (dtab-*, x-dtab-*) is no more believed than l5d-dtab',
    reference: 'design/security.md B2 12',
    change(expected, recorded) {
      if (recorded.router.servers[0]?.clearContext !== true) return undefined;
      return eachRequest(expected, (message) => {
        const foreign = message.headers.filter(([name]) => /^(x-)?dtab-/i.test(name));
        for (const [name] of foreign) removeHeader(message, name);
        return foreign.length > 0;
      });
    },
  },
  {
    id: 'a name is not what the client says',
    reason:
      'the original forwards the l5d-dst-residual of a client where there is no residual of its own to overwrite it',
    reference: 'http-semantics.md section 2',
    change(expected, recorded) {
      const claimed = header(recorded.sentRequests[0]?.headers ?? [], 'l5d-dst-residual');
      if (claimed === undefined) return undefined;
      return eachRequest(expected, (message) => {
        if (findHeader(message, 'l5d-dst-residual') !== claimed) return false;
        removeHeader(message, 'l5d-dst-residual');
        return true;
      });
    },
  },
  {
    id: 'Expect is end to end',
    reason: 'the original answers 100 itself and hides Expect, so that a backend cannot refuse before the body is sent',
    reference: 'RFC 9110 section 10.1.1',
    change(expected, recorded) {
      const [request] = recorded.sentRequests;
      const expects = header(request?.headers ?? [], 'expect');
      if (request === undefined || expects === undefined || faultOf(recorded.sent) !== undefined) return undefined;
      if (expected.requests.length === 0) {
        // The client waited for the 100 that no backend sent: the backend holds a head without its body.
        const host = header(request.headers, 'host') ?? '';
        const waiting = exchangeFor(recorded, host, requestLine(request).target);
        return waiting === undefined ? undefined : { ...waiting, responses: [] };
      }
      for (const { message } of expected.requests) setHeader(message, 'Expect', expects);
      // What the backend itself sends is for 'interim responses' to add.
      expected.responses = expected.responses.filter(
        (response) => String(response.start) !== 'HTTP/1.1 100 Continue' || hasVia(response),
      );
      return expected;
    },
  },
  {
    id: 'either side of a weighted union',
    reason: 'no difference of Signpost: which side a request takes is chance',
    reference: 'dtab.md, unions',
    change(expected, recorded) {
      return eachRequest(expected, (message, request) => {
        const service = findHeader(message, 'l5d-dst-service');
        const dentry = recorded.router.dtab.split(';').find((entry) => entry.trim().startsWith(`${service} => `));
        const leaves = [...(dentry ?? '').matchAll(/\* (\/#\/io\.l5d\.fs\/(\w+))/g)];
        if (leaves.length < 2) return false;
        setHeader(message, 'l5d-dst-client', new RegExp(`^(${leaves.map(([, client]) => client).join('|')})$`));
        request.ports = leaves.flatMap(([, , file = '']) => portsOf(recorded.files[file] ?? ''));
        return true;
      });
    },
  },
  {
    id: 'every Via line is kept',
    reason: 'the original appends to the first line and drops the others',
    reference: 'fault 10; RFC 9110 section 7.6.3',
    change(expected, recorded) {
      const lines = headerValues(recorded.sentRequests[0]?.headers ?? [], 'via');
      if (lines.length < 2) return undefined;
      return eachRequest(expected, (message) => {
        setHeader(message, 'Via', [...lines, '1.1 linkerd'].join(', '));
        return true;
      });
    },
  },
];

const NO_REQUEST: Message = { start: '', headers: [], body: '', trailers: [], complete: true };

/** Refused before routing: a short text, and the connection is closed. */
function refused(status: number | string): Expectation {
  const response = generatedError(400, /^[^\n]{1,200}\n?$/, true);
  return {
    responses: [{ ...response, start: new RegExp(`^HTTP/1\\.1 ${status} \\S`) }],
    closed: true,
    requests: [],
    mayAbandonRequests: true,
  };
}

function absoluteForm(request: Message | undefined): { authority: string; originForm: string } | undefined {
  if (request === undefined) return undefined;
  const match = /^https?:\/\/([^/?#]*)([^#]*)/i.exec(requestLine(request).target);
  if (match === null) return undefined;
  const [, authority = '', rest = ''] = match;
  return { authority, originForm: rest.startsWith('/') ? rest : `/${rest}` };
}

function withHost(request: Message, host: string): Message['headers'] {
  return [...request.headers.filter(([name]) => name.toLowerCase() !== 'host'), ['Host', host]];
}

/** The client's request behind a forwarded one: that with the same target, or the only one. */
function sentFor(message: ExpectedMessage, recorded: RecordedCase): Message {
  const target = typeof message.start === 'string' ? message.start.split(' ')[1] : undefined;
  const same = recorded.sentRequests.find((request) => requestLine(request).target === target);
  return same ?? recorded.sentRequests[0] ?? NO_REQUEST;
}

function hasVia(response: ExpectedMessage): boolean {
  return findHeader(response, 'via') !== undefined;
}

function eachRequest(
  expected: Expectation,
  change: (message: ExpectedMessage, request: ExpectedRequest) => boolean,
): Expectation | undefined {
  const changed = expected.requests.map((request) => change(request.message, request));
  return changed.includes(true) ? expected : undefined;
}
