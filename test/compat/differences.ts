/**
 * Where Signpost differs from the original on purpose: each rule says when it applies, why, and what is expected
 * instead. Nothing is skipped: a rule changes the expectation, and the exchange is compared with the changed one.
 *
 * Rules look at what was sent, at the reply mode that was asked for and at what was recorded; never at a case's name.
 * They apply in order, each on the result of those before it.
 */
import { header, requestLine } from '../support/http-message.ts';
import { connectionRules } from './differences-connection.ts';
import { errorRules } from './differences-errors.ts';
import { requestRules } from './differences-requests.ts';
import { responseRules } from './differences-responses.ts';
import type { Expectation } from './expectation.ts';
import { normaliseRequest, normaliseResponse, RECORDED } from './normalise.ts';
import { exchangeFor, portsOf, unidentified } from './oracle.ts';
import type { RecordedCase } from './recordings.ts';

export interface Difference {
  id: string;
  /** Why the original is not followed. */
  reason: string;
  /** `fault N` of reference/original-faults.md, an RFC section, or another document. */
  reference: string;
  /** The changed expectation, or undefined where the rule does not apply. May change `expected` in place. */
  change(expected: Expectation, recorded: RecordedCase): Expectation | undefined;
}

export const differences: readonly Difference[] = [
  ...requestRules,
  ...responseRules,
  ...connectionRules,
  ...errorRules,
];

/** What Signpost should do in a recorded case, and the ids of the rules that made it differ from the recording. */
export function expectationFor(recorded: RecordedCase): { expected: Expectation; applied: string[] } {
  let expected = recorded.isRecorded ? asRecorded(recorded) : byOracle(recorded);
  const applied: string[] = [];
  for (const difference of differences) {
    const changed = difference.change(expected, recorded);
    if (changed === undefined) continue;
    expected = changed;
    applied.push(difference.id);
  }
  return { expected, applied };
}

function byOracle(recorded: RecordedCase): Expectation {
  const [sent] = recorded.sentRequests;
  const host = header(sent?.headers ?? [], 'host');
  const target = sent === undefined ? '' : requestLine(sent).target;
  if (host === undefined) return unidentified(recorded, 'Host header is absent');
  return exchangeFor(recorded, host, target) ?? asRecorded(recorded);
}

/** The recording as an expectation, ids and ports normalised. */
export function asRecorded(recorded: RecordedCase): Expectation {
  return {
    responses: recorded.responses.map((message) => normaliseResponse(message, RECORDED)),
    closed: recorded.closed,
    requests: recorded.requests.map((request) => {
      const { port, message } = normaliseRequest(request, recorded, RECORDED);
      // Which of several endpoints gets it is chance.
      const file = /^\/#\/io\.l5d\.fs\/(\w+)$/.exec(header(message.headers, 'l5d-dst-client') ?? '')?.[1];
      const endpoints = portsOf(recorded.files[file ?? ''] ?? '');
      return { ports: endpoints.includes(port) ? endpoints : [port], message };
    }),
  };
}
