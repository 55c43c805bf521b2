/** Dtabs in bodies: as JSON, and as text in the grammar of dtabs. */
import {
  type ControlRequest,
  type ControlResponse,
  jsonError,
  negotiate,
  parseContentType,
  placeHeaders,
  text,
} from '../../../src/control-http/index.ts';
import { Dentry, Dtab, ParseError, Prefix, parseTree, showTree } from '../../../src/naming/index.ts';

/** In the order of preference of a client that has none. */
const MEDIA_TYPES = ['application/json', 'application/dtab', 'text/plain'] as const;
export type DtabMediaType = (typeof MEDIA_TYPES)[number];

/** The type to show a dtab in. A client that accepts none gets JSON all the same, as the original answers. */
export function acceptedType(request: ControlRequest): DtabMediaType {
  return negotiate(request.headers.accept, MEDIA_TYPES) ?? 'application/json';
}

export interface DentryJson {
  readonly prefix: string;
  readonly dst: string;
}

export function dtabJson(dtab: Dtab): DentryJson[] {
  return dtab.entries.map(({ prefix, tree }) => ({ prefix: prefix.show(), dst: showTree(tree) }));
}

/** Without the line's end. */
export function showDtab(dtab: Dtab, type: DtabMediaType): string {
  return type === 'application/json' ? JSON.stringify(dtabJson(dtab)) : dtab.show();
}

/** The dtab in a request's body, or the answer that says what is wrong with it: 400 or 413. */
export async function readDtab(request: ControlRequest): Promise<Dtab | ControlResponse> {
  const { type, charset = 'utf-8' } = parseContentType(request.headers['content-type']);
  const decoder = decoderOf(charset);
  if (!MEDIA_TYPES.some((known) => known === type) || decoder === undefined) {
    const sent = request.headers['content-type'] ?? '';
    return text(400, `Invalid Content-Type "${sent}". Send one of ${MEDIA_TYPES.join(', ')}, in UTF-8.\n`);
  }
  const bytes = await request.bytes();
  if (bytes === null) return text(413, 'The dtab is larger than 1 MiB.\n');
  let body: string;
  try {
    body = decoder.decode(bytes);
  } catch {
    return text(400, `The body is not ${charset} text.\n`);
  }
  return type === 'application/json' ? fromJson(body) : fromText(body);
}

function decoderOf(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return undefined;
  }
}

function fromText(body: string): Dtab | ControlResponse {
  try {
    return Dtab.parse(body);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { ...text(400, located(error)), headers: placeHeaders(error) };
  }
}

function fromJson(body: string): Dtab | ControlResponse {
  const malformed = jsonError(body);
  if (malformed !== undefined) {
    const error = new ParseError(body, malformed.offset, malformed.expected);
    return { ...text(400, `The dtab is not JSON: ${located(error)}`), headers: placeHeaders(error) };
  }
  const value: unknown = JSON.parse(body);
  if (!Array.isArray(value))
    return text(400, `The dtab must be a JSON list of {"prefix", "dst"}, but is ${kindOf(value)}`);
  const nulls = value.filter((entry) => entry === null);
  if (nulls.length > 0) return text(400, `The dtab contains invalid dentries: ${JSON.stringify(nulls)}`);
  const entries: Dentry[] = [];
  for (const [index, entry] of value.entries()) {
    const dentry = dentryOf(entry);
    if (typeof dentry === 'string') return text(400, `Entry ${index + 1} of the dtab: ${dentry}`);
    entries.push(dentry);
  }
  return new Dtab(entries);
}

/** An entry, or what is wrong with it. Other keys than these two are passed over. */
function dentryOf(entry: unknown): Dentry | string {
  const { prefix, dst } = Object(entry) as Record<string, unknown>;
  const parsedPrefix = part('prefix', prefix, Prefix.parse);
  if (typeof parsedPrefix === 'string') return parsedPrefix;
  const parsedTree = part('dst', dst, parseTree);
  if (typeof parsedTree === 'string') return parsedTree;
  return new Dentry(parsedPrefix, parsedTree);
}

function part<T extends object>(key: string, value: unknown, parse: (text: string) => T): T | string {
  if (value === undefined) return `"${key}" is missing`;
  if (typeof value !== 'string') return `"${key}" must be text, but is ${kindOf(value)}`;
  try {
    return parse(value);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return `"${key}": ${located(error)}`;
  }
}

/** The parser's message, which is the original's, and where in the text that is. */
function located(error: ParseError): string {
  return `${error.message} (line ${error.line}, column ${error.column})`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
