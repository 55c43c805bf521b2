/**
 * What the kernel knows: CPU time and memory of a process with all its threads and children, and how busy a core was.
 * Everything here reads /proc (Linux; proc(5) numbers the fields).
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

/** utime and stime are counted in USER_HZ, which is 100 on every Linux that Node runs on. */
const MICROS_PER_TICK = 10_000;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuTicks: number;
}

/** A process may end between the listing and the read; it then counts as absent. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** Parses /proc/PID/stat. The command name may hold spaces and parentheses, so fields count from its last `)`. */
export function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // From the state (field 3) on: ppid is field 4; utime, stime, cutime, cstime are 14 to 17.
  const cpuTicks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  return { pid: Number.parseInt(text, 10), parent: Number(fields[1]), cpuTicks };
}

/** The process and all its living descendants (nginx works in a child of the process that was started). */
function family(root: number): Stat[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readProc(`/proc/${pid}/stat`))
    .filter((text) => text !== undefined)
    .map(parseStat);
  const members = stats.filter((stat) => stat.pid === root);
  for (let at = 0; at < members.length; at++) {
    const parent = members[at]?.pid;
    members.push(...stats.filter((stat) => stat.parent === parent));
  }
  return members;
}

/** CPU time (user and system, all threads, all children) used so far, in microseconds; exact to 10 ms. */
export function cpuMicros(pids: readonly number[]): number {
  const ticks = pids.flatMap(family).reduce((sum, stat) => sum + stat.cpuTicks, 0);
  return ticks * MICROS_PER_TICK;
}

/** Resident memory of the processes and their children, in bytes. Pages they share count once for each. */
export function residentBytes(pids: readonly number[]): number {
  let kib = 0;
  for (const { pid } of pids.flatMap(family)) {
    kib += Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);
  }
  return kib * 1024;
}

export interface CoreTime {
  readonly busy: number;
  readonly all: number;
}

/** Ticks of one core since boot. Two readings give its utilisation. */
export function coreTime(core: number): CoreTime {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readProc('/proc/stat') ?? '')?.[1];
  if (line === undefined) throw new Error(`core ${core} does not exist on this machine`);
  // user nice system idle iowait irq softirq steal; guest time is already within user.
  const ticks = line.split(' ').slice(0, 8).map(Number);
  const all = ticks.reduce((sum, n) => sum + n, 0);
  return { busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all };
}

/** Share of the time between two readings in which the core was busy, 0 to 1. */
export function utilisation(before: CoreTime, after: CoreTime): number {
  return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all);
}

/** Moves this process with all its threads to a core, so that the harness itself never runs beside the proxy. */
export function moveSelfTo(core: number): void {
  execFileSync('taskset', ['-acp', String(core), String(process.pid)], { stdio: 'ignore' });
}

/** How many files this process and its children may hold open. Node has raised its soft limit to the hard one. */
export function openFileLimit(): number {
  const limit = /^Max open files\s+(\S+)/m.exec(readProc('/proc/self/limits') ?? '')?.[1];
  return limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit ?? 1024);
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, kernel: release(), node: process.version };
}
