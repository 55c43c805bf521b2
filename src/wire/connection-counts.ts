/** What connections tell of themselves while they are open. */
export interface ConnectionCounts {
  received(bytes: number): void;
  sent(bytes: number): void;
  /** The connection is ended because its peer sent nothing, or took nothing, for too long. */
  readTimedOut(): void;
  writeTimedOut(): void;
}

const nowhere = (): void => {};

/** For connections that nobody counts. */
export const UNCOUNTED: ConnectionCounts = {
  received: nowhere,
  sent: nowhere,
  readTimedOut: nowhere,
  writeTimedOut: nowhere,
};
