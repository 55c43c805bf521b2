/** The Warning header (RFC 7234 section 5.5): what a client should know about an answer that is no failure. */
import type { ControlResponse } from '../../../src/control-http/index.ts';
import type { Activity } from '../../../src/live/index.ts';
import { type LintFinding, showFinding } from '../../../src/naming/index.ts';

const RESPONSE_IS_STALE = 110;
const MISCELLANEOUS = 299;
/** Of a table of thousands, the first say enough; and a header has its limit. */
const MAX_WARNINGS = 10;
const MAX_TEXT = 400;

/** What is served while the storage is away says so. */
export function staleness(now: Activity<unknown>): Record<string, string> {
  return now.phase === 'failed' ? { Warning: warning(RESPONSE_IS_STALE, now.error.message) } : {};
}

/** A dtab was taken by which names fail; what is merely odd about one is for those who ask (`namerctl dtab check`). */
export function withWarnings(response: ControlResponse, findings: readonly LintFinding[]): ControlResponse {
  const loops = findings.filter(({ kind }) => kind === 'loop');
  if (loops.length === 0) return response;
  const texts = loops.slice(0, MAX_WARNINGS).map(showFinding);
  if (loops.length > MAX_WARNINGS) texts.push(`and ${loops.length - MAX_WARNINGS} more`);
  const field = texts.map((text) => warning(MISCELLANEOUS, text)).join(', ');
  return { ...response, headers: { ...response.headers, Warning: field } };
}

/** A field's text is ASCII without line breaks; a quoted string escapes two characters more. */
function warning(code: number, text: string): string {
  const shortened = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  const quoted = shortened.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
  return `${code} namerd "${quoted}"`;
}
