/** What Signpost should make of the requests of retries.json: the recording, changed by the listed differences. */

import { normaliseText, RECORDED } from './normalise.ts';
import { type RetryCase, type RetryRouter, replyOf } from './retry-recordings.ts';

/** How the recorded routers are configured beside what was recorded. */
export interface Setting {
  /** Bounds and backoffs are as the original's: none where the recorded config has none. */
  readonly isUnbounded: boolean;
  /** Connections to backends are kept. */
  readonly keepsConnections: boolean;
}

/** One outcome; several are expected where chance or the machine's speed decides. */
export interface Expected {
  readonly status: string;
  readonly l5d: readonly (string | RegExp)[];
  readonly body: string | RegExp;
  readonly attempts: readonly [least: number, most: number];
}

export interface RetryDifference {
  readonly id: string;
  /** Why the original is not followed, or why one can't know. */
  readonly reason: string;
  /** `fault N` of reference/original-faults.md, an RFC section, or another document. */
  readonly reference: string;
  change(expected: readonly Expected[], recorded: RetryCase, setting: Setting): readonly Expected[] | undefined;
}

/** Default bound of further tries. */
export const MAX_TRIES_AGAIN = 3;
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];
const SUCCESS = 'l5d-success-class: 1.0';
const FAILURE = 'l5d-success-class: 0.0';

const ERR = /^l5d-err: [\w.*+%-]+$/;

const unavailable = (body: RegExp, attempts: Expected['attempts']): Expected => ({
  status: 'HTTP/1.1 503 Service Unavailable',
  l5d: [ERR],
  body,
  attempts,
});

const attemptTimeout = (ms: number) =>
  new RegExp(
    `^exceeded ${ms}\\.milliseconds to #/io\\.l5d\\.fs/web while waiting for a response for an individual request`,
  );

export const retryDifferences: readonly RetryDifference[] = [
  {
    id: 'retries of one request are bounded',
    reason: 'the original goes on while its budget lasts',
    reference: 'fault 2',
    change(expected, recorded, { isUnbounded }) {
      const [only] = expected;
      if (isUnbounded || only === undefined || only.attempts[0] <= 1 + MAX_TRIES_AGAIN) return undefined;
      if (recorded.body.startsWith('recovered')) {
        const body = `status ${replyOf(recorded).slice(1, 4)}\n`;
        return [{ status: 'HTTP/1.1 500 Internal Server Error', l5d: [FAILURE], body, attempts: [4, 4] }];
      }
      return [{ ...only, attempts: [4, 4] }];
    },
  },
  {
    id: 'retries of one request are bounded',
    reason: 'the recording ends when its client had no more patience, after 95 tries',
    reference: 'fault 2',
    change(_, recorded) {
      return recorded.status === '' ? [unavailable(attemptTimeout(200), [4, 4])] : undefined;
    },
  },
  {
    id: 'unusable replies are 502',
    reason: 'the text names a class of the original',
    reference: 'docs/differences.md',
    change(expected, recorded) {
      if (!recorded.body.startsWith('ChannelException') && replyOf(recorded) !== 'drop~x1') return undefined;
      return expected.map((one) => {
        if (one.status !== 'HTTP/1.1 502 Bad Gateway') return one;
        const body = recorded.method === 'HEAD' ? '' : /^No complete response from 127\.0\.0\.1:8611: the connection /;
        return { ...one, l5d: [ERR], body };
      });
    },
  },
  {
    id: 'a kept connection that dies unanswered is replaced',
    reason:
      'it has been closed just when the request was sent, as happens to kept connections: RFC 9110 section 9.2.2 lets it be sent again if that does no harm',
    reference: 'RFC 9112 section 9.3.1',
    change(expected, recorded, { keepsConnections }) {
      const reply = replyOf(recorded);
      if (!reply.startsWith('drop') || !keepsConnections || !IDEMPOTENT.includes(recorded.method)) return undefined;
      const recovers = reply === 'drop~x1';
      const body = recorded.method === 'HEAD' ? '' : 'recovered\n';
      return expected.flatMap((one) => {
        const [least, most] = one.attempts;
        // Whether a connection is kept by the very worker that has the request is chance.
        if (!recovers) return [{ ...one, attempts: [least, most + 1] as const }];
        return [one, { status: 'HTTP/1.1 200 OK', l5d: [SUCCESS], body, attempts: [2, 2] as const }];
      });
    },
  },
  {
    id: 'a backoff never outlasts the time of a request',
    reason:
      'what is answered when there is no time for another try is the last failure, at once, and not a timeout later',
    reference: 'docs/differences.md',
    change(_, recorded) {
      const { totalTimeoutMs, retries } = recorded.router.service ?? {};
      const isTimeout = recorded.status.includes(' 503 ') && replyOf(recorded) === 's500';
      if (totalTimeoutMs === undefined || retries?.backoff === undefined || !isTimeout) return undefined;
      const status = 'HTTP/1.1 500 Internal Server Error';
      return [{ status, l5d: [FAILURE], body: 'status 500\n', attempts: [2, 7] }];
    },
  },
  {
    id: 'a deadline that has passed is answered',
    reason: 'the original goes on when its client has stopped waiting',
    reference: 'fault 4',
    change(_, recorded) {
      if (!recorded.sent.includes('l5d-ctx-deadline')) return undefined;
      // On a slow machine it has passed before a backend was asked.
      return [unavailable(/l5d-ctx-deadline/, [0, 2])];
    },
  },
  {
    id: 'tries that time out are counted by the clock',
    reason: 'how many have room in a time depends on the machine; the recorded one took 450 ms for 300',
    reference: 'retries.json: metrics count three tries where its backend saw two',
    change(expected, recorded) {
      const [one] = expected;
      const { client } = recorded.router;
      if (one === undefined || client?.requestAttemptTimeoutMs === undefined) return undefined;
      if (replyOf(recorded) !== 'hang' || one.attempts[0] < 2 || recorded.status === '') return undefined;
      const tries = { ...one, attempts: [1, 4] as const };
      // No time for another try: the last one's timeout is what is told.
      return [tries, unavailable(attemptTimeout(client.requestAttemptTimeoutMs), [1, 4])];
    },
  },
];

/** Of a body; the recording has no more. */
const RECORDED_CHARACTERS = 300;

const startingWith = (text: string): RegExp => new RegExp(`^${RegExp.escape(text)}`);

/** What is expected of a case; `attempts` in place of the recorded number, where an oracle knows better. */
export function expectedOf(
  recorded: RetryCase,
  setting: Setting,
  attempts: number = recorded.attempts,
): { expected: readonly Expected[]; applied: string[] } {
  const text = (value: string) => normaliseText(value, RECORDED);
  const isCut = recorded.body.length === RECORDED_CHARACTERS;
  const asRecorded: Expected = {
    status: recorded.status,
    l5d: recorded.l5d.map(text),
    body: isCut ? startingWith(recorded.body.replace(/Trace Id: .*$/, '')) : text(recorded.body),
    attempts: [attempts, attempts],
  };
  let expected: readonly Expected[] = [asRecorded];
  const applied: string[] = [];
  for (const difference of retryDifferences) {
    const changed = difference.change(expected, recorded, setting);
    if (changed === undefined) continue;
    expected = changed;
    applied.push(difference.id);
  }
  return { expected, applied };
}

/** The recorded budget, reckoned by hand: how often each request of its service is tried, all failing alike. */
export class BudgetOracle {
  readonly #reserve: number;
  readonly #perRequest: number;
  readonly #bound: number;
  #requests = 0;
  #retries = 0;

  constructor({ service }: RetryRouter, bound: number) {
    const {
      ttlSecs = 10,
      minRetriesPerSec = 10,
      percentCanRetry = 0.2,
    } = (service?.retries?.budget ?? {}) as {
      ttlSecs?: number;
      minRetriesPerSec?: number;
      percentCanRetry?: number;
    };
    this.#reserve = ttlSecs * minRetriesPerSec;
    this.#perRequest = percentCanRetry;
    this.#bound = bound;
  }

  /** Attempts at one request. */
  attempts(fails: boolean): number {
    this.#requests++;
    let attempts = 1;
    const allowed = Math.floor(this.#reserve + this.#perRequest * this.#requests);
    while (fails && attempts <= this.#bound && this.#retries < allowed) {
      this.#retries++;
      attempts++;
    }
    return attempts;
  }
}
