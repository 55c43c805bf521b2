/** A watch that is answered by what was known last while namerd does not answer. */
import type { Publisher } from '../../live/index.ts';
import type { Counter } from '../../metrics/registry.ts';
import type { NamerdClient, WatchListener } from './client.ts';
import type { QuestionMetrics } from './metrics.ts';
import type { Namerds } from './namerds.ts';
import type { Retry } from './retry.ts';
import { tell, type WatchState } from './state.ts';
import { Watch } from './watch.ts';

/** How long namerd is waited for before what was known last is taken, ms. Well below the time that a name gets to be bound. */
const RECALL_AFTER_MS = 1_000;

export interface Question<T> {
  readonly counts: QuestionMetrics;
  /** For the state page. */
  readonly state?: WatchState<T>;
  readonly open: (client: NamerdClient, listener: WatchListener<T>) => () => void;
  /** Keeps what namerd has answered. */
  readonly remember?: (value: T) => void;
  readonly deliver: (value: T) => void;
  readonly publish: Publisher<unknown>;
  /** What was known last. */
  readonly recalled?: T | undefined;
}

export interface Asked {
  readonly namerds: Namerds;
  readonly retry: Retry;
  /** Counts answers from what was known last. */
  readonly recalled: Counter;
}

export function watchOrRecall<T>(asked: Asked, question: Question<T>): { close(): void } {
  const { namerds, retry } = asked;
  const { counts, state, open, remember, deliver, publish, recalled } = question;
  let isAnswered = false;
  const recall = (): void => {
    if (isAnswered || recalled === undefined) return;
    isAnswered = true;
    asked.recalled.increment();
    if (state !== undefined) {
      state.value = recalled;
      state.recalledAt = Date.now();
    }
    deliver(recalled);
    publish.pending();
  };
  const watch = new Watch<T>({
    namerds,
    retry,
    open: (client, listener) => {
      counts.requests.increment();
      if (state !== undefined) state.requestedAt = Date.now();
      return open(client, listener);
    },
    reader: {
      onValue: (value) => {
        isAnswered = true;
        counts.success.increment();
        if (state !== undefined) tell(state, value);
        remember?.(value);
        deliver(value);
      },
      onFailed: (message) => {
        counts.failure.increment();
        if (state !== undefined) state.error = message;
        recall();
        publish.fail(new Error(message));
      },
      onLost: (message) => {
        counts.failure.increment();
        if (state !== undefined) state.error = message;
        publish.pending();
      },
    },
  });
  if (state !== undefined) state.address = () => watch.address;
  const waiting = setTimeout(recall, namerds.isAway ? 0 : RECALL_AFTER_MS).unref();
  return {
    close: () => {
      clearTimeout(waiting);
      watch.close();
    },
  };
}
