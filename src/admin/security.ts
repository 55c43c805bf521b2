/**
 * `admin.security`: which pages are served (reference/admin-http.md section 6). Every path has a category, which can be
 * closed; the lists of patterns are exceptions.
 */
import type { z as Zod } from 'zod';
import type { Z } from '../config/kind.ts';
import { optional } from '../config/kinds.ts';
import * as scalars from '../config/scalars.ts';

const { Script, createContext } = process.getBuiltinModule('node:vm');

export function securitySchema(z: Z) {
  const pattern = scalars.checked(z, 'a regular expression for whole paths, such as /files/.*', problemOf);
  return z.strictObject({
    uiEnabled: optional(scalars.bool(z), 'Whether the pages for people and what they read are served.', true),
    controlEnabled: optional(scalars.bool(z), 'Whether shutdown and log levels are served.', true),
    diagnosticsEnabled: optional(
      scalars.bool(z),
      'Whether everything else is served, ping and metrics included.',
      true,
    ),
    pathWhitelist: optional(z.array(pattern), 'Paths that are served though their category is not.', []),
    pathBlacklist: optional(z.array(pattern), 'Paths that are never served.', []),
  });
}

export type SecurityConfig = Zod.infer<ReturnType<typeof securitySchema>>;

/** Whether a path (without its query) may be served. */
export type PathFilter = (path: string) => boolean;

export function pathFilter(config: SecurityConfig): PathFilter {
  const { uiEnabled = true, controlEnabled = true, diagnosticsEnabled = true } = config;
  const enabled = { ui: uiEnabled, control: controlEnabled, diagnostics: diagnosticsEnabled };
  const isDenied = matcher(config.pathBlacklist ?? [], true);
  const isAllowed = matcher(config.pathWhitelist ?? [], false);
  return (path) => !isDenied(path) && (enabled[categoryOf(path)] || isAllowed(path));
}

const UI =
  /^(\/|\/files\/.*|\/admin\/files\/.*|\/config\.json|\/metrics\.json|\/admin\/metrics(\.json)?|\/delegator(\.json)?|\/logging|\/help)$/;
const CONTROL = /^(\/admin\/shutdown|\/logging\.json)$/;
/** A heap tells all that is secret; a profile stops nothing, but costs. */
const PROFILES = /^\/admin\/pprof\//;

/** Whether a path changes the process or lays it open, for which one needs to be trusted with all of it. */
export function isControl(path: string): boolean {
  return CONTROL.test(path) || PROFILES.test(path);
}

function categoryOf(path: string): 'ui' | 'control' | 'diagnostics' {
  if (UI.test(path)) return 'ui';
  return CONTROL.test(path) ? 'control' : 'diagnostics';
}

/**
 * Time in ms to match one path. The patterns are the user's, but the path is anybody's, and a pattern such as `(a+)+` needs
 * exponential time for the wrong one. vm is what can break a match off.
 */
const MATCH_MS = 50;
const anyMatches = new Script('patterns.some((pattern) => pattern.test(path))');

/** Answers whether one of the patterns matches a whole path; `late` when that can't be told in time. */
function matcher(patterns: readonly string[], late: boolean): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const scope = { patterns: patterns.map(compile), path: '' };
  const context = createContext(scope);
  return (path) => {
    scope.path = path;
    try {
      return anyMatches.runInContext(context, { timeout: MATCH_MS }) as boolean;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return late;
      throw error;
    }
  };
}

function compile(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 's');
}

function problemOf(pattern: string): scalars.TextProblem | undefined {
  try {
    // Alone, so that it cannot close the group that it is put into.
    new RegExp(pattern);
    compile(pattern);
    return undefined;
  } catch (error) {
    return { message: (error as Error).message };
  }
}
