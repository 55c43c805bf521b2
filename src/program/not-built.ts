/** Keys and kinds of the original that are known, but not built yet: each program lists its own. */
import type { Rule } from '../config/load.ts';
import type { KeyPath } from '../config/problem.ts';
import { asMap } from './config-tree.ts';

/**
 * A row is a warning, and the program starts, unless `refuse` says that ignoring the key would weaken security or lose
 * routing. A place is the end of a key's path: indices are left out, and entries of a static `configs` count as the client
 * or service they belong to.
 */
export interface NotBuilt {
  /** Where it stands, from a key's name on: `servers[].tls` is every router's. */
  readonly at: string;
  /** The `kind` (or `protocol`) that is not built; without it, the key is not. */
  readonly kind?: string;
  readonly refuse?: true;
  /** What the user gets instead. */
  readonly consequence: string;
  /** Values that ask for nothing more than what happens anyway. */
  readonly harmless?: (value: unknown) => boolean;
}

export const refused = (at: string, kinds: readonly string[], consequence: string): NotBuilt[] =>
  kinds.map((kind) => ({ at, kind, refuse: true, consequence }));

export const warned = (at: string, kinds: readonly string[], consequence: string): NotBuilt[] =>
  kinds.map((kind) => ({ at, kind, consequence }));

/** The kinds of a section that are not built: they are known by name, and their keys are not looked at. */
export function unreadKinds(rows: readonly NotBuilt[], at: string): string[] {
  return rows.flatMap((row) => (row.at === at && row.kind !== undefined ? [row.kind] : []));
}

/** Says what each key or kind that is not built yet means for the user. */
export function builtOnly(rows: readonly NotBuilt[]): Rule {
  return (root, report) => {
    const visit = (value: unknown, path: KeyPath, place: string): void => {
      const row = rows.find((candidate) => applies(candidate, place, value));
      if (row !== undefined) {
        const discriminator = place === 'routers[]' ? 'protocol' : 'kind';
        const message = row.kind === undefined ? 'known but not built yet' : `${row.kind} is known but not built yet`;
        report({
          severity: row.refuse === true ? 'error' : 'warning',
          path: row.kind === undefined ? path : [...path, discriminator],
          at: row.kind === undefined ? 'key' : 'value',
          message: `${message}: ${row.consequence}`,
        });
        return;
      }
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) visit(item, [...path, index], `${place}[]`);
      } else {
        for (const [key, item] of Object.entries(asMap(value))) {
          visit(item, [...path, key], place === '' ? key : `${place}.${key}`);
        }
      }
    };
    visit(root, [], '');
  };
}

function applies(row: NotBuilt, place: string, value: unknown): boolean {
  const { at, kind, harmless } = row;
  const plain = place.replace('.configs[]', '').replace(/\.identifier\[\]$/, '.identifier');
  if (plain !== at && !plain.endsWith(`.${at}`)) return false;
  if (kind !== undefined) {
    const map = asMap(value);
    return (map['kind'] ?? map['protocol']) === kind;
  }
  return harmless?.(value) !== true;
}
