/**
 * Whether a namerd is there. HTTP keeps no connection that would tell, so it is asked for nothing, again and again: often where there
 * is another namerd to turn to. While it does not answer it is asked after waits that grow.
 */
import type { Waits } from '../../config/backoff.ts';
import { type Answer, Refused, Unreachable } from '../../control-http/index.ts';
import { type Live, variable } from '../../live/index.ts';
import { type Retry, waitsOf } from '../remote/retry.ts';

export interface PulseOptions {
  /** Asks for nothing in particular: any answer of namerd will do. Rejects when there is none in time. */
  readonly ask: (timeoutMs: number) => Promise<Answer>;
  /** Watches are open, over connections of their own. */
  readonly isHeard: () => boolean;
  readonly pingMs: number;
  readonly pingTimeoutMs: number;
  readonly retry: Retry;
}

/** Of the first answer, ms: a connection must be made before it. */
const CONNECT_TIMEOUT_MS = 3_000;

export class Pulse {
  readonly #options: PulseOptions;
  readonly #isUp = variable(false);
  readonly #waits: Waits;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isClosed = false;
  /** Why it is not up, for messages. */
  problem = '';

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#waits = waitsOf(options.retry);
    void this.#ask();
  }

  get isUp(): Live<boolean> {
    return this.#isUp;
  }

  /** Something says that it may have gone: it is asked now. */
  check(): void {
    if (this.#isUp.value) void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    clearTimeout(this.#timer);
    const { ask, isHeard, pingTimeoutMs, pingMs } = this.#options;
    const wasUp = this.#isUp.value;
    let isFull = false;
    const problem = await ask(wasUp ? pingTimeoutMs : Math.max(pingTimeoutMs, CONNECT_TIMEOUT_MS)).then(
      problemOf,
      (error: Error) => {
        isFull = error instanceof Unreachable && error.wasClosed;
        return error.message;
      },
    );
    this.#isAsking = false;
    if (this.#isClosed) return;
    this.problem = problem;
    // One with too many connections closes new ones and serves the others: leaving it would lose them too. Were it gone,
    // the watches would break off, and it be asked again.
    const isUp = problem === '' || (wasUp && isFull && isHeard());
    if (isUp) this.#waits.reset();
    this.#isUp.set(isUp);
    this.#timer = setTimeout(() => void this.#ask(), isUp ? pingMs : this.#waits.next()).unref();
  }
}

/** What keeps an answer from being that of a namerd that can be asked; empty: nothing. */
function problemOf({ status, text }: Answer): string {
  if (status === 401 || status === 403) return `it refuses us: ${new Refused(status, text).message}`;
  return status >= 500 ? new Refused(status, text).message : '';
}
