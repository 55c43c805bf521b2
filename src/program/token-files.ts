/** The rule that says what is wrong with files of bearer tokens. It warns: the program starts, and the files are watched. */
import { readFileSync } from 'node:fs';
import type { Rule } from '../config/load.ts';
import type { KeyPath } from '../config/problem.ts';
import { parseTokens } from '../control-http/auth/index.ts';
import { asList, asMap, asText, type ConfigMap } from './config-tree.ts';

export const usableTokens: Rule = (root, report) => {
  for (const [section, path] of sections(asMap(root))) {
    const file = asText(asMap(section['auth'])['tokensPath']);
    if (file === undefined) continue;
    const message = problemOf(file);
    if (message !== undefined) report({ severity: 'warning', path: [...path, 'auth', 'tokensPath'], message });
  }
};

/** What may have `auth`, and where it stands. */
function* sections(root: ConfigMap): Generator<readonly [ConfigMap, KeyPath]> {
  yield [asMap(root['admin']), ['admin']];
  for (const [index, config] of asList(root['interfaces']).entries()) yield [asMap(config), ['interfaces', index]];
}

function problemOf(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // The schema says so.
    return undefined;
  }
  const { tokens, problems } = parseTokens(text);
  if (problems.length > 0) return `${file}: ${problems.join('; ')}`;
  return tokens.size === 0 ? `${file} has no token, so it lets nobody in` : undefined;
}
