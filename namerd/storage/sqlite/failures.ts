/** SQLite's failures in words that say what to do (result codes: sqlite.org/rescode.html). */

/** By primary result code. */
const REASONS: Readonly<Record<number, string>> = {
  3: 'permission denied',
  5: 'another process holds the database for writing',
  6: 'another process holds the database for writing',
  8: 'the file or its folder can not be written to',
  10: 'the disk reports an error',
  11: 'the database is damaged; put a backup in its place',
  13: 'the disk is full',
  14: 'the file can not be opened; its folder has to be there and writable',
  26: 'the file is not a SQLite database',
};

/** A failure that says already what to do. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';
}

export function reasonOf(error: unknown): string {
  const { errcode, message } = error as { errcode?: number; message?: string };
  // The primary code is the low byte of an extended one.
  const reason = errcode === undefined ? undefined : REASONS[errcode & 0xff];
  return reason ?? message ?? String(error);
}
