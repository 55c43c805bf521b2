/** How results are printed: for people, or as JSON for programs. */
import type { Flag } from './command.ts';
import { usageFailure } from './failure.ts';
import type { ParsedFlags } from './parsed-flags.ts';

export const OUTPUT_FLAG: Flag = {
  name: 'output',
  short: 'o',
  type: 'text',
  value: 'format',
  words: ['text', 'json'],
  summary: 'how to print the result: text or json',
};

/** For commands of ours: those below `dtab` have it as the original does. */
export const JSON_FLAG: Flag = { name: 'json', type: 'bool', summary: 'the same as --output json' };

/** Whether JSON was asked for, by `-o json` or as the original has it. Throws Failure for any other word than text. */
export function wantsJson(flags: ParsedFlags): boolean {
  return wantsJsonResult(flags) || flags.isOn('json');
}

/** The same for the writes of the original, where `--json` says nothing of the result. */
export function wantsJsonResult(flags: ParsedFlags): boolean {
  const format = flags.text('output') ?? 'text';
  if (format !== 'text' && format !== 'json') throw usageFailure(`--output must be text or json, not "${format}"`);
  return format === 'json';
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
}

/** What others wrote must not steer the terminal: on one line. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** What namerd found odd in a dtab that it took. */
export function tellWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) process.stderr.write(`warning: ${printable(warning)}\n`);
}
