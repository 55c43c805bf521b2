/** Where in a dtab's text something is wrong, shown with the line and a caret below the place. */
import type { ParseError } from '../../src/naming/parse-error.ts';

/** A line that is longer is shown around the place. */
const MAX_WIDTH = 120;

/**
 * `routes.dtab:2:6: '>' expected but ' ' found`, the line, and a caret.
 *
 * @param line from 1
 * @param column from 1
 */
export function excerpt(file: string, text: string, line: number, column: number, message: string): string {
  return `${file}:${line}:${column}: ${message}\n${caret(text, line, column)}`;
}

export function parseErrorExcerpt(file: string, text: string, { line, column, expected, found }: ParseError): string {
  // An entry that goes on where it should be over is most often one whose `;` is missing.
  const wanted = expected === 'end of input' ? "';' or end of input" : expected;
  return excerpt(file, text, line, column, `${wanted} expected but ${found} found`);
}

function caret(text: string, line: number, column: number): string {
  // Control characters would move the caret, or do worse to a terminal.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const whole = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '').replaceAll(/[\x00-\x1f\x7f]/g, ' ');
  const start = Math.max(0, Math.min(column - 1 - MAX_WIDTH / 2, whole.length - MAX_WIDTH));
  const shown = whole.slice(start, start + MAX_WIDTH);
  return `    ${shown}\n    ${' '.repeat(column - 1 - start)}^`;
}
