/** Answers of namerd: what their headers tell, and what is said of those that nobody hoped for. */
import { ExitCode, Failure } from './failure.ts';
import type { Answer } from './http.ts';
import { printable } from './output.ts';

/** That a write made, or that stands in its way. */
export function versionOf({ 'dtab-version': version }: Answer['headers']): string | undefined {
  return typeof version === 'string' ? version : undefined;
}

/** The texts of `Warning: 299 namerd "...", 299 namerd "..."` (RFC 7234 section 5.5). */
export function warningsOf({ warning = '' }: Answer['headers']): string[] {
  const texts = [...warning.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text);
  return texts.map((text) => text.replaceAll(/\\(.)/g, '$1'));
}

export function notFound(): Failure {
  return new Failure('resource was not found by ID or name', ExitCode.missing);
}

/** Characters of an answer that are shown. */
const MAX_SAID = 1000;

/** With what namerd said about it. */
export class UnexpectedResponse extends Failure {
  readonly status: number;
  /** The version that stands in the way, where namerd told it. */
  readonly currentVersion: string | undefined;

  constructor({ status, reason, headers, body }: Answer) {
    const said = printable(body.slice(0, MAX_SAID)).trim();
    const hint = hintFor(status, said);
    super(`unexpected response: ${status} ${reason}`.trimEnd(), codeFor(status), hint === undefined ? {} : { hint });
    this.status = status;
    this.currentVersion = versionOf(headers);
  }
}

function codeFor(status: number): number {
  if (status === 404) return ExitCode.missing;
  if (status === 409 || status === 412) return ExitCode.conflict;
  // 501: the storage of that namerd can't do it.
  return (status >= 400 && status < 500) || status === 501 ? ExitCode.refused : ExitCode.unreachable;
}

function hintFor(status: number, said: string): string | undefined {
  const quote = said === '' ? '' : `namerd says: ${said}`;
  if (status === 401)
    return joined(
      quote,
      'namerd wants to know who asks: give a token with --token-file FILE or NAMERCTL_TOKEN_FILE, or a client certificate with --cert and --key.',
    );
  if (status === 403)
    return joined(
      quote,
      'Whoever this token or certificate is of may not do that: see `auth:` in the config of namerd.',
    );
  if (status === 503) return joined(quote, 'Try again when the storage of namerd is back.');
  if (status >= 300 && status < 400) return joined(quote, 'Give the address that it redirects to as the base URL.');
  return quote === '' ? undefined : quote;
}

function joined(...lines: string[]): string {
  return lines.filter((line) => line !== '').join('\n');
}
