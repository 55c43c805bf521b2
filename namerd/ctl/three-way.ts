/** Puts two changes of one list of lines together; where both changed the same lines, all three versions are shown. */
import { diffLines } from './entry-diff.ts';

export interface Merged {
  readonly lines: readonly string[];
  /** Places that somebody has to decide about. */
  readonly conflicts: number;
}

export interface MergeNames {
  readonly mine: string;
  readonly base: string;
  readonly theirs: string;
}

/** Lines [start, end) of the base become `lines`. */
interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

export function mergeThreeWay(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
  names: MergeNames,
): Merged {
  const merged: string[] = [];
  let conflicts = 0;
  let at = 0;
  for (const [start, end, ours, others] of regions(hunksOf(base, mine), hunksOf(base, theirs))) {
    merged.push(...base.slice(at, start));
    const original = base.slice(start, end);
    const myLines = applied(base, start, end, ours);
    const theirLines = applied(base, start, end, others);
    if (others.length === 0 || sameLines(myLines, theirLines)) merged.push(...myLines);
    else if (ours.length === 0) merged.push(...theirLines);
    else {
      conflicts++;
      merged.push(
        `<<<<<<< ${names.mine}`,
        ...myLines,
        `||||||| ${names.base}`,
        ...original,
        '=======',
        ...theirLines,
        `>>>>>>> ${names.theirs}`,
      );
    }
    at = end;
  }
  merged.push(...base.slice(at));
  return { lines: merged, conflicts };
}

function hunksOf(base: readonly string[], changed: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: { start: number; end: number; lines: string[] } | undefined;
  for (const { op, text } of diffLines(base, changed)) {
    if (op === 'same') {
      if (open !== undefined) hunks.push(open);
      open = undefined;
      at++;
      continue;
    }
    open ??= { start: at, end: at, lines: [] };
    if (op === 'removed') open.end = ++at;
    else open.lines.push(text);
  }
  if (open !== undefined) hunks.push(open);
  return hunks;
}

type Region = readonly [start: number, end: number, mine: readonly Hunk[], theirs: readonly Hunk[]];

/** The hunks of both sides, those that touch put together. */
function regions(mine: readonly Hunk[], theirs: readonly Hunk[]): Region[] {
  const all = [...mine.map((hunk) => ({ hunk, isMine: true })), ...theirs.map((hunk) => ({ hunk, isMine: false }))];
  all.sort((a, b) => a.hunk.start - b.hunk.start || a.hunk.end - b.hunk.end);
  const found: { start: number; end: number; mine: Hunk[]; theirs: Hunk[] }[] = [];
  for (const { hunk, isMine } of all) {
    const last = found.at(-1);
    const touches = last !== undefined && hunk.start <= last.end;
    const region = touches ? last : { start: hunk.start, end: hunk.end, mine: [], theirs: [] };
    if (!touches) found.push(region);
    region.end = Math.max(region.end, hunk.end);
    (isMine ? region.mine : region.theirs).push(hunk);
  }
  return found.map((region): Region => [region.start, region.end, region.mine, region.theirs]);
}

function applied(base: readonly string[], start: number, end: number, hunks: readonly Hunk[]): string[] {
  const lines: string[] = [];
  let at = start;
  for (const hunk of hunks) {
    lines.push(...base.slice(at, hunk.start), ...hunk.lines);
    at = hunk.end;
  }
  return [...lines, ...base.slice(at, end)];
}

export function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
