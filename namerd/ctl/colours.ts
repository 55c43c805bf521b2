/** Colours, where a person looks: not in pipes, and not when NO_COLOR (https://no-color.org) or a dumb terminal forbids them. */

export type Paint = (text: string) => string;

export interface Colours {
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  readonly name: Paint;
  readonly faint: Paint;
  readonly strong: Paint;
}

const plain: Paint = (text) => text;
export const PLAIN: Colours = { good: plain, bad: plain, warn: plain, name: plain, faint: plain, strong: plain };

const sgr =
  (code: number, off: number): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[${off}m`;
const ANSI: Colours = {
  good: sgr(32, 39),
  bad: sgr(31, 39),
  warn: sgr(33, 39),
  name: sgr(36, 39),
  faint: sgr(2, 22),
  strong: sgr(1, 22),
};

export function coloursFor(stream: { readonly isTTY?: boolean }): Colours {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return PLAIN;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return ANSI;
  return stream.isTTY === true && TERM !== 'dumb' ? ANSI : PLAIN;
}
