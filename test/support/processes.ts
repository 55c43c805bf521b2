/** The machine's processes, to see whether a program left any behind. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Process ids of the direct children. */
export function childrenOf(pid: number): number[] {
  return parents()
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}

/** [process, its parent]. A bare Linux has no ps, other systems have no /proc. */
function parents(): [number, number][] {
  if (!existsSync('/proc/self/stat')) {
    const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    return [...listing.matchAll(/(\d+)\s+(\d+)/g)].map(([, pid, parent]) => [Number(pid), Number(parent)]);
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [Number(pid), statOf(pid)?.parent ?? 0]);
}

/** Parent and state, the fields after the command in parentheses (proc(5)); undefined for a process that is gone. */
function statOf(pid: string): { state: string; parent: number } | undefined {
  try {
    const [, state = '', parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** False for a process that has ended and waits to be reaped too: in a container nobody may do that. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return statOf(`${pid}`)?.state !== 'Z';
  } catch {
    return false;
  }
}
