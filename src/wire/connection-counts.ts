/** What connections tell of themselves while they are open; the counters of metrics/ fit. */
export interface Count {
  add(amount: number): void;
}

export interface ConnectionCounts {
  /** Bytes. */
  readonly received: Count;
  readonly sent: Count;
  /** Connections that were ended because their peer sent nothing, or took nothing, for too long. */
  readonly readTimeouts: Count;
  readonly writeTimeouts: Count;
}

const nowhere: Count = { add: () => {} };

/** For connections that nobody counts. */
export const UNCOUNTED: ConnectionCounts = {
  received: nowhere,
  sent: nowhere,
  readTimeouts: nowhere,
  writeTimeouts: nowhere,
};
