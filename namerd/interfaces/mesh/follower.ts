/**
 * One client's stream of a feed. At most one message is under way in it: whatever changes meanwhile, the client gets the newest
 * when it has taken that one. So a client that reads slowly costs no more than one that reads fast.
 */
import { Metadata } from '@grpc/grpc-js';
import type { Identity } from '../../../src/control-http/auth/index.ts';
import type { Feed, Follower } from './feeds.ts';
import type { Sender, StreamCall } from './server-stream.ts';
import type { Refusal } from './status.ts';

/** What all streams share. */
export interface StreamCounts {
  /** Streams that are open. */
  open(follower: StreamFollower): void;
  closed(follower: StreamFollower): void;
  /** A message has been given to HTTP/2. */
  sent(bytes: number): void;
  /** A client was too slow for a message, and will get a newer one. */
  skipped(): void;
}

export class StreamFollower implements Follower, Sender {
  /** Who follows. */
  readonly identity: Identity;
  readonly #call: StreamCall;
  readonly #feed: Pick<Feed, 'state' | 'add' | 'delete'>;
  readonly #counts: StreamCounts;
  /** What was sent last. */
  #sent: Buffer | null = null;
  #isSending = false;
  #isOver = false;

  constructor(
    call: StreamCall,
    identity: Identity,
    feed: Pick<Feed, 'state' | 'add' | 'delete'>,
    counts: StreamCounts,
  ) {
    this.identity = identity;
    this.#call = call;
    this.#feed = feed;
    this.#counts = counts;
    feed.add(this);
    counts.open(this);
    // Tells the client that the stream is taken, which the first message may be long in coming to.
    call.sendMetadata(NO_METADATA);
    this.onChange();
  }

  onChange(): void {
    const { message = null, refusal } = this.#feed.state ?? {};
    if (this.#isOver) return;
    if (refusal !== undefined) {
      this.#end(refusal);
      return;
    }
    // The state may have changed in what is not sent.
    if (message === null || message === this.#sent) return;
    if (this.#isSending) {
      this.#counts.skipped();
      return;
    }
    this.#sent = message;
    this.#isSending = true;
    this.#counts.sent(message.length);
    this.#call.sendMessage(message, () => {
      this.#isSending = false;
      this.onChange();
    });
  }

  /** No more is sent, for a reason that has nothing to do with what is followed. */
  stop(reason: Refusal): void {
    if (!this.#isOver) this.#end(reason);
  }

  #end(refusal: Refusal): void {
    this.onCancelled();
    this.#call.sendStatus(refusal);
  }

  onCancelled(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#feed.delete(this);
    this.#counts.closed(this);
  }
}

const NO_METADATA = new Metadata();
