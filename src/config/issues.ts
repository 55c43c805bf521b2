/**
 * Runs a schema over a config tree and says in people's words what it found: the only file that knows the shape of the
 * schema library's issues.
 */
import { isDeepStrictEqual } from 'node:util';
import type { z as Zod } from 'zod';
import { type KeyPath, suggest } from './problem.ts';
import { show } from './scalars.ts';

/** A problem that has the path of a key, but no place in the file yet. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
  /** `error` when left out. */
  readonly severity?: 'error' | 'warning';
  /** Whether the key or its value is the trouble; `value` when left out. */
  readonly at?: 'key' | 'value';
  /** The word that was written where one of `allowed` belongs. */
  readonly word?: string;
  readonly allowed?: readonly string[];
  /** A place inside the value, for a text that has lines of its own. */
  readonly text?: { readonly line: number; readonly column: number };
}

type ExplainUnknownKey = (path: KeyPath, allowed: readonly string[]) => string | undefined;

/** The validated config (absent when the schema refused it) and what the schema found. */
export function findIssues<Config>(
  schema: Zod.ZodType<Config>,
  root: unknown,
  explainUnknownKey: ExplainUnknownKey = () => undefined,
): { readonly config?: { readonly value: Config }; readonly findings: Finding[] } {
  // A finished issue no longer knows its schema, so the keys a map may have are noted, by the issue's own list of unknown
  // keys, while the message is made; so are the kinds of a section, by the issue's list of what they said.
  const allowedKeys = new WeakMap<readonly string[], readonly string[]>();
  const kinds = new WeakMap<readonly unknown[], readonly Zod.ZodObject[]>();
  const parse = <Value>(part: Zod.ZodType<Value>, value: unknown) =>
    part.safeParse(value, {
      error: (issue) => {
        const { shape } = (issue.inst as Zod.ZodObject | undefined)?.def ?? {};
        if (issue.code === 'unrecognized_keys' && shape !== undefined) allowedKeys.set(issue.keys, Object.keys(shape));
        if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
          kinds.set(issue.errors, (issue.inst as Zod.ZodDiscriminatedUnion<Zod.ZodObject[]>).def.options);
        }
        return describe(issue as RawIssue);
      },
    });

  const finding = (issue: Zod.core.$ZodIssue, around: KeyPath): Finding[] => {
    const path = [...around, ...(issue.path as KeyPath)];
    const { message } = issue;
    switch (issue.code) {
      case 'unrecognized_keys': {
        const allowed = allowedKeys.get(issue.keys) ?? [];
        return issue.keys.map((key) => unknownKey([...path, key], key, allowed, explainUnknownKey));
      }
      case 'invalid_union': {
        if (issue.discriminator !== undefined) {
          const wrong = wrongKind(path, valueAt(root, path), issue);
          return [wrong, ...wrongForEveryKind(wrong, kinds.get(issue.errors) ?? [])];
        }
        // Of alternatives, the one whose outer shape is right is meant.
        const meant = issue.errors.find((errors) =>
          errors.every(({ path, code }) => path.length > 0 || code !== 'invalid_type'),
        );
        if (meant !== undefined) return meant.flatMap((inner) => finding(inner, path));
        return [{ path, message: `must be a map of keys or a list of them, but is ${show(valueAt(root, path))}` }];
      }
      case 'invalid_value':
        return [{ path, message, word: String(valueAt(root, path)), allowed: issue.values.map(String) }];
      case 'custom': {
        const { line, column } = (issue.params ?? {}) as { readonly line?: number; readonly column?: number };
        return [
          line === undefined || column === undefined ? { path, message } : { path, message, text: { line, column } },
        ];
      }
      default:
        return [{ path, message }];
    }
  };
  const findingsOf = (part: Zod.ZodType, value: unknown, around: KeyPath): Finding[] =>
    parse(part, value).error?.issues.flatMap((issue) => finding(issue, around)) ?? [];

  /** What else is wrong in a section whose kind is unknown: what all kinds agree on that have the key. */
  const wrongForEveryKind = ({ path, word = '', allowed = [] }: Finding, all: readonly Zod.ZodObject[]): Finding[] => {
    const discriminator = String(path.at(-1));
    const around = path.slice(0, -1);
    const section = valueAt(root, around) as Readonly<Record<string, unknown>>;
    const meant = suggest(word, allowed);
    const candidates = all.filter((kind) => meant === undefined || !isWrong(kind.shape[discriminator], meant));
    const read = candidates.filter(({ def }) => def.catchall?._zod.def.type === 'never').map(({ shape }) => shape);
    // A kind that is known by name only may have any key. Protocols share nearly all keys of a router.
    const unread = candidates.length > read.length && discriminator === 'kind';
    if (read.length === 0) return [];

    const known = new Set(read.flatMap((shape) => Object.keys(shape)));
    return [...new Set([...known, ...Object.keys(section)])].flatMap((key) => {
      const owners = read.filter((shape) => key in shape);
      if (key === discriminator || (!(key in section) && owners.length < read.length)) return [];
      const keyPath = [...around, key];
      if (owners.length === 0) return unread ? [] : [unknownKey(keyPath, key, [...known], explainUnknownKey)];
      const [first = [], ...others] = owners.map((shape) =>
        findingsOf(shape[key] as Zod.ZodType, section[key], keyPath),
      );
      return first.filter((one) => others.every((other) => other.some((another) => isDeepStrictEqual(one, another))));
    });
  };

  const result = parse(schema, root);
  if (result.success) return { config: { value: result.data }, findings: [] };
  return { findings: result.error.issues.flatMap((issue) => finding(issue, [])) };
}

const isWrong = (schema: unknown, value: unknown): boolean => !(schema as Zod.ZodType).safeParse(value).success;

type RawIssue = { readonly code: string; readonly input?: unknown; readonly expected?: string };

const nouns: Readonly<Record<string, string>> = { object: 'a map of keys', array: 'a list (items start with "- ")' };

/** The message of an issue that no scalar has described itself. */
function describe({ code, input, expected }: RawIssue): string | undefined {
  if (input === undefined && code === 'invalid_type') return 'missing; add it';
  if (code !== 'invalid_type') return undefined;
  return `must be ${nouns[expected ?? ''] ?? expected}, but is ${show(input)}`;
}

function unknownKey(path: KeyPath, key: string, allowed: readonly string[], explain: ExplainUnknownKey): Finding {
  const explained = explain(path, allowed);
  if (explained !== undefined) return { path, at: 'key', message: explained };
  return { path, at: 'key', message: 'unknown key', word: key, allowed };
}

function wrongKind(path: KeyPath, value: unknown, issue: Zod.core.$ZodIssueInvalidUnion): Finding {
  const { discriminator, options = [] } = issue as { discriminator?: string; options?: readonly unknown[] };
  const allowed = options.filter((option) => option !== undefined).map(String);
  if (value === undefined) return { path, message: `missing; say which ${discriminator}`, allowed };
  return { path, message: `unknown ${discriminator} ${show(value)}`, word: String(value), allowed };
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const step of path) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return value;
}
