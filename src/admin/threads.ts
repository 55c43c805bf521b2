/**
 * `/admin/threads.json`: the threads of this process and the CPU time that each has used: who is busy. Stacks, which the
 * original shows, would say nothing: a thread that runs an event loop either waits there or can't be asked.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { type ControlHandler, prettyJson } from '../control-http/index.ts';

const TASKS = '/proc/self/task';
/** Of Linux's user interface, whatever the machine's own clock. */
const TICK_MS = 10;
/** As the original writes them (proc(5): R runs, S and D wait). */
const STATES: Readonly<Record<string, string>> = { R: 'RUNNABLE', S: 'WAITING', D: 'BLOCKED' };

/** Null where the system does not tell. */
export function threadsHandler(): ControlHandler | null {
  if (!existsSync(TASKS)) return null;
  return async () => {
    const ids = await readdir(TASKS);
    const threads = await Promise.all(ids.map(async (id) => [id, await describe(id)] as const));
    return prettyJson(200, { threads: Object.fromEntries(threads.filter(([, thread]) => thread !== null)) });
  };
}

/** Null when the thread has ended meanwhile. */
async function describe(id: string): Promise<object | null> {
  const stat = await readFile(`${TASKS}/${id}/stat`, 'latin1').catch(() => null);
  // `tid (name) state ppid ...`: the name may hold anything, blanks and parentheses too.
  const match = /^\d+ \((.*)\) (.+)$/s.exec(stat?.trimEnd() ?? '');
  if (match === null) return null;
  const [, name, rest = ''] = match;
  const fields = rest.split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    thread: Number(id) === process.pid ? 'main' : name,
    state: STATES[fields[0] ?? ''] ?? 'TERMINATED',
    priority: Number(fields[15]),
    cpu_ms: ticks * TICK_MS,
  };
}
