/** Dtabs that the user gives: text in the grammar of dtabs, or JSON in the form that `dtab get --json` prints. */
import type { DentryText } from './dentries.ts';
import { ExitCode, Failure } from './failure.ts';

export interface DtabFile {
  /** As it is sent. */
  readonly body: string;
  readonly contentType: 'application/dtab' | 'application/json';
  /** Which version it is a change of, where the file says so. */
  readonly version: string | undefined;
}

/** Throws Failure for JSON that has not that form; what the dtab says is namerd's to judge. */
export function readDtabFile(text: string): DtabFile {
  if (!/^[{[]/.test(text)) return { body: text, contentType: 'application/dtab', version: undefined };
  const { version, dtab } = readVersioned(text);
  return { body: JSON.stringify(dtab), contentType: 'application/json', version };
}

/** Keys in any case, as Go reads them. */
function readVersioned(text: string): { version: string | undefined; dtab: (DentryText | null)[] | null } {
  const document = parseJson(text);
  if (Array.isArray(document)) {
    throw cannotRead('array', 'value of type namer.VersionedDtab').withHint(
      'A dtab in JSON is written {"dtab": [{"prefix": "/svc", "dst": "/host"}]}, as `namerctl dtab get NAME --json` prints it.',
    );
  }
  const fields = lowerCased(document as object);
  const version = textOr(fields['version'], '', 'struct field VersionedDtab.version of type namer.Version');
  const dtab = fields['dtab'] ?? null;
  if (dtab !== null && !Array.isArray(dtab)) {
    throw cannotRead(kindOf(dtab), 'struct field VersionedDtab.dtab of type namer.Dtab');
  }
  return { version: version === '' ? undefined : version, dtab: dtab?.map(dentryOf) ?? null };
}

function dentryOf(entry: unknown): DentryText | null {
  if (entry === null) return null;
  if (typeof entry !== 'object' || Array.isArray(entry)) {
    throw cannotRead(kindOf(entry), 'struct field VersionedDtab.dtab of type namer.Dentry');
  }
  const fields = lowerCased(entry);
  return {
    prefix: textOr(fields['prefix'], '', 'struct field Dentry.dtab.prefix of type string'),
    dst: textOr(fields['dst'], '', 'struct field Dentry.dtab.dst of type string'),
  };
}

function lowerCased(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]));
}

function textOr(value: unknown, fallback: string, place: string): string {
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'string') throw cannotRead(kindOf(value), place);
  return value;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** The original's words, which scripts may look for. */
function cannotRead(kind: string, place: string): Failure {
  return new Failure(`json: cannot unmarshal ${kind} into Go ${place}`, ExitCode.usage);
}

/** What the JSON parser of Node was at, and the original's words for that. */
const WHERE: readonly (readonly [RegExp, string])[] = [
  [/^Expected (property name|double-quoted property name)/, 'looking for beginning of object key string'],
  [/^Expected ':' after property name/, 'after object key'],
  [/^Expected ',' or '}'/, 'after object key:value pair'],
  [/^Expected ',' or ']'/, 'after array element'],
  [/^Unexpected non-whitespace character after JSON/, 'after top-level value'],
  [/^Unexpected token/, 'looking for beginning of value'],
  [/control character/, 'in string literal'],
  [/escape/, 'in string escape code'],
];

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const where = WHERE.find(([form]) => form.test(message))?.[1];
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    // Of a token that it did not expect, Node tells the character and not the place.
    const character = position === undefined ? /^Unexpected token '(.)'/u.exec(message)?.[1] : text[Number(position)];
    if (where === undefined || character === undefined)
      throw new Failure('unexpected end of JSON input', ExitCode.usage);
    const hint = position === undefined ? message : `The JSON can't be read at ${placeOf(text, Number(position))}.`;
    throw new Failure(`invalid character '${character}' ${where}`, ExitCode.usage, { hint });
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
