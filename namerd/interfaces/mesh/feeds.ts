/**
 * Fan-out: however many clients follow the same thing, it is watched once and each state of it is encoded once.
 *
 *     Namespaces -> Feed (one a question) -> Follower (one a stream, or a binding of a receipt) -> HTTP/2
 */
import type { Answer, Question } from './question.ts';

export interface Follower {
  /** The feed has another state. */
  onChange(): void;
}

export class Feed<State extends Answer = Answer> {
  /** The newest; null until there is one. */
  state: State | null = null;
  readonly key: string;
  readonly #followers = new Set<Follower>();
  readonly #same: (a: State, b: State) => boolean;
  readonly #onUnfollowed: (feed: Feed<State>) => void;
  readonly #stop: () => void;

  constructor(
    asked: Question<State>,
    same: (a: State, b: State) => boolean,
    onUnfollowed: (feed: Feed<State>) => void,
  ) {
    this.key = asked.key;
    this.#same = same;
    this.#onUnfollowed = onUnfollowed;
    this.#stop = asked.follow((state) => this.#onState(state));
  }

  /** Hears of every change from now on, not of the state that is there already. */
  add(follower: Follower): void {
    this.#followers.add(follower);
  }

  delete(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
    this.#stop();
    this.#onUnfollowed(this);
  }

  #onState(state: State): void {
    if (this.state !== null && this.#same(this.state, state)) return;
    this.state = state;
    for (const follower of this.#followers) follower.onChange();
  }
}

export class Feeds<State extends Answer = Answer> {
  readonly #same: (a: State, b: State) => boolean;
  readonly #feeds = new Map<string, Feed<State>>();
  readonly #forget = (feed: Feed<State>): void => {
    if (this.#feeds.get(feed.key) === feed) this.#feeds.delete(feed.key);
  };

  /** A state that is the same as the last is not told. */
  constructor(same: (a: State, b: State) => boolean) {
    this.#same = same;
  }

  /** Things that are watched. */
  get size(): number {
    return this.#feeds.size;
  }

  /** The feed of a question; it lasts until its last follower leaves. */
  get(asked: Question<State>): Feed<State> {
    const { key } = asked;
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    const feed = new Feed(asked, this.#same, this.#forget);
    this.#feeds.set(key, feed);
    return feed;
  }
}

/** A value may change in what is not sent: where addresses come from, say. */
export function sameAnswer(a: Answer, b: Answer): boolean {
  return a.refusal?.details === b.refusal?.details && sameMessage(a.message, b.message);
}

export function sameMessage(a: Buffer | null, b: Buffer | null): boolean {
  return a === b || (a !== null && b !== null && a.equals(b));
}
