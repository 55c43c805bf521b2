/** A dtab that the user wrote, parsed, and where its entries stand. */
import { Dentry, Dtab, Prefix, parseEntries, parseTree } from '../../src/naming/dtab.ts';
import { ParseError, placeOf } from '../../src/naming/parse-error.ts';
import type { DentryText } from './dentries.ts';
import { readDtabFile } from './dtab-file.ts';
import { parseErrorExcerpt } from './excerpt.ts';
import { ExitCode, Failure } from './failure.ts';
import { readInput, shownFile } from './files.ts';

export interface DtabSource {
  /** As messages call the file. */
  readonly file: string;
  readonly dtab: Dtab;
  /** Where each entry begins, from 1; none in JSON. */
  readonly places: readonly { readonly line: number; readonly column: number }[] | undefined;
}

/** Its hint shows the place. */
export class UnreadableDtab extends Failure {
  readonly error: ParseError;

  constructor(file: string, text: string, error: ParseError) {
    super('the dtab cannot be read', ExitCode.usage, { hint: parseErrorExcerpt(file, text, error) });
    this.error = error;
  }
}

/** Reads a dtab from a file or, `-`, from stdin, as text or JSON. Throws Failure, `UnreadableDtab` if it isn't one. */
export async function readDtabSource(path: string): Promise<DtabSource> {
  const text = await readInput(path);
  const file = shownFile(path);
  const { body, contentType } = readDtabFile(text);
  if (contentType === 'application/dtab') return { file, ...parseDtabText(file, text) };
  return { file, dtab: dtabOf(JSON.parse(body) ?? [], file), places: undefined };
}

/** Throws UnreadableDtab. */
export function parseDtabText(file: string, text: string): Pick<DtabSource, 'dtab' | 'places'> {
  const entries = reading(parseEntries, text, file);
  return {
    dtab: new Dtab(entries.map(({ dentry }) => dentry)),
    places: entries.map(({ offset }) => placeOf(text, offset)),
  };
}

/** A dtab from its entries as JSON has them. Throws UnreadableDtab. */
export function dtabOf(entries: readonly (DentryText | null)[], from: string): Dtab {
  const parsed = entries.map((entry, index) => {
    const { prefix, dst } = entry ?? { prefix: '', dst: '' };
    const place = `${from}: entry ${index + 1}`;
    return new Dentry(reading(Prefix.parse, prefix, `${place}: prefix`), reading(parseTree, dst, `${place}: dst`));
  });
  return new Dtab(parsed);
}

/** What `parse` makes of a text that messages call `from`. Throws UnreadableDtab. */
export function reading<T>(parse: (text: string) => T, text: string, from: string): T {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof ParseError ? new UnreadableDtab(from, text, error) : error;
  }
}

/** One entry a line, canonical, so that equal dtabs have equal lines. */
export function canonicalLines(dtab: Dtab): string[] {
  return dtab.entries.map((dentry) => `${shownDentry(dentry)} ;`);
}

export function shownDentry(dentry: Dentry): string {
  return dentry.show().replace('=>', ' => ');
}
