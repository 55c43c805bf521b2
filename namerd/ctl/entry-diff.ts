/** What changed between two dtabs, entry by entry. The order of entries counts, so this is a diff of lists. */
import type { Colours } from './colours.ts';

export interface DiffLine {
  readonly op: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Beyond so many pairs to compare, a table of them would take too much memory: all is then removed and added. */
const MAX_PAIRS = 4_000_000;

/** The shortest edit from `before` to `after`, removals before additions. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  const start = commonStart(before, after);
  const end = commonStart(before.slice(start).reverse(), after.slice(start).reverse());
  const a = before.slice(start, before.length - end);
  const b = after.slice(start, after.length - end);
  const lines = (op: DiffLine['op'], texts: readonly string[]): DiffLine[] => texts.map((text) => ({ op, text }));
  const changed = a.length * b.length > MAX_PAIRS ? [...lines('removed', a), ...lines('added', b)] : edit(a, b);
  return [...lines('same', before.slice(0, start)), ...changed, ...lines('same', before.slice(before.length - end))];
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function edit(a: readonly string[], b: readonly string[]): DiffLine[] {
  const lengths = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ op: 'same', text: a[i++]! });
      j++;
    } else if (j === b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      lines.push({ op: 'removed', text: a[i++]! });
    } else {
      lines.push({ op: 'added', text: b[j++]! });
    }
  }
  return lines;
}

/** [i][j]: the length of the longest common subsequence of a from i and b from j. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i]!;
    const below = lengths[i + 1]!;
    for (let j = b.length - 1; j >= 0; j--)
      row[j] = a[i] === b[j] ? below[j + 1]! + 1 : Math.max(below[j]!, row[j + 1]!);
  }
  return lengths;
}

/** Lines around a change that are shown with it. */
const CONTEXT_LINES = 3;
const SIGNS = { same: ' ', removed: '-', added: '+' } as const;

/** For people: each line with its sign; long stretches without a change are left out. */
export function showDiff(diff: readonly DiffLine[], { good, bad, faint }: Colours): string[] {
  const paint = { same: faint, removed: bad, added: good };
  const shown: string[] = [];
  let skipped = 0;
  for (const [index, { op, text }] of diff.entries()) {
    const around = diff.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1);
    if (around.every((line) => line.op === 'same')) {
      skipped++;
      continue;
    }
    if (skipped > 0) shown.push(faint(`  ... ${skipped} unchanged`));
    skipped = 0;
    shown.push(paint[op](`${SIGNS[op]}${text}`));
  }
  return shown;
}
