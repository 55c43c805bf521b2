/** Differences on purpose in the errors that the proxy answers itself, and in how often it tries. */
import { modeOf } from '../support/backend-replies.ts';
import { header, requestLine } from '../support/http-message.ts';
import type { Difference } from './differences.ts';
import { expectedStatus, findHeader, setHeader } from './expectation.ts';
import { asksToClose, generatedError, unidentified } from './oracle.ts';
import { RECORDED_NS, type RecordedCase } from './recordings.ts';

/** Default bound of retries of one request. */
const MAX_RETRIES = 3;

export const errorRules: Difference[] = [
  {
    id: 'unusable replies are 502',
    reason:
      'the texts name classes and addresses of the original, and a reply with a length and chunks is accepted by it',
    reference: 'RFC 9112 sections 6.1 and 6.3; reply modes drop, garbage, cl2, cl2same, clte, bighdr',
    change(expected, recorded) {
      const [final] = expected.responses.filter((response) => expectedStatus(response) >= 200);
      const internals = typeof final?.body === 'string' && / at remote address: |Remote Info: /.test(final.body);
      const unusable = expectedStatus(final ?? NO_RESPONSE) === 502 && internals;
      const mode = modeFor(recorded);
      if (!unusable && !['garbage', 'cl2', 'clte'].includes(mode ?? '')) return undefined;
      const closed = recorded.sentRequests[0] !== undefined && asksToClose(recorded.sentRequests[0]);
      // A request that dies unanswered on a reused connection is tried once more.
      return {
        ...expected,
        responses: [generatedError(502, /^[^\n]+\n?/, closed)],
        closed,
        repeats: mode === 'drop' ? 2 : 1,
      };
    },
  },
  {
    id: 'clearContext leaves our own errors useful',
    reason:
      'the original blanks the body and l5d-err of its own errors too; ours say what happened, and nothing of the inside',
    reference: 'fault 6',
    change(expected, recorded) {
      const [final] = expected.responses;
      if (recorded.router.servers[0]?.clearContext !== true || expected.responses.length !== 1) return undefined;
      // Own answers carry no Via; blanked ones no body.
      if (
        final === undefined ||
        expectedStatus(final) < 400 ||
        final.body !== '' ||
        findHeader(final, 'via') !== undefined
      ) {
        return undefined;
      }
      // Neither paths (names, dentries, bound ids) nor addresses.
      const text = expectedStatus(final) === 502 ? /^Unable to (?!.*\d\.\d)[^\n/]+$/ : /^(?!.*\d\.\d)[^\n/]+$/;
      return { ...expected, responses: [generatedError(expectedStatus(final), text, expected.closed)] };
    },
  },
  {
    id: 'retries of one request are bounded',
    reason: 'the original tries about a hundred times without a pause while its budget lasts',
    reference: 'fault 2',
    change(expected) {
      const [first, ...more] = expected.requests;
      if (first === undefined || more.length < 2) return undefined;
      const again = more.every(({ message }) => message.start === first.message.start);
      return again ? { ...expected, requests: [first], repeats: 1 + MAX_RETRIES } : undefined;
    },
  },
  {
    id: 'an attempt times out while it connects, too',
    reason: 'the original begins to count when there is a connection: a host that answers no SYN costs 5 s',
    reference: 'fault 4',
    change(expected, recorded) {
      const [final] = expected.responses;
      const isUnreachable = typeof final?.body === 'string' && final.body.startsWith('Unable to establish connection');
      if (recorded.router.client?.requestAttemptTimeoutMs === undefined || !isUnreachable) return undefined;
      const text =
        /^exceeded 300\.milliseconds to #\/io\.l5d\.fs\/blackhole while waiting for a response for an individual request/;
      return { ...expected, responses: [generatedError(503, text, expected.closed)] };
    },
  },
  {
    id: 'a deadline that has passed is answered',
    reason: 'nobody waits for the response; the original sends the request on',
    reference: 'fault 4',
    change(expected, recorded) {
      const [request] = recorded.sentRequests;
      const until = / (\d+)$/.exec(header(request?.headers ?? [], 'l5d-ctx-deadline') ?? '')?.[1];
      if (until === undefined || BigInt(until) > RECORDED_NS) return undefined;
      if (recorded.router.servers[0]?.clearContext === true) return undefined;
      return { ...expected, responses: [generatedError(503, /l5d-ctx-deadline/, expected.closed)], requests: [] };
    },
  },
  {
    id: 'an empty path element is no name',
    reason: 'io.l5d.path finds no service in `//web`; the original fails with an internal assertion',
    reference: 'identifiers-http-h2.md section 1',
    change(expected, recorded) {
      const [final] = expected.responses;
      return final?.body === 'requirement failed' ? unidentified(recorded, 'not enough segments in path') : undefined;
    },
  },
  {
    id: 'refusal by maxConcurrentRequests is readable',
    reason: 'l5d-err and an honest Retry-After; the nack header stays for Finagle clients',
    reference: 'fault 7',
    change(expected) {
      const [final] = expected.responses;
      if (final === undefined || findHeader(final, 'finagle-http-nack') === undefined) return undefined;
      const refusal = generatedError(503, /\S/, expected.closed);
      setHeader(refusal, 'finagle-http-nack', 'true');
      setHeader(refusal, 'l5d-retryable', 'true');
      setHeader(refusal, 'Retry-After', /^[1-9]\d*$/);
      return { ...expected, responses: [refusal] };
    },
  },
];

const NO_RESPONSE = { start: '', headers: [], body: '', trailers: [], complete: true };

function modeFor(recorded: RecordedCase): string | undefined {
  const [request] = recorded.sentRequests;
  return request === undefined ? undefined : modeOf(requestLine(request).target);
}
