/** What a client asks: a live value, and what is sent for each state of it. */
import { type Activity, hasValue, type Live, observe, toError, until } from '../../../src/live/index.ts';
import { internal, Refusal } from './status.ts';

/** What is known of the answer. */
export interface Answer {
  /** The message that is sent; null while there is none. */
  readonly message: Buffer | null;
  /** Why there is none, and will be none as things are. */
  readonly refusal?: Refusal;
}

export class Question<State extends Answer = Answer> {
  /** Equal questions have equal keys; they share one feed. */
  readonly key: string;
  readonly #follow: (callback: (state: State) => void) => () => void;
  readonly #first: (signal: AbortSignal) => Promise<State>;

  /** `stateOf` is called once for each value, however many clients ask; what it throws is told as a refusal. */
  static about<T, State extends Answer>(
    key: string,
    live: () => Live<T>,
    stateOf: (now: T) => State,
    refused: (refusal: Refusal) => State,
  ): Question<State> {
    const attempt = (now: T): State => {
      try {
        return stateOf(now);
      } catch (thrown) {
        return refused(thrown instanceof Refusal ? thrown : internal(toError(thrown)));
      }
    };
    return new Question(
      key,
      (callback) =>
        observe(
          live(),
          (now) => callback(attempt(now)),
          (error) => callback(refused(internal(error))),
        ),
      async (signal) => {
        const isAnswered = (now: T): boolean => isKnown(attempt(now));
        return attempt(await until(live(), isAnswered, { signal }));
      },
    );
  }

  private constructor(
    key: string,
    follow: (callback: (state: State) => void) => () => void,
    first: (signal: AbortSignal) => Promise<State>,
  ) {
    this.key = key;
    this.#follow = follow;
    this.#first = first;
  }

  /** Calls back with the state as it is now and after every change, at most once a tick. */
  follow(callback: (state: State) => void): () => void {
    return this.#follow(callback);
  }

  /** The first answer there is. Rejects when the signal aborts. */
  first(signal: AbortSignal): Promise<State> {
    return this.#first(signal);
  }
}

function isKnown({ message, refusal }: Answer): boolean {
  return message !== null || refusal !== undefined;
}

/** A question about something that may be pending, or fail. */
export function question<T>(key: string, live: () => Live<Activity<T>>, encode: (value: T) => Buffer): Question {
  return Question.about<Activity<T>, Answer>(key, live, (now) => answerTo(now, encode), refusedAnswer);
}

/** A value that is old, because what is behind it is away, is still the best there is. */
export function answerTo<T>(now: Activity<T>, encode: (value: T) => Buffer): Answer {
  if (hasValue(now)) return { message: encode(now.value) };
  return now.phase === 'failed' ? refusedAnswer(internal(now.error)) : UNKNOWN;
}

export const UNKNOWN: Answer = { message: null };

export function refusedAnswer(refusal: Refusal): Answer {
  return { message: null, refusal };
}
