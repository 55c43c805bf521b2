/**
 * `npm run bench:hostile`: what clients that mean harm do to one that doesn't. A constant rate of small GETs is measured alone and
 * beside each attack, with the memory of Signpost.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { MIB, startBackend } from '../backend.ts';
import { killChildrenOnExit, launch } from '../children.ts';
import { fortio } from '../load/fortio.ts';
import { peakBytes } from '../load/memory.ts';
import { describeMachine, moveSelfTo, residentBytes } from '../machine.ts';
import { type Bench, type Running, start, subject } from '../subject.ts';
import { locate, missing, type Tool } from '../tools.ts';
import { ATTACKS, type Attack } from './attacker.ts';

const LOAD_CORE = 0;
const PROXY_CORE = 1;
/** Of the client that means no harm, requests a second. */
const RATE = 500;
/** What an attack builds up before it is measured, ms. */
const BUILD_UP_MS = 2_000;
const WARM_UP_SECONDS = 3;

function tool(name: Tool): string {
  const found = locate(name);
  if (found === undefined) throw new Error(missing(name));
  return found;
}

const seconds = (text: string): number => {
  if (!/^[1-9][0-9]*$/.test(text)) throw new InvalidArgumentError('A whole number of seconds.');
  return Number(text);
};

async function beside(attack: Attack, bench: Bench): Promise<string> {
  const running = await start(subject('signpost', 'signpost', { workers: 1 }), bench);
  const innocent = (length: number) =>
    fortio({
      fortio: tool('fortio'),
      core: LOAD_CORE,
      port: running.port,
      connections: 20,
      seconds: length,
      rate: RATE,
    });
  await innocent(WARM_UP_SECONDS);
  const alone = await innocent(bench.seconds);
  const before = residentBytes(running.pids);
  const file = join(import.meta.dirname, 'attacker.ts');
  const attacker = launch(attack, LOAD_CORE, { file: process.execPath, args: [file, attack, String(running.port)] });
  await delay(BUILD_UP_MS);
  const attacked = innocent(bench.seconds);
  const peak = await peakBytes(running.pids, attacked);
  const { p50Us, p99Us, errors } = await attacked;
  const connections = await connectionsOf(running);
  if (attacker.hasEnded()) throw new Error(`${attack} ended early: ${attacker.lastWords()}`);
  await attacker.stop();
  await running.stop();
  const cells = [
    attack.padEnd(20),
    `${alone.p50Us.toFixed(0)} -> ${p50Us.toFixed(0)}`.padStart(14),
    `${alone.p99Us.toFixed(0)} -> ${p99Us.toFixed(0)}`.padStart(16),
    `${(before / MIB).toFixed(0)} -> ${(peak / MIB).toFixed(0)}`.padStart(13),
    String(connections).padStart(13),
    String(errors).padStart(8),
  ];
  return `${cells.join('')}  ${ATTACKS[attack]}`;
}

/** Those that its servers hold open. */
async function connectionsOf(running: Running): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${running.adminPort}/admin/metrics.json`);
  const metrics = (await response.json()) as Record<string, number>;
  return Object.entries(metrics)
    .filter(([name]) => /^rt\/http\/server\/[^/]+\/\d+\/connections$/.test(name))
    .reduce((sum, [, value]) => sum + value, 0);
}

async function main(): Promise<void> {
  const options = new Command('bench:hostile')
    .description('What hostile clients do to the latency of others, and to memory.')
    .option('--seconds <n>', 'length of one measurement', seconds, 5)
    .parse()
    .opts<{ seconds: number }>();
  const folder = mkdtempSync(join(tmpdir(), 'signpost-hostile-'));
  killChildrenOnExit();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  moveSelfTo(LOAD_CORE);
  const backend = await startBackend({ nginx: tool('nginx'), core: LOAD_CORE, folder, everyAddress: false });
  const wrk = locate('wrk') ?? '';
  const bench = { loadCore: LOAD_CORE, proxyCore: PROXY_CORE, seconds: options.seconds, folder, backend, wrk };
  const { cpu, cores, kernel } = describeMachine();
  process.stdout.write(
    `${new Date().toISOString()}, ${cpu}, ${cores} cores, Linux ${kernel}\n` +
      `An innocent client asks ${RATE} times a second; alone -> beside the attack\n\n` +
      `${'attack'.padEnd(20)}${'p50 us'.padStart(14)}${'p99 us'.padStart(16)}${'RSS MiB'.padStart(13)}${'connections'.padStart(13)}${'failed'.padStart(8)}\n`,
  );
  for (const attack of Object.keys(ATTACKS) as Attack[]) process.stdout.write(`${await beside(attack, bench)}\n`);
  await backend.child.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench:hostile: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
