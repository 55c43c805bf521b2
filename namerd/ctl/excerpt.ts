/** Where in a text something is wrong, shown with the line and a caret below the place. */
import type { ParseError } from '../../src/naming/parse-error.ts';

/** A line that is longer is shown around the place. */
const MAX_WIDTH = 120;

/** The two lines to show: what stands there, and the caret. Line and column from 1. */
export function excerpt(text: string, line: number, column: number): string {
  // Control characters would move the caret, or do worse to a terminal.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const whole = (text.split('\n')[line - 1] ?? '').replaceAll(/[\x00-\x1f\x7f]/g, ' ');
  const start = Math.max(0, Math.min(column - 1 - MAX_WIDTH / 2, whole.length - MAX_WIDTH));
  const shown = whole.slice(start, start + MAX_WIDTH).trimEnd();
  return `    ${shown}\n    ${' '.repeat(column - 1 - start)}^`;
}

/** The original's words for what it expected, which its messages keep, and plainer ones. */
const PLAINLY: Readonly<Record<string, string>> = {
  // An entry that goes on where it should be over is most often one whose `;` is missing.
  'end of input': "';' or end of input",
  simple: "a path, '(', '~', '!' or '$'",
  'label char': "a letter, a digit or one of '_:.#$%-'",
};

export function reasonOf({ expected, found }: ParseError): string {
  return `${PLAINLY[expected] ?? expected} expected but ${found} found`;
}

/** `routes.dtab:2:6: '>' expected but ' ' found`, the line, and a caret. */
export function parseErrorExcerpt(file: string, text: string, error: ParseError): string {
  const { line, column } = error;
  return `${file}:${line}:${column}: ${reasonOf(error)}\n${excerpt(text, line, column)}`;
}
