/**
 * What is wrong with a config, and where: a file, a line, a column, the path of the key, and what to do about it. Errors
 * and warnings have this one shape; `check` prints it as a line of text or as JSON.
 */

export type KeyPath = readonly (string | number)[];

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1. Absent when the problem has no place in the file, as when the file cannot be read. */
  readonly line?: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column?: number;
  /** The key, as in `routers[0].servers[1].port`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  /** What may stand there. */
  readonly allowed?: readonly string[];
  /** The allowed word that was probably meant. */
  readonly suggestion?: string;
}

/** `['routers', 0, 'label']` as `routers[0].label`. */
export function showKeyPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** `file:line:column: key.path: message; allowed: a, b; did you mean "a"?` */
export function showProblem(problem: Problem): string {
  const { file, line, column, path, message, allowed, suggestion, severity } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const parts = [message];
  if (allowed !== undefined && allowed.length > 0) parts.push(`allowed: ${allowed.join(', ')}`);
  if (suggestion !== undefined) parts.push(`did you mean "${suggestion}"?`);
  const key = path === '' ? '' : `${path}: `;
  return `${place}: ${severity === 'warning' ? 'warning: ' : ''}${key}${parts.join('; ')}`;
}

/** The word of `allowed` that `word` was probably meant to be: same but for case, or few edits away. */
export function suggest(word: string, allowed: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of allowed) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    // A kind is often written without its `io.l5d.`.
    const short = candidate.startsWith('io.l5d.') ? distance(word, candidate.slice('io.l5d.'.length)) : edits;
    const cost = Math.min(edits, short);
    if (cost < least) {
      least = cost;
      best = candidate;
    }
  }
  return best;
}

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  const width = b.length + 1;
  let older: number[] = [];
  let above = Array.from({ length: width }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j < width; j++) {
      const replace = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, older[j - 2]! + 1);
      row.push(cost);
    }
    older = above;
    above = row;
  }
  return above[width - 1]!;
}
