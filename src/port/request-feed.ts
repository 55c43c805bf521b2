/**
 * Requests on their way to the control side, for whoever shows the latest (`io.l5d.recentRequests`): a share of them, drawn
 * at random, in one message a tick. Of more than a few in a tick the rest is dropped and counted.
 */
import type { RequestRecord } from './protocol.ts';

const MAX_PER_TICK = 100;

export class RequestFeed {
  readonly #sampleRate: number;
  readonly #send: (records: readonly RequestRecord[]) => void;
  readonly #onDrop: () => void;
  #records: RequestRecord[] = [];

  /** `sampleRate`: 0 to 1. */
  constructor(sampleRate: number, send: (records: readonly RequestRecord[]) => void, onDrop: () => void) {
    this.#sampleRate = sampleRate;
    this.#send = send;
    this.#onDrop = onDrop;
  }

  /** Whether a request is to be told; draws. */
  draws(): boolean {
    return Math.random() < this.#sampleRate;
  }

  add(record: RequestRecord): void {
    if (this.#records.length >= MAX_PER_TICK) {
      this.#onDrop();
      return;
    }
    if (this.#records.push(record) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const records = this.#records;
    this.#records = [];
    this.#send(records);
  }
}
