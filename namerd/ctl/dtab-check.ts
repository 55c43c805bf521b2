/** `dtab check FILE`: what is wrong with a dtab, without asking anybody. */

import { lintDtab } from '../../src/naming/lint.ts';
import type { Path } from '../../src/naming/path.ts';
import { coloursFor } from './colours.ts';
import type { Invocation } from './command.ts';
import { type DtabSource, readDtabSource, shownDentry, UnreadableDtab } from './dtab-source.ts';
import { reasonOf } from './excerpt.ts';
import { ExitCode, usageFailure } from './failure.ts';
import { shownFile } from './files.ts';
import { configuredNamers, likelyNamers, listedNamers } from './known-namers.ts';
import { printJson, printLine, wantsJson } from './output.ts';
import type { ParsedFlags } from './parsed-flags.ts';

interface CheckProblem {
  readonly severity: 'error' | 'warning' | 'note';
  readonly kind: string;
  /** From 1; absent in JSON. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** `/a => /b`; absent where there is none to show. */
  readonly entry?: string;
  readonly message: string;
  /** The line and a caret. */
  readonly excerpt?: string;
}

export async function check({ args: [path = ''], flags }: Invocation): Promise<number> {
  const asJson = wantsJson(flags);
  const problems = await problemsOf(path, flags);
  const isOk = problems.every(({ severity }) => severity === 'note');
  if (asJson) printJson({ file: shownFile(path), ok: isOk, problems: problems.map(({ excerpt, ...rest }) => rest) });
  else tell(shownFile(path), problems, isOk);
  return isOk ? ExitCode.done : ExitCode.no;
}

async function problemsOf(path: string, flags: ParsedFlags): Promise<CheckProblem[]> {
  let source: DtabSource;
  try {
    source = await readDtabSource(path);
  } catch (failure) {
    if (!(failure instanceof UnreadableDtab)) throw failure;
    const { line, column } = failure.error;
    const excerpt = (failure.hint ?? '').split('\n').slice(1).join('\n');
    return [{ severity: 'error', kind: 'syntax', line, column, message: reasonOf(failure.error), excerpt }];
  }
  const { dtab, places } = source;
  const namers = (await namersOf(flags)) ?? likelyNamers(dtab);
  return lintDtab(dtab, { namers }).map(
    ({ severity, kind, entry, dentry, message }): CheckProblem => ({
      severity,
      kind,
      ...places?.[entry],
      entry: shownDentry(dentry),
      message,
    }),
  );
}

async function namersOf(flags: ParsedFlags): Promise<Path[] | undefined> {
  const list = flags.text('namers');
  const config = flags.text('namers-of');
  if (list === undefined && config === undefined) return undefined;
  try {
    return [...listedNamers(list ?? ''), ...(config === undefined ? [] : await configuredNamers(config))];
  } catch (error) {
    if ((error as Error).name !== 'ParseError') throw error;
    throw usageFailure(`--namers: ${(error as Error).message}`);
  }
}

function tell(file: string, problems: readonly CheckProblem[], isOk: boolean): void {
  const { good, bad, warn, faint, strong } = coloursFor(process.stdout);
  const paint = { error: bad, warning: warn, note: faint };
  for (const { severity, line, column, entry, message, excerpt } of problems) {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    const subject = entry === undefined ? '' : `${strong(entry)}: `;
    printLine(`${place}: ${paint[severity](severity)}: ${subject}${message}`);
    if (excerpt !== undefined) printLine(excerpt);
  }
  const counts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const number = problems.filter((problem) => problem.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}${number === 1 ? '' : 's'}`];
  });
  printLine(`${file}: ${[isOk ? good('ok') : bad('not ok'), ...counts].join(', ')}`);
}
