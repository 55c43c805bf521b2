/**
 * The config file: `.namerctl.<ext>` in the current folder or the nearest one above it that has one. It holds a few settings, so
 * only YAML, which may be written in many ways, needs a library; it is loaded when there is such a file.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';

/** Settings by name, in lower case; values as text. */
export type ConfigValues = ReadonlyMap<string, string>;

export interface ConfigFile {
  /** Undefined: there is none. */
  readonly path: string | undefined;
  readonly values: ConfigValues;
  /** Why the file cannot be used. */
  readonly problem?: string;
}

/** In the order in which the original tries them within a folder. */
export const EXTENSIONS = ['json', 'toml', 'yaml', 'yml', 'properties', 'props', 'prop', 'hcl'] as const;

/** @param given the file that `--config` names; without it the file is searched for. */
export async function readConfigFile(given?: string): Promise<ConfigFile> {
  const path = given ?? findConfigFile(startFolder());
  if (path === undefined) return { path, values: new Map() };
  try {
    return { path, values: await parse(readFileSync(path, 'utf8'), extname(path).slice(1)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EISDIR' ? 'it is a directory' : code === 'ENOENT' ? 'no such file' : message;
    return { path, values: new Map(), problem: `cannot use the config file ${path}: ${reason}` };
  }
}

/**
 * Where the search begins: the current folder by the name that the user reached it by, which decides what is above it. `PWD` may be
 * left over from elsewhere (the original follows it all the same).
 */
export function startFolder(): string {
  const named = process.env['PWD'];
  const actual = process.cwd();
  if (named === undefined || !named.startsWith('/')) return actual;
  try {
    return realpathSync(named) === realpathSync(actual) ? named : actual;
  } catch {
    return actual;
  }
}

function findConfigFile(folder: string): string | undefined {
  const found = EXTENSIONS.map((extension) => join(folder, `.namerctl.${extension}`)).find((path) => existsSync(path));
  const above = dirname(folder);
  return found ?? (above === folder ? undefined : findConfigFile(above));
}

async function parse(text: string, extension: string): Promise<ConfigValues> {
  switch (extension) {
    case 'json':
      return flat(JSON.parse(text));
    case 'toml':
    case 'properties':
    case 'props':
    case 'prop':
    case 'hcl':
      return assignments(text);
    default: {
      const { parse: parseYaml } = await import('yaml');
      return flat(parseYaml(text));
    }
  }
}

function flat(document: unknown): ConfigValues {
  if (document === null || document === undefined) return new Map();
  if (typeof document !== 'object' || Array.isArray(document)) throw new Error('it must hold "key: value" pairs');
  return new Map(Object.entries(document).map(([key, value]) => [key.toLowerCase(), String(value ?? '')]));
}

const ASSIGNMENT = /^"?([\w.-]+)"?\s*[=:]\s*(?:(["'])(.*?)\2\s*(?:#.*)?|(.*?))$/;

/** `key = value`, or `key: value` as property files may have it; values may be quoted. */
function assignments(text: string): ConfigValues {
  const values = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || /^(#|!|\/\/)/.test(line)) continue;
    const [, key, , quoted, plain = ''] = ASSIGNMENT.exec(line) ?? [];
    if (key === undefined) throw new Error(`line ${index + 1} is not "key = value": ${line}`);
    values.set(key.toLowerCase(), quoted ?? plain);
  }
  return values;
}

/** For messages: where a config file was looked for. */
export function searchedFolder(): string {
  return resolve(startFolder());
}
