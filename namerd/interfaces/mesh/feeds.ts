/**
 * Fan-out: however many clients follow the same thing, it is watched once and each state of it is encoded once.
 *
 *     Namespaces -> Feed (one a question) -> Follower (one a stream) -> HTTP/2
 */
import { Refusal } from './status.ts';

/** What is watched. */
export interface Followable<Message> {
  /** Equal ones have equal keys. */
  readonly key: string;
  follow(callback: (answer: Message | Refusal | undefined) => void): () => void;
}

/** One client's stream, or whoever else wants to know what is sent to it. */
export interface Follower {
  /** The feed has another message. */
  onChange(): void;
  /** There is no answer any more; the follower has been taken off the feed. */
  onEnd(refusal: Refusal): void;
}

export class Feed<Message = Buffer> {
  /** The newest message; null until there is one. */
  message: Message | null = null;
  readonly #followers = new Set<Follower>();
  readonly #same: (a: Message, b: Message) => boolean;
  readonly #onUnfollowed: () => void;
  #stop: () => void = () => {};

  constructor(asked: Followable<Message>, same: (a: Message, b: Message) => boolean, onUnfollowed: () => void) {
    this.#same = same;
    this.#onUnfollowed = onUnfollowed;
    this.#stop = asked.follow((answer) => this.#onAnswer(answer));
  }

  get followers(): number {
    return this.#followers.size;
  }

  /** Hears of every change from now on, not of the message that is there already. */
  add(follower: Follower): void {
    this.#followers.add(follower);
  }

  delete(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
    this.#stop();
    this.#onUnfollowed();
  }

  #onAnswer(answer: Message | Refusal | undefined): void {
    if (answer instanceof Refusal) {
      this.#end(answer);
      return;
    }
    // A value may change in what is not sent: where addresses come from, the version of a dtab.
    if (answer === undefined || (this.message !== null && this.#same(this.message, answer))) return;
    this.message = answer;
    for (const follower of this.#followers) follower.onChange();
  }

  #end(refusal: Refusal): void {
    for (const follower of [...this.#followers]) {
      this.delete(follower);
      follower.onEnd(refusal);
    }
  }
}

export class Feeds<Message = Buffer> {
  readonly #same: (a: Message, b: Message) => boolean;
  readonly #feeds = new Map<string, Feed<Message>>();

  /** A message that is the same as the last is not sent again. */
  constructor(same: (a: Message, b: Message) => boolean) {
    this.#same = same;
  }

  /** Things that are watched. */
  get size(): number {
    return this.#feeds.size;
  }

  /** The feed of a question; it lasts until its last follower leaves. */
  get(asked: Followable<Message>): Feed<Message> {
    const known = this.#feeds.get(asked.key);
    if (known !== undefined) return known;
    const feed = new Feed(asked, this.#same, () => {
      if (this.#feeds.get(asked.key) === feed) this.#feeds.delete(asked.key);
    });
    this.#feeds.set(asked.key, feed);
    return feed;
  }
}
