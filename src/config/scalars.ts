/**
 * The scalars of a config, each defined once. A scalar checks and coerces, but keeps the config plain JSON: a path or a
 * dtab stays the text the user wrote, and whoever creates the kind parses it.
 *
 * Config text arrives here as strings (config/document.ts), so that the schema, not YAML, says what `5`, `yes` or `1.10`
 * is. The coercions are those of the original's reader: `"5"` is an int, `yes` and `on` are booleans (YAML 1.1), and a
 * number is a fine label.
 */
import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { z as Zod } from 'zod';
import { Dtab, ParseError, Path } from '../naming/index.ts';
import type { Z } from './kind.ts';

/** The largest int of the original's keys (a Java int). */
const maxInt = 2 ** 31 - 1;

const yes = new Set(['true', 'yes', 'on', 'y']);
const no = new Set(['false', 'no', 'off', 'n']);

/** A boolean from its text, or undefined when it is none. */
export function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  return yes.has(word) ? true : no.has(word) ? false : undefined;
}

/** A whole number from its text (`5`, `-1`, `10_000`, `5.0`), or undefined when it is none. */
export function toInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^[-+]?(0|[1-9]\d*(_\d+)*)(\.0+)?$/.test(value)) return undefined;
  return Number(value.replaceAll('_', ''));
}

/** A number from its text (`0.5`, `.5`, `1e3`), or undefined when it is none. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) return undefined;
  return Number(value);
}

const toText = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;

/** How a message shows a value of the config. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}..."` : text;
}

/** The error text of a scalar: what it must be, and what it is. */
const mustBe = (what: string) => ({
  error: (issue: { readonly input?: unknown }): string =>
    issue.input === undefined ? `missing; add it: ${what}` : `must be ${what}, but is ${show(issue.input)}`,
});

const range = (noun: string, min: number, max: number, open: number): string =>
  max === open ? (min === -open ? noun : `${noun}, ${min} or more`) : `${noun} from ${min} to ${max}`;

/** A whole number; `min` and `max` are inclusive. */
export function int(z: Z, { min = -maxInt, max = maxInt }: { min?: number; max?: number } = {}) {
  const text = mustBe(range('a whole number', min, max, maxInt));
  return z.preprocess((value) => toInteger(value) ?? value, z.int(text).min(min, text).max(max, text));
}

/** A number with or without a fraction; `min` and `max` are inclusive. */
export function num(z: Z, { min = -Number.MAX_VALUE, max = Number.MAX_VALUE }: { min?: number; max?: number } = {}) {
  const text = mustBe(range('a number', min, max, Number.MAX_VALUE));
  return z.preprocess((value) => toNumber(value) ?? value, z.number(text).min(min, text).max(max, text));
}

/** `true` or `false`; `yes`, `no`, `on` and `off` count, as in YAML 1.1. */
export function bool(z: Z) {
  return z.preprocess((value) => toBoolean(value) ?? value, z.boolean(mustBe('true or false')));
}

/** Any text; a number or a boolean counts as its own text. */
export function string(z: Z) {
  return z.preprocess(toText, z.string(mustBe('text')));
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(z: Z, words: Words) {
  return z.preprocess(toText, z.enum(words, mustBe(`one of ${words.join(', ')}`)));
}

/** A TCP port to listen on, where 0 takes a free one, or to connect to. */
export function port(z: Z) {
  const text = mustBe('a port number from 0 to 65535');
  return z.preprocess((value) => toInteger(value) ?? value, z.int(text).min(0, text).max(65535, text));
}

/** A time in milliseconds. */
export function durationMs(z: Z) {
  const text = mustBe('a time in milliseconds, 0 or more');
  return z.preprocess((value) => toInteger(value) ?? value, z.int(text).min(0, text).max(maxInt, text));
}

/** A time in seconds. */
export function durationSecs(z: Z) {
  const text = mustBe('a time in seconds, 0 or more');
  return z.preprocess((value) => toInteger(value) ?? value, z.int(text).min(0, text).max(maxInt, text));
}

/**
 * An IPv4 or IPv6 address. The original's reader resolves host names as well; here `localhost` alone is one, since what another
 * stands for would depend on when it is asked.
 */
export function ip(z: Z) {
  const address = checked(z, 'an IP address', (text) =>
    isIP(text) === 0 ? { message: `${show(text)} is not an IP address; write one such as 127.0.0.1 or ::` } : undefined,
  );
  return z.preprocess((value) => (value === 'localhost' ? '127.0.0.1' : value), address);
}

/** The name of a header field (RFC 9110 section 5.1: a token). */
export function headerName(z: Z) {
  return checked(z, 'a header name', (text) =>
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text) ? undefined : { message: `${show(text)} is not a header name` },
  );
}

/** A directory that exists. */
export function directory(z: Z) {
  return checked(z, 'a directory', (text) => place(text, 'directory'));
}

/** A file that exists. */
export function file(z: Z) {
  return checked(z, 'a file', (text) => place(text, 'file'));
}

/** A path such as `/svc/web`. */
export function path(z: Z) {
  return checked(z, 'a path such as /svc/web', (text) => parsed(text, Path.parse, 'path'));
}

/** A dtab such as `/svc => /#/io.l5d.fs;`. */
export function dtab(z: Z) {
  return checked(z, 'a dtab such as "/svc => /#/io.l5d.fs;"', (text) => parsed(text, Dtab.parse, 'dtab'));
}

/** One object, or a list of them. */
export function oneOrMany<One>(z: Z, one: Zod.ZodType<One>, many: Zod.ZodType<One[]>): Zod.ZodType<One | One[]> {
  return z.union([one, many]);
}

/**
 * What is wrong with a text. `line` and `column` (both from 1) point into the text; config/document.ts turns them into a
 * place in the file.
 */
export interface TextProblem {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** Text that `check` accepts by answering undefined. */
export function checked(z: Z, what: string, check: (text: string) => TextProblem | undefined) {
  const base = z.string(mustBe(what)).superRefine((text, context) => {
    const problem = check(text);
    if (problem === undefined) return;
    const { message, line, column } = problem;
    context.addIssue({ code: 'custom', message, params: { line, column } });
  });
  return z.preprocess(toText, base) as Zod.ZodPreprocess<Zod.ZodString>;
}

function place(text: string, what: 'directory' | 'file'): TextProblem | undefined {
  const absolute = resolve(text);
  const shown = absolute === text ? show(text) : `${show(text)} (${absolute})`;
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (stat === undefined) return { message: `${what} ${shown} does not exist; create it or correct the key` };
  const fits = what === 'directory' ? stat.isDirectory() : stat.isFile();
  return fits ? undefined : { message: `${shown} is not a ${what}` };
}

/** Runs a parser of naming/ and turns its error into a place in the text. */
export function parsed(text: string, parse: (text: string) => unknown, what: string): TextProblem | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const { line, column, expected, found } = error;
    // Whoever starts a new line has most likely forgotten to end the dentry before it.
    const atLineStart = line > 1 && /^\s*$/.test((text.split('\n')[line - 1] ?? '').slice(0, column - 1));
    const hint = what === 'dtab' && atLineStart ? '; is a `;` missing at the end of the dentry above?' : '';
    return { message: `not a ${what}: ${expected} expected but ${found} found${hint}`, line, column };
  }
}
