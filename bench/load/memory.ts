/**
 * The loads that are measured by the proxy's memory: connections held open, and a long response that is read slowly.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { MIB } from '../backend.ts';
import { type Child, launch } from '../children.ts';
import type { Figures } from '../figures.ts';
import { openFileLimit, residentBytes } from '../machine.ts';
import { HOST } from '../peers/peer.ts';
import type { Bench, Running } from '../subject.ts';

/** A proxy needs files of its own beside the connections it holds. */
const SPARE_FILES = 1_000;
/** Lets a garbage collector and the kernel come to rest after each step. */
const SETTLE_MS = 1_000;
const SAMPLE_MS = 50;

const program = (name: string, core: number, args: readonly (string | number)[]): Child =>
  launch(name, core, { file: process.execPath, args: [join(import.meta.dirname, `${name}.ts`), ...args.map(String)] });

/** Waits for one line of the child; throws with its last words when it ends first. */
async function said(child: Child, lines: Interface, expected: string): Promise<void> {
  const outcome = await Promise.race([once(lines, 'line'), child.ended]);
  if (!Array.isArray(outcome)) throw new Error(`${child.name} ended early: ${child.lastWords()}`);
  if (outcome[0] !== expected) throw new Error(`${child.name} said ${outcome[0]}, expected ${expected}`);
}

/** Memory that each of `count` idle connections takes: just opened, and after one request on each. */
export async function heldConnections(running: Running, bench: Bench, count: number): Promise<Figures> {
  if (openFileLimit() < count + SPARE_FILES) {
    throw new Error(`${count} connections need \`ulimit -n ${count + SPARE_FILES}\`; the limit is ${openFileLimit()}`);
  }
  await delay(SETTLE_MS);
  const atStart = residentBytes(running.pids);
  const child = program('idle-client', bench.loadCore, [running.port, count, HOST]);
  const lines = createInterface({ input: child.stdout });
  try {
    await said(child, lines, 'opened');
    await delay(SETTLE_MS);
    const opened = residentBytes(running.pids);
    child.stdin.write('use\n');
    await said(child, lines, 'used');
    await delay(SETTLE_MS);
    const used = residentBytes(running.pids);
    if (child.hasEnded()) throw new Error(`${child.name} ended early: ${child.lastWords()}`);
    child.stdin.end();
    await child.ended;
    const perConnectionKib = (bytes: number): number => (bytes - atStart) / 1024 / count;
    return { openKib: perConnectionKib(opened), usedKib: perConnectionKib(used), rssMib: used / MIB, errors: 0 };
  } finally {
    await child.stop();
  }
}

/** How far memory grows at most while one long response passes to a slow reader. */
export async function slowRead(running: Running, bench: Bench, path: string, bytes: number): Promise<Figures> {
  await delay(SETTLE_MS);
  const atStart = residentBytes(running.pids);
  const child = program('slow-reader', bench.loadCore, [running.port, path, HOST, bytes]);
  const highest = await peakBytes(running.pids, child.ended);
  const status = await child.ended;
  if (status !== 0) throw new Error(`the slow reader failed: ${child.lastWords()}`);
  return { growthMib: (highest - atStart) / MIB, rssMib: highest / MIB };
}

/** The most memory that the processes have held, in bytes, until `work` is done. */
export async function peakBytes(pids: readonly number[], work: Promise<unknown>): Promise<number> {
  let highest = residentBytes(pids);
  const sampling = setInterval(() => {
    highest = Math.max(highest, residentBytes(pids));
  }, SAMPLE_MS);
  try {
    await work;
  } finally {
    clearInterval(sampling);
  }
  return highest;
}
