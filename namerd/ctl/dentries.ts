/** Dtabs as namerd's HTTP API carries them: entries of texts. Nothing here parses them. */

export interface DentryText {
  readonly prefix: string;
  readonly dst: string;
}

export interface VersionedEntries {
  /** As in an ETag; empty where namerd told none. */
  readonly version: string;
  readonly entries: readonly DentryText[];
}

/** Each entry on a line, arrows below each other. */
export function prettyLines(entries: readonly DentryText[]): string[] {
  const width = Math.max(0, ...entries.map(({ prefix }) => Buffer.byteLength(prefix)));
  return entries.map(({ prefix, dst }) => {
    const blanks = ' '.repeat(width - Buffer.byteLength(prefix));
    return `${prefix}${blanks}  => ${dst} ;`;
  });
}

/** Each entry on a line that depends on no other, for comparing. */
export function entryLines(entries: readonly DentryText[]): string[] {
  return entries.map(({ prefix, dst }) => `${prefix} => ${dst} ;`);
}

/** All on one line. */
export function compact(entries: readonly DentryText[]): string {
  return entries.map(({ prefix, dst }) => `${prefix}=>${dst};`).join('');
}

/** JSON as Go writes it, which scripts may compare with: signs that mean something to HTML are escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
