/**
 * The files of `dtab test`. A line is an expectation, entries of a dtab, or a comment:
 *
 *     /svc => /host ;                                        an entry, added to the dtab that is tested
 *     /svc/web -> /#/io.l5d.fs/web                           the name that a path is bound to
 *     /svc/web -> 9 * /#/io.l5d.fs/v1 & 1 * /#/io.l5d.fs/v2  by weight
 *     /svc/web -> /#/io.l5d.fs/v1 | /#/io.l5d.fs/v2          either of them
 *     /svc/web [/host/web => /srv/v2] -> /#/io.l5d.fs/v2     with an override, as a request's l5d-dtab header
 *     /svc/nobody -> ~                                       not bound; ! fails, $ is bound to nothing
 */
import type { BoundJson } from '../../src/naming/delegate-json.ts';
import { Dtab, parseTree } from '../../src/naming/dtab.ts';
import { type NameTree, simplify, type Weighted } from '../../src/naming/name-tree.ts';
import { ParseError } from '../../src/naming/parse-error.ts';
import { Path } from '../../src/naming/path.ts';
import { excerpt, reasonOf } from './excerpt.ts';
import { ExitCode, Failure } from './failure.ts';

export interface Expectation {
  /** From 1. */
  readonly line: number;
  readonly path: Path;
  readonly override: Dtab;
  readonly expected: NameTree<Path>;
}

export interface TestFile {
  /** Added to the dtab that is tested. */
  readonly entries: Dtab;
  readonly expectations: readonly Expectation[];
}

const EXPECTATION = /^\s*(\/[^\s[>]*?)\s*(?:\[([^\]]*)\])?\s*->\s*(.+)$/d;

/** Throws Failure, with the place, for a line that can't be read. */
export function parseTestFile(file: string, text: string): TestFile {
  const expectations: Expectation[] = [];
  let entries = Dtab.empty;
  const lines = text.split('\n');
  for (const [index, raw] of lines.entries()) {
    const fail = (column: number, reason: string): never => {
      const place = `${file}:${index + 1}:${column}`;
      const hint = `${place}: ${reason}\n${excerpt(text, index + 1, column)}`;
      throw new Failure('the test file cannot be read', ExitCode.usage, { hint });
    };
    const read = <T>(parse: (part: string) => T, part: string, offset: number): T => {
      try {
        return parse(part);
      } catch (error) {
        if (error instanceof ParseError) fail(offset + error.column, reasonOf(error));
        throw error;
      }
    };
    // As in a dtab, a # that follows no blank belongs to a name.
    const line = raw.replace(/(^|\s)#.*$/, '').trimEnd();
    const match = EXPECTATION.exec(line);
    if (match !== null) {
      const [, path = '', override = '', expected = ''] = match;
      const [, pathAt, overrideAt, expectedAt] = match.indices ?? [];
      expectations.push({
        line: index + 1,
        path: read(Path.parse, path, pathAt?.[0] ?? 0),
        override: read(Dtab.parse, override, overrideAt?.[0] ?? 0),
        expected: simplify(read(parseTree, expected, expectedAt?.[0] ?? 0)),
      });
    } else if (line.includes('=>')) {
      entries = entries.concat(read(Dtab.parse, line, 0));
    } else if (line !== '') {
      fail(1, 'write an expectation, /path -> /name, or an entry, /prefix => /name ;');
    }
  }
  return { entries, expectations };
}

/** Whether what a path is bound to is what is expected. Weights count as shares; a name may be written with its residual. */
export function meets(actual: NameTree<BoundJson>, expected: NameTree<Path>): boolean {
  if (expected.type === 'alt') return expected.trees.some((tree) => meets(actual, tree));
  if (actual.type === 'leaf' && expected.type === 'leaf') {
    const { id, path } = actual.value;
    const name = expected.value.show();
    return name === id || name === id + (path === '/' ? '' : path);
  }
  if (actual.type === 'union' && expected.type === 'union') return sameShares(actual.trees, expected.trees);
  return actual.type === expected.type;
}

const SHARE_TOLERANCE = 1e-6;

function sameShares(actual: readonly Weighted<BoundJson>[], expected: readonly Weighted<Path>[]): boolean {
  if (actual.length !== expected.length) return false;
  const left = [...actual];
  return expected.every(({ weight, tree }) => {
    const share = weight / total(expected);
    const found = left.findIndex(
      (branch) => Math.abs(branch.weight / total(actual) - share) < SHARE_TOLERANCE && meets(branch.tree, tree),
    );
    if (found < 0) return false;
    left.splice(found, 1);
    return true;
  });
}

function total(branches: readonly Weighted<unknown>[]): number {
  return branches.reduce((sum, { weight }) => sum + weight, 0);
}

/** The way that expectations are written. */
export function showBound(tree: NameTree<BoundJson>): string {
  switch (tree.type) {
    case 'leaf':
      return tree.value.id + (tree.value.path === '/' ? '' : tree.value.path);
    case 'union':
      return tree.trees.map(({ weight, tree: branch }) => `${weight} * ${showBound(branch)}`).join(' & ');
    case 'alt':
      return tree.trees.map(showBound).join(' | ');
    case 'neg':
      return '~';
    case 'fail':
      return '!';
    case 'empty':
      return '$';
  }
}
