/** Differences on purpose in what becomes of a backend's reply. */
import { modeOf, replyTo } from '../support/backend-replies.ts';
import { header, isInterim, type Message, parseResponses, requestLine } from '../support/http-message.ts';
import type { Difference } from './differences.ts';
import { type Expectation, expectedStatus, findHeader, setHeader } from './expectation.ts';
import { relayed } from './oracle.ts';
import type { RecordedCase } from './recordings.ts';

/** The original's own limit for replies; Signpost's is that for requests (security.md B4). */
const REPLY_HEAD_KB = 60;

export const responseRules: Difference[] = [
  {
    id: 'one final response, interim ones before it',
    reason: 'the original relays a 1xx as the final response and hands the final one to the next request',
    reference: 'fault 1; RFC 9110 section 15.2',
    change(expected, recorded) {
      // Shows in two ways: the reply has interim responses, or the recorded status is not the one that the backend sent.
      const own = ownReply(recorded);
      const final = expected.responses.at(-1);
      if (own === undefined || final === undefined || expected.requests.length !== 1) return undefined;
      const status = Number(own.find((message) => !isInterim(message))?.start.split(' ')[1]);
      const stale = findHeader(final, 'via') !== undefined && expectedStatus(final) !== status && !(status >= 500);
      return own.some(isInterim) || stale ? withOwnReply(expected, recorded) : undefined;
    },
  },
  {
    id: 'reason phrases as sent',
    reason: 'the original replaces phrases of codes that it does not know',
    reference: 'RFC 9112 section 4',
    change(expected, recorded) {
      const [own] = ownReply(recorded)?.filter((message) => !isInterim(message)) ?? [];
      const final = expected.responses.at(-1);
      if (own === undefined || typeof final?.start !== 'string' || findHeader(final, 'via') === undefined)
        return undefined;
      const wanted = own.start.replace(/^HTTP\/1\.0/, 'HTTP/1.1');
      const [, status] = wanted.split(' ');
      if (final.start === wanted || !final.start.startsWith(`HTTP/1.1 ${status} `)) return undefined;
      final.start = wanted;
      return expected;
    },
  },
  {
    id: 'replies of HTTP/1.0 backends and without length',
    reason: 'streamed in chunks in our own version, where the original collects the body to measure it',
    reference: 'RFC 9112 sections 2.3 and 6.1',
    change(expected, recorded) {
      const mode = modeFor(recorded);
      return mode === 'http10' || mode === 'eof' ? withOwnReply(expected, recorded) : undefined;
    },
  },
  {
    id: 'cut replies break the connection',
    reason:
      'the client has to notice; small bodies are streamed as they come, not collected first, so the head is out by then',
    reference: 'fault 9; RFC 9112 section 8',
    change(expected, recorded) {
      const mode = modeFor(recorded);
      if (mode !== 'partial' && mode !== 'chunkcut') return undefined;
      const changed = withOwnReply(expected, recorded);
      if (changed !== undefined) changed.closed = true;
      return changed;
    },
  },
  {
    id: 'larger limit for reply heads',
    reason: 'the same 60 KiB as for requests',
    reference: 'design/security.md B4',
    change(expected, recorded) {
      const size = Number(/^bighdr(\d+)$/.exec(modeFor(recorded) ?? '')?.[1] ?? Number.NaN);
      const refused = expected.responses.some((response) => expectedStatus(response) === 502);
      if (!refused || !(size < REPLY_HEAD_KB) || recorded.router.maxHeadersKB !== undefined) return undefined;
      return withOwnReply(expected, recorded);
    },
  },
  {
    id: 'no compression unless configured',
    reason:
      'compressing in a proxy costs more than the proxy itself and changes entity tags; compressionLevel is off by default',
    reference: 'RFC 9110 section 7.7; config-linkerd.md compressionLevel',
    change(expected, recorded) {
      const compressed = expected.responses.some((response) => findHeader(response, 'content-encoding') === 'gzip');
      if (!compressed || recorded.router.compressionLevel !== undefined) return undefined;
      return withOwnReply(expected, recorded);
    },
  },
  {
    id: 'compressed replies vary',
    reason: 'a cache that is not told may give the compressed reply to a client that cannot read it',
    reference: 'RFC 9110 section 12.5.5',
    change(expected, recorded) {
      const { compressionLevel } = recorded.router;
      if (compressionLevel === undefined || compressionLevel === 0) return undefined;
      const compressed = expected.responses.filter((reply) => findHeader(reply, 'content-encoding') !== undefined);
      for (const reply of compressed) setHeader(reply, 'Vary', 'Accept-Encoding');
      return compressed.length === 0 ? undefined : expected;
    },
  },
  {
    id: 'the whole of a slow reply',
    reason: 'no difference of Signpost: the recorder hung up before the reply was complete',
    reference: 'recordings/README.md',
    change(expected, recorded) {
      const final = expected.responses.at(-1);
      if (final === undefined || final.complete || expected.closed) return undefined;
      return withOwnReply(expected, recorded);
    },
  },
];

function modeFor(recorded: RecordedCase): string | undefined {
  const [request] = recorded.sentRequests;
  return request === undefined ? undefined : modeOf(requestLine(request).target);
}

/** What the backend sends when it is asked this once; undefined if there is not exactly one request, or no reply. */
function ownReply(recorded: RecordedCase): Message[] | undefined {
  const [request, ...more] = recorded.sentRequests;
  if (request === undefined || more.length > 0) return undefined;
  const reply = replyTo(request, 0);
  const bytes = (reply.early ?? '') + reply.parts.filter((part) => typeof part === 'string').join('');
  const responses = parseResponses(bytes, [requestLine(request).method], reply.after === 'close');
  return responses.length === 0 || header(request.headers, 'host') === undefined ? undefined : responses;
}

function withOwnReply(expected: Expectation, recorded: RecordedCase): Expectation | undefined {
  const [request] = recorded.sentRequests;
  if (request === undefined) return undefined;
  expected.responses = relayed(recorded, request);
  return expected;
}
