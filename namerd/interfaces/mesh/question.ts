/** What a client asks: a live value, and the message that each state of it is. */
import { type Activity, hasValue, type Live, observe, toError, until } from '../../../src/live/index.ts';
import { internal, Refusal } from './status.ts';

/** A message as it is sent, or why there is none. */
export type Answer = Buffer | Refusal;

export interface Question {
  /** Equal questions have equal keys; they share one feed. */
  readonly key: string;
  /** Calls back with the answer as it is now and after every change, at most once a tick; undefined: it is not known yet. */
  follow(callback: (answer: Answer | undefined) => void): () => void;
  /** The first answer there is. Rejects when the signal aborts. */
  first(signal: AbortSignal): Promise<Answer>;
}

/** `encode` gives the message of a value, and is called once for each value, however many clients ask. */
export function question<T>(key: string, live: () => Live<Activity<T>>, encode: (value: T) => Answer): Question {
  // A value that is old, because what is behind it is away, is still the best there is.
  const answer = (now: Activity<T>): Answer | undefined => {
    if (hasValue(now)) return attempt(() => encode(now.value));
    return now.phase === 'failed' ? internal(now.error) : undefined;
  };
  return {
    key,
    follow: (callback) =>
      observe(
        live(),
        (now) => callback(answer(now)),
        (error) => callback(internal(error)),
      ),
    first: async (signal) => {
      const settled = await until(live(), (now) => now.phase !== 'pending' || hasValue(now), { signal });
      return answer(settled) as Answer;
    },
  };
}

/** A tree may be too deep to be written. */
function attempt(encode: () => Answer): Answer {
  try {
    return encode();
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown : internal(toError(thrown));
  }
}
