/**
 * Config text -> a plain tree and the place of every key and value in the text.
 *
 * The text is YAML, or JSON when its first character is `{`. Every scalar stays the string that was written and the schema
 * decides what it is (config/scalars.ts); only an unquoted null (or nothing at all) is null, and a key whose value is null
 * is left out, as in the original.
 */
import type { LineCounter, Node, Pair, Scalar, YAMLError } from 'yaml';
import * as defaults from './defaults.ts';
import type { KeyPath } from './problem.ts';

type Yaml = typeof import('yaml');

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Something that makes the text no tree: where, and why. */
export interface SyntaxProblem extends Partial<Place> {
  readonly message: string;
  readonly path?: KeyPath;
}

interface Located {
  /** Offset of the key, for the members of a map. */
  readonly key?: number;
  readonly node: Node;
}

export class ConfigDocument {
  readonly #text: string;
  readonly #lines: LineCounter;
  readonly #located: ReadonlyMap<string, Located>;
  readonly root: unknown;
  /** The same with its keys without a value, which are undefined in it. */
  readonly written: unknown;
  /** Keys that are there twice; the tree has the first. */
  readonly duplicates: readonly SyntaxProblem[];
  /** Keys without a value, which `root` leaves out. */
  readonly empty: readonly KeyPath[];

  constructor(
    text: string,
    lines: LineCounter,
    { located, duplicates, empty }: Pick<TreeReader, 'located' | 'duplicates' | 'empty'>,
    written: unknown,
  ) {
    this.#text = text;
    this.#lines = lines;
    this.#located = located;
    this.duplicates = duplicates;
    this.empty = empty;
    this.written = written;
    this.root = empty.length === 0 ? written : withoutEmpty(written);
  }

  /** The place of a value; of the nearest value around it when there is none at this path. */
  valueAt(path: KeyPath): Place {
    return this.#place(this.#find(path)?.node.range?.[0] ?? 0);
  }

  /** The place of a key of a map, or of an item of a list. */
  keyAt(path: KeyPath): Place {
    const found = this.#find(path);
    return this.#place(found?.key ?? found?.node.range?.[0] ?? 0);
  }

  /**
   * The place of a line and column (from 1) inside a text value. Undefined where the text in the file is not what the value
   * says (a folded block, escapes, several plain lines).
   */
  insideText(path: KeyPath, line: number, column: number): Place | undefined {
    const node = this.#located.get(JSON.stringify(path))?.node as Scalar | undefined;
    if (node?.range === undefined || node.range === null || typeof node.value !== 'string') return undefined;
    const [start, end] = node.range;
    if (node.type === 'BLOCK_LITERAL') {
      const block = this.#text.slice(start, end).split('\n');
      const indent =
        block
          .slice(1)
          .find((text) => text.trim() !== '')
          ?.search(/\S/) ?? 0;
      // The value's first line may itself begin with blanks only under an explicit indent (`|2`), which stands in the header.
      const explicit = /^[|>][-+]?(\d)/.exec(block[0]!);
      if (explicit !== null) return undefined;
      return { line: this.#place(start).line + line, column: indent + column };
    }
    const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE';
    const written = quoted ? this.#text.slice(start + 1, end - 1) : this.#text.slice(start, end);
    if (written !== node.value || line !== 1) return undefined;
    return this.#place(start + (quoted ? 1 : 0) + column - 1);
  }

  #find(path: KeyPath): Located | undefined {
    for (let length = path.length; length >= 0; length--) {
      const found = this.#located.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

const tooDeep: SyntaxProblem = { message: `maps and lists are nested more than ${defaults.maxConfigDepth} deep` };

/** Parses a config's text; on a syntax error, answers the errors instead. `essential` is a key that no config goes without. */
export async function parseDocument(
  text: string,
  essential: string,
): Promise<ConfigDocument | readonly SyntaxProblem[]> {
  const yaml = await import('yaml');
  const json = /^[\s\uFEFF]*\{/.test(text);
  if (json) {
    const problem = jsonProblem(text);
    if (problem !== undefined) return [problem];
  }
  // JSON may be indented with tabs, YAML may not; a tab inside a JSON string is written \t, so the places stay the same.
  const source = json ? text.replaceAll('\t', ' ') : text;
  const lineCounter = new yaml.LineCounter();
  let document: ReturnType<Yaml['parseDocument']>;
  try {
    document = yaml.parseDocument(source, {
      schema: 'failsafe',
      lineCounter,
      prettyErrors: false,
      strict: true,
      uniqueKeys: false,
      logLevel: 'error',
    });
  } catch (error) {
    // The parser is recursive; a tower of brackets ends its stack.
    if (error instanceof RangeError) return [tooDeep];
    throw error;
  }
  if (document.errors.some((error) => /stack/i.test(error.message))) return [tooDeep];
  if (document.errors.length > 0) {
    // One slip makes the parser stumble over all that follows; the first few say it.
    return document.errors.slice(0, 5).map((error) => yamlProblem(error, lineCounter));
  }
  if (document.contents === null || isNull(yaml, document.contents)) {
    return [{ message: `the config is empty; it needs at least \`${essential}:\``, line: 1, column: 1 }];
  }
  const reader = new TreeReader(yaml, lineCounter);
  const root = reader.read(document.contents as Node, []);
  if (reader.problems.length > 0) return reader.problems;
  return new ConfigDocument(source, lineCounter, reader, root);
}

/** A copy of a tree that leaves out keys without a value. */
function withoutEmpty(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(withoutEmpty);
  if (typeof tree !== 'object' || tree === null) return tree;
  const map: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(tree)) if (value !== undefined) map[key] = withoutEmpty(value);
  return map;
}

/** Walks the nodes of a document once: plain values out, places and duplicate keys noted on the way. */
class TreeReader {
  readonly located = new Map<string, Located>();
  /** Why there is no tree. */
  readonly problems: SyntaxProblem[] = [];
  readonly duplicates: SyntaxProblem[] = [];
  readonly empty: KeyPath[] = [];
  readonly #yaml: Yaml;
  readonly #lines: LineCounter;
  /** What each anchor stands for at this point of the text; a later anchor of the same name replaces an earlier one. */
  readonly #anchors = new Map<string, Node>();
  #expanding = 0;
  #values = 0;

  constructor(yaml: Yaml, lines: LineCounter) {
    this.#yaml = yaml;
    this.#lines = lines;
  }

  read(node: Node, path: KeyPath, key?: number): unknown {
    if (!this.#yaml.isAlias(node)) return this.#readNode(node, path, key);
    const target = this.#anchors.get(node.source);
    if (target === undefined) return this.#fail(node, path, `*${node.source} names no anchor above it`);
    this.#expanding++;
    const value = this.#readNode(target, path, key);
    this.#expanding--;
    return value;
  }

  #readNode(node: Node, path: KeyPath, key?: number): unknown {
    const yaml = this.#yaml;
    if (++this.#values > defaults.maxConfigValues) {
      if (this.#values > defaults.maxConfigValues + 1) return undefined;
      return this.#fail(node, [], `more than ${defaults.maxConfigValues} values after aliases are expanded`);
    }
    if (path.length > defaults.maxConfigDepth) return this.#fail(node, [], tooDeep.message);
    this.located.set(JSON.stringify(path), key === undefined ? { node } : { key, node });
    const anchor = (node as Scalar).anchor;
    if (anchor !== undefined && this.#expanding === 0) this.#anchors.set(anchor, node);
    if (yaml.isSeq(node)) return node.items.map((item, index) => this.read(item as Node, [...path, index]));
    if (yaml.isMap(node)) return this.#readMap(node.items as Pair<Node, Node | null>[], path);
    return isNull(yaml, node) ? null : String((node as Scalar).value);
  }

  #readMap(pairs: readonly Pair<Node, Node | null>[], path: KeyPath): Record<string, unknown> {
    // No prototype: a key named __proto__ is a key like any other (and is then unknown to the schema).
    const map: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, number>();
    for (const { key, value } of pairs) {
      if (!this.#yaml.isScalar(key)) {
        this.#fail(key, path, 'a key must be a plain word');
        continue;
      }
      const name = String(key.value);
      const offset = key.range?.[0] ?? 0;
      const first = seen.get(name);
      if (first !== undefined) {
        const message = `duplicate key, first at line ${this.#lines.linePos(first).line}; keep one`;
        this.duplicates.push({ message, path: [...path, name], ...this.#placeOf(key) });
        continue;
      }
      seen.set(name, offset);
      const plain = value === null ? null : this.read(value, [...path, name], offset);
      if (plain === null) this.empty.push([...path, name]);
      map[name] = plain ?? undefined;
    }
    return map;
  }

  #fail(node: Node, path: KeyPath, message: string): undefined {
    this.problems.push({ message, path, ...this.#placeOf(node) });
    return undefined;
  }

  #placeOf(node: Node): Place {
    const { line, col } = this.#lines.linePos(node.range?.[0] ?? 0);
    return { line, column: col };
  }
}

const nulls = new Set(['', '~', 'null', 'Null', 'NULL']);

function isNull(yaml: Yaml, node: unknown): boolean {
  return (
    yaml.isScalar(node) && (node.type === undefined || node.type === 'PLAIN') && nulls.has(String(node.value ?? ''))
  );
}

function yamlProblem(error: YAMLError, lines: LineCounter): SyntaxProblem {
  const { line, col } = lines.linePos(error.pos[0]);
  const message =
    error.code === 'MULTIPLE_DOCS'
      ? 'a second document begins here; a config is one document'
      : error.code === 'TAB_AS_INDENT'
        ? 'a tab indents this line; indent with spaces'
        : error.message.replace(/\.$/, '');
  return { message: `not YAML: ${message}`, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** JSON is stricter than the YAML that contains it. */
function jsonProblem(text: string): SyntaxProblem | undefined {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return undefined;
  } catch (error) {
    const message = (error as SyntaxError).message;
    const position = /at position (\d+)/.exec(message);
    const offset = position === null ? text.trimEnd().length : Number(position[1]);
    const before = text.slice(0, offset).split('\n');
    const reason = message.replace(/ (in JSON )?at position .*$/, '').replace(/ in JSON$/, '');
    return {
      message: `not JSON: ${reason} (a config that begins with "{" is read as JSON)`,
      line: before.length,
      column: before.at(-1)!.length + 1,
    };
  }
}
