/**
 * Loading a config: text -> tree -> validated, plain-JSON config, or all that is wrong with it at once.
 *
 * The schema and the rules come from outside (process/ for linkerd.yaml, namerd/ for namerd.yaml); this file knows neither.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { z as Zod } from 'zod';
import * as defaults from './defaults.ts';
import { ConfigDocument, parseDocument, type SyntaxProblem } from './document.ts';
import { type Finding, findIssues } from './issues.ts';
import type { Z } from './kind.ts';
import { type KeyPath, type Problem, showKeyPath, suggest } from './problem.ts';

export interface ConfigSource {
  /** The file as messages name it. */
  readonly name: string;
  readonly text: string;
}

/** Looks at the whole tree, where scalars are still text and nothing is sure to be there, and reports what it finds. */
export type Rule = (root: unknown, report: (finding: Finding) => void) => void;

export interface ConfigLanguage<Config> {
  /** A key that no config goes without. */
  readonly essential: string;
  readonly schema: (z: Z) => Zod.ZodType<Config>;
  /** What the schema can't say: between sections, across the process. They run even when the schema found errors. */
  readonly rules: readonly Rule[];
  /** What to say about an unknown key that once existed or belongs elsewhere. */
  readonly explainUnknownKey?: (path: KeyPath, allowed: readonly string[]) => string | undefined;
  /** What is wrong with a key that is there without a value, if that is not the same as to leave it out. */
  readonly explainEmptyKey?: (path: KeyPath) => string | undefined;
}

export type Loaded<Config> =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Loads a config from its text. */
export async function load<Config>(source: ConfigSource, language: ConfigLanguage<Config>): Promise<Loaded<Config>> {
  const document = await parseDocument(source.text, language.essential);
  if (!(document instanceof ConfigDocument)) {
    return { ok: false, errors: document.map((problem) => syntaxProblem(source.name, problem)), warnings: [] };
  }
  const { z } = await import('zod');
  const schema = language.schema(z);
  const { config, findings } = findIssues(schema, document.root, language.explainUnknownKey);
  if (document.empty.length > 0) findings.push(...unknownEmptyKeys(schema, document, language));
  for (const path of document.empty) {
    const message = language.explainEmptyKey?.(path);
    if (message !== undefined) findings.push({ path, at: 'key', message });
  }
  for (const rule of language.rules) rule(document.root, (finding) => findings.push(finding));
  const problems = unique([
    ...document.duplicates.map((problem) => syntaxProblem(source.name, problem)),
    ...findings.map((finding) => locate(source.name, document, finding)),
  ]);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  if (config === undefined || errors.length > 0) return { ok: false, errors, warnings };
  return { ok: true, config: config.value, warnings };
}

/** A key that is unknown is so without a value, too. */
function unknownEmptyKeys<Config>(
  schema: Zod.ZodType<Config>,
  { written, empty }: ConfigDocument,
  { explainUnknownKey }: ConfigLanguage<Config>,
): Finding[] {
  return findIssues(schema, written, explainUnknownKey).findings.filter(
    ({ path, at }) => at === 'key' && empty.some((each) => isDeepStrictEqual(each, path)),
  );
}

/** Loads a config from a file, or from standard input for `-`. */
export async function loadFile<Config>(path: string, language: ConfigLanguage<Config>): Promise<Loaded<Config>> {
  const source = readSource(path);
  return 'text' in source ? await load(source, language) : { ok: false, errors: [source], warnings: [] };
}

function readSource(path: string): ConfigSource | Problem {
  const name = path === '-' ? '<stdin>' : path;
  const problem = (message: string): Problem => ({ severity: 'error', file: name, path: '', message });
  let descriptor: number;
  try {
    descriptor = path === '-' ? 0 : openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return problem(code === 'ENOENT' ? `config is not a file: ${path}` : `cannot read the config: ${message(error)}`);
  }
  try {
    if (path !== '-' && fstatSync(descriptor).isDirectory()) return problem(`config is not a file: ${path}`);
    const bytes = readAll(descriptor, defaults.maxConfigBytes);
    if (bytes === undefined) return problem(`larger than ${defaults.maxConfigBytes} bytes; this is no config`);
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return problem(error instanceof TypeError ? 'not UTF-8 text' : `cannot read the config: ${message(error)}`);
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** All bytes of a descriptor, or undefined when there are more than `limit`. */
function readAll(descriptor: number, limit: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= limit; ) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const count = readSome(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return undefined;
}

/** One blocking read. A terminal or pipe in non-blocking mode answers EAGAIN while nothing is there: wait and ask again. */
function readSome(descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk, 0, chunk.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

const message = (error: unknown): string => (error as Error).message;

function syntaxProblem(file: string, { message, path = [], line, column }: SyntaxProblem): Problem {
  const problem = { severity: 'error', file, path: showKeyPath(path), message } as const;
  return line === undefined || column === undefined ? problem : { ...problem, line, column };
}

/** Gives a finding its place in the file. */
function locate(file: string, document: ConfigDocument, finding: Finding): Problem {
  const { path, at = 'value', severity = 'error', allowed, word, text } = finding;
  let { message } = finding;
  let place = at === 'key' ? document.keyAt(path) : document.valueAt(path);
  if (text !== undefined) {
    const inside = document.insideText(path, text.line, text.column);
    if (inside === undefined) message += ` (line ${text.line}, column ${text.column} of the text)`;
    else place = inside;
  }
  const suggestion = word === undefined || allowed === undefined ? undefined : suggest(word, allowed);
  return {
    severity,
    file,
    ...place,
    path: showKeyPath(path),
    message,
    ...(allowed === undefined ? {} : { allowed }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** In file order; the schema and a rule, or two aliases of one anchor, may say the same thing twice. */
function unique(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>();
  for (const problem of problems) {
    const { line, column, path, message } = problem;
    const key = JSON.stringify([line, column, path, message]);
    if (!seen.has(key)) seen.set(key, problem);
  }
  return [...seen.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
