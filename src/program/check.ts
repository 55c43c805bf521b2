/** `check CONFIG`: everything that is wrong with a config, and what it asks for that is not built yet. */
import type { Loaded } from '../config/load.ts';
import { showProblem } from '../config/problem.ts';

/** Prints what was found, for people or for tools, and answers the exit code. */
export function reportCheck(path: string, loaded: Loaded<unknown>, output: 'text' | 'json'): number {
  const { ok, warnings } = loaded;
  const errors = loaded.ok ? [] : loaded.errors;
  if (output === 'json') {
    process.stdout.write(`${JSON.stringify({ ok, errors, warnings }, null, 2)}\n`);
  } else {
    for (const problem of [...errors, ...warnings]) process.stdout.write(`${showProblem(problem)}\n`);
    const counts = [count(errors.length, 'error'), count(warnings.length, 'warning')].filter((text) => text !== '');
    process.stdout.write(`${path}: ${[ok ? 'ok' : 'not ok', ...counts].join(', ')}\n`);
  }
  return ok ? 0 : 1;
}

const count = (number: number, noun: string): string =>
  number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'}`;
