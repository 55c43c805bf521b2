/** How a command of namerctl ends when it doesn't do what it was asked to. */

/** Exit codes of the commands that the original doesn't have; its own end with `ORIGINAL` whatever happened, as there. */
export const ExitCode = {
  done: 0,
  /** The answer is no: it differs, a check found errors, the name is not bound, not everybody has the change. */
  no: 1,
  /** The command line, a setting or a file is wrong. */
  usage: 2,
  /** namerd has no such namespace or version. */
  missing: 3,
  /** Somebody else changed the dtab in between. */
  conflict: 4,
  /** namerd refused: a bad dtab, no permission. */
  refused: 5,
  /** namerd was not reached, or it failed. */
  unreachable: 6,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** Exit code of every failure of the original's commands. */
export const ORIGINAL = 255;

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: number;
  /** What to do next, in lines for people. */
  readonly hint: string | undefined;
  /** The command line is at fault, so that its usage is worth showing. */
  readonly isUsage: boolean;

  constructor(message: string, code: number, { hint, isUsage = false }: { hint?: string; isUsage?: boolean } = {}) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.isUsage = isUsage;
  }

  withHint(hint: string): Failure {
    return new Failure(this.message, this.code, { hint, isUsage: this.isUsage });
  }
}

export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(message, ExitCode.usage, hint === undefined ? { isUsage: true } : { hint, isUsage: true });
}
