/** `io.l5d.recentRequests`: the latest requests, for the admin page `/requests`. */
import * as defaults from '../config/defaults.ts';
import { defineKind } from '../config/kind.ts';
import { optional, required } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';
import type { RequestRecord } from '../port/protocol.ts';

export type { RequestRecord } from '../port/protocol.ts';

export class RecentRequests {
  readonly kind = 'io.l5d.recentRequests';
  /** Share of requests that is to be kept. Who feeds it draws, so that what is not kept costs nothing. */
  readonly sampleRate: number;
  readonly #capacity: number;
  readonly #records: RequestRecord[] = [];

  constructor(sampleRate: number, capacity: number) {
    this.sampleRate = sampleRate;
    this.#capacity = capacity;
  }

  /** Records come from several threads, so not always in the order of their times. */
  add(record: RequestRecord): void {
    const later = this.#records.findLastIndex(({ timestamp }) => timestamp <= record.timestamp);
    this.#records.splice(later + 1, 0, record);
    if (this.#records.length > this.#capacity) this.#records.shift();
  }

  /** Newest first. */
  records(): RequestRecord[] {
    return this.#records.toReversed();
  }
}

export const recentRequests = defineKind({
  kind: 'io.l5d.recentRequests',
  thread: 'control',
  summary: 'The latest requests on the admin page /requests.',
  config: (z) =>
    z.strictObject({
      sampleRate: required(scalars.num(z, { min: 0, max: 1 }), 'Share of requests that is kept, 0 to 1.'),
      capacity: optional(scalars.int(z, { min: 1 }), 'Requests that are kept.', defaults.recentRequestsCapacity),
    }),
  create: ({ sampleRate, capacity }): RecentRequests =>
    new RecentRequests(sampleRate, capacity ?? defaults.recentRequestsCapacity),
});
